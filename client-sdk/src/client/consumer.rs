//! Consumers: a stream with a bounded buffer, or a callback.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::Stream;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{
    Address, BusConsumer, ConsumerOptions, Error, ErrorKind, MaybeSend, MaybeSync, Pattern,
};

use super::handle::{Handle, guarded};
use super::hub::{AnySink, Sink};
use super::shared::{Ref, Shared};
use super::{Completion, Message, Response};
use crate::core::{ConsumerId, Matcher};
use crate::driver;

const UNREGISTERED: &str = "unregistered before the registration was acknowledged";

/// A stream of the messages of one address. Dropping it unregisters; messages not read by then
/// are discarded, and requests among them failed. It ends when the client is closed.
///
/// Several consumers of one address share one registration with the server, and each gets every
/// message.
///
/// ```no_run
/// use futures_util::StreamExt;
/// use trolleybus_client::{BusMessage, Client, Error, EventBus};
///
/// # async fn example(bus: Client) -> Result<(), Error> {
/// let mut prices = bus.consumer("prices").map(|message| message.body_as::<f64>());
/// while let Some(price) = prices.next().await {
///     println!("{}", price?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
/// `next` and the like may be dropped while they wait, as the other branch of a `select!` is: no
/// message is lost, the next call gives it.
#[must_use = "the consumer is unregistered when this is dropped"]
pub struct Consumer {
    registration: Option<Registration>,
    address: Address,
    failure: Option<Error>,
    buffer: Shared<Buffer>,
}

/// Messages that the application has not read yet.
struct Buffer {
    queue: VecDeque<Message>,
    waker: Option<Waker>,
    demand: u64,
    on_discard: Option<OnDiscard>,
    len_max: usize,
    dropped: u64,
    ended: bool,
}

#[cfg(target_arch = "wasm32")]
type OnDiscard = Ref<dyn Fn(&Message)>;
#[cfg(not(target_arch = "wasm32"))]
type OnDiscard = Ref<dyn Fn(&Message) + Send + Sync>;

/// A callback's registration. Dropping it unregisters: no message that comes later is given to the
/// callback.
#[must_use = "the callback is unregistered when this is dropped"]
pub struct Registration {
    handle: Ref<Handle>,
    address: Address,
    is_pattern: bool,
    is_local: bool,
    /// None once it has ended.
    id: Option<ConsumerId>,
}

/// What finds the addresses of a pattern, if it is to be one.
pub(super) fn matcher(
    address: &Address,
    options: &ConsumerOptions,
) -> Result<Option<Matcher>, Error> {
    if !options.is_pattern {
        return Ok(None);
    }
    let pattern = Pattern::parse(address.clone());
    let pattern = pattern.map_err(|_| Error::refused(Refusal::InvalidPattern))?;
    Ok(Some(Matcher::new(pattern)))
}

impl Consumer {
    pub(super) fn new(handle: &Ref<Handle>, address: &Address, options: &ConsumerOptions) -> Self {
        let (default_len, ended) = {
            let hub = handle.hub.lock();
            (hub.core.buffer_len(), hub.core.state().is_closed())
        };
        let len_max = options.max_buffered.unwrap_or(default_len).max(1);
        let buffer = Shared::new(Buffer {
            queue: VecDeque::new(),
            waker: None,
            demand: u64::MAX,
            on_discard: None,
            len_max,
            dropped: 0,
            ended,
        });
        let sink = || -> AnySink { Shared::new(Box::new(Queue(buffer.clone()))) };
        let (registration, failure) = match matcher(address, options) {
            Ok(matcher) => {
                (Some(Registration::new(handle, address, options, matcher, sink())), None)
            }
            Err(error) => (None, Some(error)),
        };
        buffer.lock().ended |= failure.is_some();
        Self { registration, address: address.clone(), failure, buffer }
    }

    /// How many messages were discarded because the buffer was full, see
    /// [`Options::buffer_len`](crate::Options::buffer_len).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.buffer.lock().dropped
    }
}

/// A consumer's buffer, as the hub sees it.
struct Queue(Shared<Buffer>);

impl Sink for Queue {
    fn take(&mut self, message: Message) {
        let Some(message) = message.received() else {
            return;
        };
        let mut this = self.0.lock();
        if this.queue.len() >= this.len_max {
            this.dropped += 1;
            let on_discard = this.on_discard.clone();
            drop(this);
            return discard(&message, on_discard.as_ref());
        }
        this.queue.push_back(message);
        let waker = this.waker.take();
        drop(this);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn end(&mut self) {
        let mut this = self.0.lock();
        this.ended = true;
        let waker = this.waker.take();
        drop(this);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Nobody will read it: its sender should not wait.
fn discard(message: &Message, on_discard: Option<&OnDiscard>) {
    if let Some(on_discard) = on_discard {
        guarded(|| on_discard(message));
    }
    message.discard();
}

impl Stream for Consumer {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut buffer = self.buffer.lock();
        let next = if buffer.demand > 0 { buffer.queue.pop_front() } else { None };
        match next {
            Some(message) => {
                if buffer.demand != u64::MAX {
                    buffer.demand -= 1;
                }
                Poll::Ready(Some(message))
            }
            None if buffer.ended && buffer.queue.is_empty() => Poll::Ready(None),
            None => {
                buffer.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl BusConsumer for Consumer {
    type Completion = Completion;

    fn address(&self) -> &Address {
        &self.address
    }

    fn is_registered(&self) -> bool {
        self.registration.as_ref().is_some_and(Registration::is_registered)
    }

    fn pause(&self) {
        self.buffer.lock().demand = 0;
    }

    fn resume(&self) {
        self.set_demand(|_| u64::MAX);
    }

    fn fetch(&self, messages: u64) {
        self.set_demand(|demand| demand.saturating_add(messages));
    }

    fn completion(&self) -> Completion {
        match (&self.registration, &self.failure) {
            (Some(registration), _) => registration.completion(),
            (None, Some(failure)) => Completion::known(Err(failure.clone())),
            (None, None) => Completion::known(Err(Error::new(ErrorKind::Closed, UNREGISTERED))),
        }
    }

    fn unregister(&mut self) -> Completion {
        let ending = self.registration.take().map(Registration::unregister);
        let mut buffer = self.buffer.lock();
        buffer.ended = true;
        let on_discard = buffer.on_discard.clone();
        let unread = core::mem::take(&mut buffer.queue);
        let waker = buffer.waker.take();
        drop(buffer);
        unread.iter().for_each(|message| discard(message, on_discard.as_ref()));
        if let Some(waker) = waker {
            waker.wake();
        }
        ending.unwrap_or_else(|| Completion::known(Ok(())))
    }

    fn on_discard(&self, callback: impl Fn(&Message) + MaybeSend + MaybeSync + 'static) {
        self.buffer.lock().on_discard = Some(Ref::new(callback));
    }
}

impl Consumer {
    fn set_demand(&self, change: impl FnOnce(u64) -> u64) {
        let mut buffer = self.buffer.lock();
        buffer.demand = change(buffer.demand);
        let waker = buffer.waker.take();
        drop(buffer);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // Nobody waits for the acknowledgement, so none is asked for.
        drop(self.registration.take());
        drop(self.unregister());
    }
}

impl Registration {
    pub(super) fn new(
        handle: &Ref<Handle>,
        address: &Address,
        options: &ConsumerOptions,
        matcher: Option<Matcher>,
        sink: AnySink,
    ) -> Self {
        let now = driver::now();
        let mut hub = handle.hub.lock();
        let id = hub.core.consumer(now, address, options, matcher);
        if !hub.core.state().is_closed() {
            hub.sinks.set(id.0, sink);
        }
        drop(hub);
        handle.driver.kick();
        let (handle, address) = (handle.clone(), address.clone());
        let ConsumerOptions { is_pattern, local_only: is_local, .. } = *options;
        Self { handle, address, is_pattern, is_local, id: Some(id) }
    }

    /// The address, or the pattern.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// False once it was refused, or the client is closed.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        let (address, core) = (self.address.as_str(), &mut self.handle.hub.lock().core);
        match core.registration(address, self.is_pattern) {
            Some(Err(error)) => error.kind() == ErrorKind::Timeout,
            _ => true,
        }
    }

    /// Resolves once the server has acknowledged the registration, see [`Completion`].
    pub fn completion(&self) -> Completion {
        if self.is_local {
            return Completion::known(Ok(()));
        }
        let hub = self.handle.hub.clone();
        Completion::of_registration(hub, &self.address, self.is_pattern)
    }

    /// Ends the registration; what is given resolves once the server has acknowledged that.
    pub fn unregister(mut self) -> Completion {
        let Some(id) = self.id.take() else {
            return Completion::known(Ok(()));
        };
        let now = driver::now();
        let mut acknowledged = false;
        let ending = Response::start_bare(&self.handle, |core| {
            let receipt = core.unregister_acknowledged(now, id);
            acknowledged = receipt.is_none();
            receipt.ok_or_else(|| Error::new(ErrorKind::Other, ""))
        });
        self.forget(id);
        if acknowledged { Completion::known(Ok(())) } else { Completion::of_end(ending) }
    }

    fn forget(&self, ConsumerId(id): ConsumerId) {
        let sink = self.handle.hub.lock().sinks.remove(id);
        // Outside of the lock, because it may hold handles of its own.
        drop(sink);
        self.handle.driver.kick();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.handle.hub.lock().core.unregister(id);
            self.forget(id);
        }
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Consumer");
        f.field("address", self.address()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Registration");
        f.field("address", &self.address).finish_non_exhaustive()
    }
}
