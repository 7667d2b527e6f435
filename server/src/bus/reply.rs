//! The way back of a request: a slot that takes one answer, and the future that waits for it.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use trolleybus_protocol::codes::FailureType;
use trolleybus_protocol::{Address, Error, ErrorKind};

use super::Message;
use super::metrics::BusMetrics;
use super::near::Near;

/// What waits for the answer to a request. It is called once, from the task of whoever answers,
/// and must not block.
pub trait ReplySink: Send + 'static {
    /// Takes the answer.
    fn complete(self: Box<Self>, answer: Result<Message, Error>);

    /// False once nobody waits for the answer any more; only metrics ask.
    fn is_waiting(&self) -> bool {
        true
    }
}

/// Where the answer goes.
pub(super) enum Sink {
    Response(oneshot::Sender<Result<Message, Error>>),
    Other(Box<dyn ReplySink>),
}

impl From<Box<dyn ReplySink>> for Sink {
    fn from(sink: Box<dyn ReplySink>) -> Self {
        Self::Other(sink)
    }
}

impl Sink {
    fn is_waiting(&self) -> bool {
        match self {
            Self::Response(sender) => !sender.is_closed(),
            Self::Other(sink) => sink.is_waiting(),
        }
    }

    fn complete(self, answer: Result<Message, Error>) {
        match self {
            // Nobody waits any more: a late reply vanishes.
            Self::Response(sender) => drop(sender.send(answer)),
            Self::Other(sink) => sink.complete(answer),
        }
    }
}

/// Takes the first answer; later ones vanish. A slot that is dropped empty tells its requester
/// so, because by then nobody is left who could answer.
pub(crate) struct ReplySlot {
    bus: Near,
    /// Made when somebody asks: most requests are answered through the slot itself.
    address: OnceLock<Address>,
    replied_address: Address,
    /// When the request was made, if anybody wants to know.
    since: Option<Instant>,
    sink: Mutex<Option<Sink>>,
}

impl ReplySlot {
    pub(super) fn new(bus: &Near, replied_address: Address, sink: Sink) -> Arc<Self> {
        let (bus, sink) = (bus.clone(), Mutex::new(Some(sink)));
        let since = bus.metrics.is_some().then(Instant::now);
        Arc::new(Self { bus, address: OnceLock::new(), replied_address, since, sink })
    }

    pub(super) fn address(&self) -> &Address {
        self.address.get_or_init(unguessable_address)
    }

    pub(super) fn bus(&self) -> &Near {
        &self.bus
    }

    /// Takes what a recipient answers, after the interceptors.
    pub(super) fn answer(&self, answer: Result<Message, Error>) {
        let extras = self.bus.switch.load();
        if !extras.intercepts() {
            self.complete(answer);
        } else if self.sink.lock().is_some() {
            self.bus.intercept_answer(extras, self, answer);
        }
    }

    pub(super) fn complete(&self, answer: Result<Message, Error>) {
        let sink = self.sink.lock().take();
        if let Some(sink) = sink {
            if let (Some(metrics), Some(since)) = (&self.bus.metrics, self.since)
                && sink.is_waiting()
            {
                match &answer {
                    Ok(_) => metrics.reply_received(&self.replied_address, since.elapsed()),
                    Err(error) => metrics.reply_failed(&self.replied_address, error.failure_type()),
                }
            }
            sink.complete(answer);
        }
    }

    pub(super) fn discard(&self) {
        let text = format!(
            "Discarded the request. address: {}, repliedAddress: {}",
            self.address(),
            self.replied_address
        );
        self.complete(Err(Error::new(ErrorKind::Timeout, text)));
    }
}

impl Drop for ReplySlot {
    fn drop(&mut self) {
        if self.sink.get_mut().is_some() {
            self.discard();
        }
    }
}

/// A reply address in the form of Vert.x, but one that nobody can guess: a counter under a keyed
/// hash whose key was drawn when the process started.
fn unguessable_address() -> Address {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Relaxed);
    let mut text = String::with_capacity(REPLY_PREFIX.len() + 16);
    text.push_str(REPLY_PREFIX);
    let hash = KEY.hash_one(count);
    // By hand: the formatter took a twentieth of a request.
    for shift in (0..16).rev() {
        text.push(char::from(b"0123456789abcdef"[(hash >> (4 * shift)) as usize & 0xf]));
    }
    text.into()
}

/// Stands for a timeout beyond what the clock can tell.
const FOREVER: Duration = Duration::from_secs(86_400 * 365 * 30);

const REPLY_PREFIX: &str = "__vertx.reply.";

/// Whether an address may be one that a request is answered to.
pub(crate) fn is_reply_address(address: &Address) -> bool {
    address.as_str().starts_with(REPLY_PREFIX)
}

/// The error of a request that nobody answered in time, worded as Vert.x words it.
pub(crate) fn timed_out(timeout: Duration, address: &str, replied_address: &str) -> Error {
    let milliseconds = timeout.as_millis();
    let text = format!(
        "Timed out after waiting {milliseconds}(ms) for a reply. \
         address: {address}, repliedAddress: {replied_address}"
    );
    Error::new(ErrorKind::Timeout, text)
}

/// The answer to a request. It resolves at the latest when the request's timeout is over, and
/// has to be polled inside a tokio runtime.
///
/// # Cancel safety
/// Dropping it gives the answer up; the message may still be served.
pub struct Response {
    state: State,
    timeout: Duration,
    deadline: Instant,
    replied_address: Address,
    /// Told when the time is up.
    metrics: Option<Arc<dyn BusMetrics>>,
}

enum State {
    Failed(Option<Error>),
    Waiting {
        answer: oneshot::Receiver<Result<Message, Error>>,
        address: Address,
        timer: Option<Pin<Box<Sleep>>>,
    },
}

impl Response {
    pub(super) fn new(
        bus: &Near,
        replied_address: Address,
        timeout: Duration,
    ) -> (Self, Arc<ReplySlot>) {
        let (sender, answer) = oneshot::channel();
        let slot = ReplySlot::new(bus, replied_address.clone(), Sink::Response(sender));
        let state = State::Waiting { answer, address: slot.address().clone(), timer: None };
        let now = Instant::now();
        let deadline = now.checked_add(timeout).unwrap_or(now + FOREVER);
        let metrics = bus.metrics.clone();
        (Self { state, timeout, deadline, replied_address, metrics }, slot)
    }

    pub(super) fn failed(error: Error) -> Self {
        let state = State::Failed(Some(error));
        let (timeout, deadline) = (Duration::ZERO, Instant::now());
        Self { state, timeout, deadline, replied_address: Address::default(), metrics: None }
    }
}

impl Future for Response {
    type Output = Result<Message, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &mut this.state {
            State::Failed(error) => Poll::Ready(Err(error.take().unwrap_or_else(spent))),
            State::Waiting { answer, address, timer } => {
                if let Poll::Ready(answer) = Pin::new(answer).poll(cx) {
                    return Poll::Ready(answer.unwrap_or_else(|_| Err(spent())));
                }
                let sleep = || Box::pin(tokio::time::sleep_until(this.deadline));
                ready!(timer.get_or_insert_with(sleep).as_mut().poll(cx));
                let error =
                    timed_out(this.timeout, address.as_str(), this.replied_address.as_str());
                this.state = State::Failed(None);
                if let Some(metrics) = &this.metrics {
                    metrics.reply_failed(&this.replied_address, FailureType::Timeout);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}

fn spent() -> Error {
    Error::new(ErrorKind::Closed, "the response was taken already")
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("replied_address", &self.replied_address)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
