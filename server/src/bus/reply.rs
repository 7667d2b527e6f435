//! The way back of a request: a slot that takes one answer, and the future that waits for it.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};
use trolleybus_protocol::{Address, Error, ErrorKind};

use super::Message;

/// What waits for the answer to a request. It is called once, from the task of whoever answers,
/// and must not block.
pub trait ReplySink: Send + 'static {
    /// Takes the answer.
    fn complete(self: Box<Self>, answer: Result<Message, Error>);
}

impl ReplySink for oneshot::Sender<Result<Message, Error>> {
    fn complete(self: Box<Self>, answer: Result<Message, Error>) {
        // Nobody waits any more: a late reply vanishes.
        let _ = self.send(answer);
    }
}

/// Takes the first answer; later ones vanish. A slot that is dropped empty tells its requester
/// so, because by then nobody is left who could answer.
pub(crate) struct ReplySlot {
    address: Address,
    replied_address: Address,
    sink: Mutex<Option<Box<dyn ReplySink>>>,
}

impl ReplySlot {
    pub(crate) fn new(replied_address: Address, sink: Box<dyn ReplySink>) -> Arc<Self> {
        let sink = Mutex::new(Some(sink));
        Arc::new(Self { address: unguessable_address(), replied_address, sink })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn complete(&self, answer: Result<Message, Error>) {
        let sink = self.sink.lock().take();
        if let Some(sink) = sink {
            sink.complete(answer);
        }
    }

    pub(super) fn discard(&self) {
        let text = format!(
            "Discarded the request. address: {}, repliedAddress: {}",
            self.address, self.replied_address
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
    format!("__vertx.reply.{:016x}", KEY.hash_one(count)).into()
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
    pub(super) fn new(replied_address: Address, timeout: Duration) -> (Self, Arc<ReplySlot>) {
        let (sender, answer) = oneshot::channel();
        let slot = ReplySlot::new(replied_address.clone(), Box::new(sender));
        let state = State::Waiting { answer, address: slot.address().clone(), timer: None };
        let deadline = Instant::now() + timeout;
        (Self { state, timeout, deadline, replied_address }, slot)
    }

    pub(super) fn failed(error: Error) -> Self {
        let state = State::Failed(Some(error));
        let (timeout, deadline) = (Duration::ZERO, Instant::now());
        Self { state, timeout, deadline, replied_address: Address::default() }
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
