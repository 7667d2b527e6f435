//! The stream of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use trolleybus_protocol::codes::Refusal;

use super::call::{Call, clock};
use super::failure::{Failure, FailureBody};
use super::feed::{Feed, Passing, event};
use super::handle::Core;
use super::hooked::{self, Entry, Presence};
use crate::access::limits::{Admitted, RegistrationPlace};
use crate::bus::{Handler, Registration};
use crate::gateway::target::Target;

/// What a reader gets first, so that it knows that the subscription stands.
const SUBSCRIBED: &str = ": subscribed\n\n";

const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// Subscribe to an address: a stream of server-sent events.
///
/// `message` has a `rec` envelope as its data, `dropped` how many messages went because the reader
/// was too slow, and `err` why the stream ends.
#[utoipa::path(
    get, path = "/subscribe/{*address}", operation_id = "subscribe",
    params(
        ("address" = String, Path, description = "The address, percent-encoded; slashes may stand as they are"),
        ("pattern" = Option<bool>, Query, description = "The address is a pattern, such as `news.*.sport` or `news/#`"),
    ),
    responses(
        (status = 200, description = "The messages as they come", body = String, content_type = "text/event-stream"),
        (status = 204, description = "Nothing to stream: a hook of the application took care of it"),
        (status = "4XX", description = "Refused", body = FailureBody),
        (status = "5XX", description = "Cannot be done now", body = FailureBody),
    ),
)]
pub(super) async fn subscribe(
    State(core): State<Arc<Core>>,
    mut call: Call,
) -> Result<Response, Failure> {
    let place = Arc::clone(&core.streams).try_acquire_owned();
    let mut presence = None;
    // Whoever waits for the hook has a place.
    if let (Some(client), Ok(_)) = (hooked::client(&core, &call), &place) {
        match Box::pin(Presence::begin(&core, client, &mut call)).await? {
            Entry::Stream(let_in) => presence = Some(let_in),
            Entry::Answered => return Ok(StatusCode::NO_CONTENT.into_response()),
        }
    }
    let target = Target::new(&call.address, call.query.is_pattern())?;
    target.check(&call.rights.bound().outbound)?;
    let place = place.map_err(|_| Refusal::MaxHandlersReached)?;
    let held = hold(&core, &call)?;
    let feed = Arc::new(Feed::new(call.rights, Arc::clone(&core)));
    let handler: Arc<dyn Handler> = Arc::<Feed>::clone(&feed);
    let registration = target.register(&core.bus, handler);
    core.counters.stream_opened();
    let passing = presence.as_ref().map(|presence| feed.past_hook(presence.client()));
    let phase = Phase::First;
    let held = Held { _registration: registration, _place: place, _counted: held };
    let mut reading = Reading { core, feed, phase, passing, _held: held, presence };
    if let Some(presence) = &mut reading.presence {
        Box::pin(presence.registered(call.address)).await;
    }
    let body = stream::unfold(reading, |mut reading| async move {
        let part = reading.next().await?;
        Some((Ok::<_, Infallible>(part), reading))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that buffer would hold events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// The places of a stream, which counts as a connection with one registration.
fn hold(core: &Core, call: &Call) -> Result<(Admitted, RegistrationPlace), Refusal> {
    let full = |_| Refusal::MaxHandlersReached;
    let admitted = core.limits.admit_connection(call.ip(), clock()).map_err(full)?;
    admitted.set_user(call.subject.as_deref(), clock()).map_err(full)?;
    let place = admitted.admit_registration(call.address.as_str(), clock())?;
    Ok((admitted, place))
}

/// One reader's stream. Its registration and places end with it.
struct Reading {
    core: Arc<Core>,
    feed: Arc<Feed>,
    phase: Phase,
    /// Messages on their way past the hook.
    passing: Option<Passing>,
    _held: Held,
    /// Dropped last: the hook is told of the end when nothing is left on the bus.
    presence: Option<Presence>,
}

/// What a stream holds, only to let it go.
struct Held {
    _registration: Registration,
    _place: OwnedSemaphorePermit,
    _counted: (Admitted, RegistrationPlace),
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.core.counters.stream_closed();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    First,
    Streaming,
    Ended,
}

impl Reading {
    async fn next(&mut self) -> Option<Bytes> {
        match self.phase {
            Phase::Ended => return None,
            Phase::First => {
                self.phase = Phase::Streaming;
                return Some(Bytes::from_static(SUBSCRIBED.as_bytes()));
            }
            Phase::Streaming => {}
        }
        let keep_alive = Duration::from_millis(self.core.options.keep_alive_ms);
        tokio::select! {
            biased;
            () = self.core.stop.cancelled() => None,
            () = until(self.feed.rights.expires_at()) => {
                self.phase = Phase::Ended;
                Some(farewell(Refusal::TokenExpired))
            }
            events = self.feed.next() => Some(events),
            never = pass(&mut self.passing) => match never {},
            () = tokio::time::sleep(keep_alive) => Some(Bytes::from_static(KEEP_ALIVE.as_bytes())),
        }
    }
}

async fn pass(passing: &mut Option<Passing>) -> Infallible {
    match passing {
        Some(passing) => passing.await,
        None => std::future::pending().await,
    }
}

async fn until(expiry: Option<Instant>) {
    match expiry {
        Some(expiry) => tokio::time::sleep_until(expiry).await,
        None => std::future::pending().await,
    }
}

fn farewell(refusal: Refusal) -> Bytes {
    let body = serde_json::to_string(&Failure::from(refusal).body()).unwrap_or_default();
    event("err", &body).into()
}
