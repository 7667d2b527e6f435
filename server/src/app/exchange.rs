//! One connection from its first request to its end or its upgrade.
//!
//! hyper holds some 20 KB for a connection, nearly all of it buffers, and cannot give them back while
//! nothing happens. A polling client has two such connections: on one a poll waits for tens of
//! seconds, over the other it sends something now and then. So a connection that has been quiet for
//! a moment is *parked*: hyper's state is dropped, and what is left is the stream, and the poll if
//! there is one. When bytes come, a fresh hyper goes on with them. When the poll has its answer, a
//! fresh hyper reads a stand-in for the request, is handed that answer, and goes on.
//!
//! A response that goes on and on, as those of the streaming transports do, is written by hyper as far
//! as it goes at once. The rest of it goes past hyper, chunk by chunk, and then a fresh one goes on.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::access_log::Noted;
use super::http::Serving;
use super::rewind::{Backlog, Rewind};
use crate::sockjs::{Answer, Waiting, recognizable};
use body::{Beginning, Bystander, Download, End, Upload};
use parked::Parked;
use streamed::Streamed;
use watch::{Found, Watch};

mod body;
mod parked;
mod streamed;
mod watch;

/// What hyper has written by the time it waits for the next request, if it could write at all.
const SMALL_ANSWER: u64 = 8 * 1024;
const MAX_HEAD: usize = 64 * 1024;

/// Serves `stream` until it ends. After an upgrade the connection belongs to the transport, and
/// this ends.
pub(super) async fn exchange<S>(stream: S, peer: SocketAddr, serving: Arc<Serving>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let exchange = Arc::new(Exchange::new(peer, serving));
    // The task is the same from beginning to end.
    let bystander = poll_fn(|cx| Poll::Ready(Bystander::new(cx.waker()))).await;
    let waker = recognizable(&bystander);
    let mut stream = Rewind::new(stream, Arc::clone(&exchange.backlog));
    loop {
        let (answering, bystander) = (Arc::clone(&exchange), Arc::clone(&bystander));
        let service = service_fn(move |request: Request<Incoming>| {
            let bystander = Arc::clone(&bystander);
            let request = request.map(|incoming| Upload { incoming, bystander });
            Arc::clone(&answering).answer(request)
        });
        // In a box, because while it is parked there is none.
        let mut connection = Box::pin(
            http1::Builder::new()
                // The watch has an eye on it, with one timer for many requests.
                .header_read_timeout(None)
                .max_buf_size(MAX_HEAD)
                // One buffer to write from: most answers are short.
                .writev(false)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades(),
        );
        let turn = {
            let mut watch = Watch::new(&exchange);
            let turn = poll_fn(|_| {
                let cx = &mut Context::from_waker(&waker);
                loop {
                    if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                        return Poll::Ready(Turn::Over(ended));
                    }
                    if let Some(body) = exchange.take_stream() {
                        return Poll::Ready(Turn::Rest(Rest::Stream(body)));
                    }
                    match ready!(watch.poll(cx)) {
                        // Not earlier: one that has read nothing takes itself for unused, and closes.
                        Found::Stop => connection.as_mut().graceful_shutdown(),
                        Found::Late => return Poll::Ready(Turn::Late),
                        Found::Calm => return Poll::Ready(Turn::Rest(Rest::Nothing)),
                        Found::Quiet(waiting) => {
                            return Poll::Ready(Turn::Rest(Rest::Poll(waiting)));
                        }
                    }
                }
            });
            turn.await
        };
        let rest = match turn {
            Turn::Rest(rest) => rest,
            Turn::Late => return tracing::debug!("no request came in time"),
            Turn::Over(Ok(())) => return,
            Turn::Over(Err(error)) => return tracing::debug!(%error, "connection ended"),
        };
        let Some(parts) = Pin::into_inner(connection).into_parts() else { return };
        // An empty part of a buffer would keep the whole.
        let read = Some(parts.read_buf).filter(|read| !read.is_empty()).unwrap_or_default();
        let parked = Parked { stream: parts.io.into_inner(), read };
        let Some(rewound) = rest.without_hyper(parked, &exchange).await else { return };
        stream = rewound;
    }
}

/// How a turn of hyper's with the connection ended.
enum Turn {
    Over(hyper::Result<()>),
    Rest(Rest),
    /// No request came in time.
    Late,
}

/// What is to be done before hyper is needed again.
enum Rest {
    /// There is no request.
    Nothing,
    /// A poll waits.
    Poll(Waiting),
    /// The beginning of a response has been written that goes on and on.
    Stream(Body),
}

impl Rest {
    /// Gives the connection when hyper is needed, and none when it has ended before.
    async fn without_hyper<S>(self, parked: Parked<S>, exchange: &Exchange) -> Option<Rewind<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self {
            Self::Nothing => parked.read(&exchange.serving).await,
            Self::Poll(waiting) => parked.wait(waiting, exchange).await,
            Self::Stream(body) => Streamed::new(parked, body).run().await.ok().map(Parked::rewound),
        }
    }
}

/// What the requests of one connection share. Its locks are held for a look, by one task.
struct Exchange {
    peer: SocketAddr,
    is_exempt: bool,
    serving: Arc<Serving>,
    backlog: Arc<Backlog>,
    stage: AtomicU8,
    /// How often that has changed.
    changes: AtomicU32,
    /// A poll that waits and may be parked.
    waiting: Mutex<Option<Waiting>>,
    /// A response that goes on and on, until its beginning has been written.
    stream: Mutex<Option<Body>>,
    /// What was parked, for the stand-in.
    found: Mutex<Option<Answer>>,
}

/// How far the connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    /// The next request is awaited.
    Awaited,
    /// The same, and of the last one hyper has nothing left if it could write.
    Answered,
    UnderWay,
    /// A request is under way that may be parked.
    Waiting,
    /// The beginning of a response is being written whose rest goes past hyper.
    Streaming,
    /// What was parked goes on, as soon as the stand-in for its request has been read.
    Found,
}

impl Exchange {
    fn new(peer: SocketAddr, serving: Arc<Serving>) -> Self {
        Self {
            peer,
            is_exempt: serving.limits.of_clients.is_exempt(peer.ip()),
            serving,
            backlog: Arc::default(),
            stage: AtomicU8::new(Stage::Awaited as u8),
            changes: AtomicU32::default(),
            waiting: Mutex::default(),
            stream: Mutex::default(),
            found: Mutex::default(),
        }
    }

    /// Only the task of the connection does so.
    fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
        self.changes.store(self.changes.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Whether the connection may be parked, or cut.
    fn is_idle(&self) -> bool {
        [Stage::Awaited, Stage::Answered, Stage::Waiting].iter().any(|stage| self.is_at(*stage))
    }

    fn is_at(&self, stage: Stage) -> bool {
        self.stage.load(Relaxed) == stage as u8
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Upload>,
    ) -> Result<http::Response<Download>, Infallible> {
        if self.is_at(Stage::Found)
            && let Some(found) = take(&self.found)
        {
            let response = found.response().await;
            return Ok(self.leave(response, true));
        }
        let proxies = &self.serving.limits.proxies;
        if self.changes.load(Relaxed) == 0 {
            proxies.notice(self.is_exempt, request.headers());
        }
        self.enter(Stage::UnderWay);
        let client = proxies.client(self.peer, request.headers());
        let noted = Noted::new(&request, client);
        let is_whole = request.body().is_end_stream();
        let may_park = is_whole && goes_on(&request);
        let is_upload = request.method() == Method::POST;
        let body = |body| if is_whole { Body::empty() } else { Body::new(body) };
        let mut request = Some(request.map(body));
        let mut answer = poll_fn(|cx| {
            let request = request.take().expect("invariant: it is polled once");
            Poll::Ready(self.serving.front.answer(request, client, cx))
        })
        .await;
        if let Some(noted) = noted {
            answer = noted.follow(answer);
        }
        let response = match answer {
            Answer::Streaming(response) if may_park => return Ok(self.begin(response)),
            Answer::Ready(response) | Answer::Streaming(response) => response,
            Answer::Waiting(waiting) if may_park => self.wait(waiting).await,
            Answer::Waiting(waiting) => waiting.await,
            Answer::Later(later) => later.await,
        };
        // An upload that was taken has been read to its end; one that was refused may not have been.
        let is_read = is_whole || is_upload && response.status() == StatusCode::NO_CONTENT;
        Ok(self.leave(response, is_read))
    }

    /// Waits with the poll, unless that is parked, which ends this future.
    async fn wait(&self, waiting: Waiting) -> Response {
        put(&self.waiting, waiting);
        self.enter(Stage::Waiting);
        poll_fn(|cx| {
            let mut place = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(waiting) = &mut *place else { return Poll::Pending };
            let response = ready!(waiting.as_mut().poll(cx));
            *place = None;
            Poll::Ready(response)
        })
        .await
    }

    /// Gives a poll to be parked.
    fn take_waiting(&self) -> Option<Waiting> {
        let waiting = take(&self.waiting)?;
        self.enter(Stage::UnderWay);
        Some(waiting)
    }

    /// Hands hyper as much of a response as there is.
    fn begin(self: &Arc<Self>, response: Response) -> http::Response<Download> {
        self.enter(Stage::Streaming);
        let (beginning, end) = (Beginning(Arc::clone(self)), End(Arc::clone(self)));
        response.map(|body| {
            put(&self.stream, body);
            Download { body: Body::new(beginning), _end: Some(end) }
        })
    }

    fn poll_stream(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut place = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(body) = &mut *place else { return Poll::Pending };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if frame.is_none() {
            *place = None;
        }
        Poll::Ready(frame)
    }

    /// Gives what goes past hyper, which has nothing left to write.
    fn take_stream(&self) -> Option<Body> {
        if !self.is_at(Stage::Streaming) || self.backlog.is_there() {
            return None;
        }
        let body = take(&self.stream)?;
        self.enter(Stage::UnderWay);
        Some(body)
    }

    /// Hands hyper a response.
    fn leave(self: &Arc<Self>, response: Response, is_read: bool) -> http::Response<Download> {
        let is_small = response.body().size_hint().exact().is_some_and(|size| size <= SMALL_ANSWER);
        if is_small {
            self.enter(if is_read { Stage::Answered } else { Stage::Awaited });
        }
        let _end = (!is_small).then(|| End(Arc::clone(self)));
        response.map(|body| Download { body, _end })
    }

    /// A response that was not small has been taken or given up.
    fn is_over(&self) {
        self.enter(Stage::Awaited);
    }
}

/// Whether the connection goes on after this request.
fn goes_on(request: &Request<Upload>) -> bool {
    request.version() == http::Version::HTTP_11
        && request.headers().get_all(header::CONNECTION).iter().all(|value| {
            // Browsers say so, though it is the rule.
            value.as_bytes().eq_ignore_ascii_case(b"keep-alive")
        })
}

fn put<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests;
