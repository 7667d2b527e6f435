//! The native driver: one tokio task for each client. It owns the socket and the timer, and ends
//! when the client is closed.

mod socket;

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::Instant;

use self::socket::{Input, Line};
use crate::client::{Hub, Shared, deliver};
use crate::core::Action;
use crate::token::{Answer, Fetching, valid_for};

/// How long the last messages may take to leave after `close`.
const FAREWELL: Duration = Duration::from_secs(1);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since the first call.
pub(crate) fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A random number, of the source that protects the standard library's hash maps.
pub(crate) fn seed() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// There is no page to be relative to.
pub(crate) fn absolute(url: &str) -> String {
    url.to_owned()
}

/// What handles hold of the task.
pub(crate) struct Driver {
    wake: Arc<Notify>,
}

impl Driver {
    pub(crate) fn start(hub: Shared<Hub>) -> Self {
        let wake = Arc::new(Notify::new());
        tokio::spawn(run(hub, wake.clone()));
        Self { wake }
    }

    /// A command was given to the machine.
    pub(crate) fn kick(&self) {
        self.wake.notify_one();
    }
}

async fn run(hub: Shared<Hub>, wake: Arc<Notify>) {
    let mut line = Line::default();
    let mut token: Option<Fetching> = None;
    loop {
        let (closed, timeout) = perform_all(&hub, &mut line, &mut token);
        deliver(&hub);
        if closed {
            break;
        }
        tokio::select! {
            () = wake.notified() => {}
            input = line.next() => feed(&hub, &line, input),
            answer = fetched(&mut token) => take_token(&hub, &answer),
            () = sleep_until(timeout) => hub.lock().core.handle_timeout(now()),
        }
    }
    // What does not leave in time is lost with the connection.
    let _ = tokio::time::timeout(FAREWELL, line.farewell()).await;
}

/// Performs what the machine asks for; tells whether it has ended and when it wants to be called.
fn perform_all(
    hub: &Shared<Hub>,
    line: &mut Line,
    token: &mut Option<Fetching>,
) -> (bool, Option<u64>) {
    let mut wanted = None;
    let mut hub = hub.lock();
    while let Some(action) = hub.core.poll_action() {
        match action {
            Action::FetchToken => wanted = hub.core.token_source(),
            Action::Open { link, url, .. } => line.open(link, &url, hub.core.opening()),
            Action::Send { link, text, .. } => line.send(link, text),
            Action::Close { link } => line.close(link),
            // Only asked for where there is a choice of transports.
            Action::FetchInfo { link, .. } => hub.core.handle_failed(now(), link),
        }
    }
    let state = (hub.core.state().is_closed(), hub.core.poll_timeout());
    drop(hub);
    if let Some(source) = wanted {
        // The application's own code, so nothing is locked.
        *token = Some(source.fetch());
    }
    state
}

/// The answer to the last question; waits for ever when there is none.
async fn fetched(token: &mut Option<Fetching>) -> Answer {
    let Some(fetching) = token else {
        return std::future::pending().await;
    };
    let answer = fetching.await;
    *token = None;
    answer
}

fn take_token(hub: &Shared<Hub>, answer: &Answer) {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let valid_for = answer.as_ref().ok().and_then(|token| valid_for(token, since_1970));
    let answer = answer.as_deref().map_err(String::as_str);
    hub.lock().core.handle_token(now(), answer, valid_for);
}

fn feed(hub: &Shared<Hub>, line: &Line, input: Input) {
    let mut hub = hub.lock();
    let link = line.link();
    match input {
        Input::Frame(text) => hub.core.handle_frame(now(), link, &text),
        Input::Sent => hub.core.handle_sent(link),
        Input::Closed(code, reason) => hub.core.handle_closed(now(), link, code, &reason),
        Input::Failed => hub.core.handle_failed(now(), link),
        Input::Refused(why) => hub.core.handle_refused(now(), link, &why),
        Input::Opened => {}
    }
}

async fn sleep_until(timeout: Option<u64>) {
    match timeout {
        Some(at) => tokio::time::sleep_until(*START + Duration::from_millis(at)).await,
        None => std::future::pending().await,
    }
}
