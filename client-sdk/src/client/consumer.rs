//! Consumers: a stream with a bounded buffer, or a callback.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::Stream;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Address, BusConsumer, BusMessage, ConsumerOptions, Error, MaybeSync};

use super::Message;
use super::handle::Handle;
use super::hub::{AnySink, Sink};
use super::shared::{MaybeSend, Ref, Shared};
use crate::core::{ConsumerId, Scope};

const DISCARDED: &str = "Discarded the request: its consumer does not keep up, or went away";

/// A stream of the messages of one address. Dropping it unregisters; messages not read by then
/// are discarded, and requests among them failed. It ends when the client is closed.
///
/// Several consumers of one address share one registration with the server, and each gets every
/// message.
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

/// A callback's registration. Dropping it unregisters.
pub struct Registration {
    handle: Ref<Handle>,
    address: Address,
    id: ConsumerId,
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
            ended: ended || options.is_pattern,
        });
        let scope = if options.local_only { Scope::Local } else { Scope::Bus };
        // Not spoken yet: patterns, and how the server takes a registration.
        let failure = options.is_pattern.then(|| Error::refused(Refusal::RegistrationFailure));
        let registration = failure.is_none().then(|| {
            let sink: AnySink = Shared::new(Box::new(Queue(buffer.clone())));
            Registration::new(handle, address, scope, sink)
        });
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
        on_discard(message);
    }
    // When the way back is gone the sender knows already.
    let _ = message.fail(-1, DISCARDED);
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
        self.registration.is_some() && !self.buffer.lock().ended
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
        Completion::ready(self.failure.clone().map_or(Ok(()), Err))
    }

    fn unregister(&mut self) -> Completion {
        drop(self.registration.take());
        let mut buffer = self.buffer.lock();
        buffer.ended = true;
        let on_discard = buffer.on_discard.clone();
        let unread = core::mem::take(&mut buffer.queue);
        drop(buffer);
        unread.iter().for_each(|message| discard(message, on_discard.as_ref()));
        Completion::ready(Ok(()))
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
        self.unregister();
    }
}

/// How a registration, its end or a write went.
#[derive(Debug, Clone)]
pub struct Completion(Result<(), Error>);

impl Completion {
    pub(super) fn ready(result: Result<(), Error>) -> Self {
        Self(result)
    }
}

impl Future for Completion {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.0.clone())
    }
}

impl Registration {
    pub(super) fn new(
        handle: &Ref<Handle>,
        address: &Address,
        scope: Scope,
        sink: AnySink,
    ) -> Self {
        let mut hub = handle.hub.lock();
        let id = hub.core.consumer(address, scope);
        if !hub.core.state().is_closed() {
            hub.sinks.set(id.0, sink);
        }
        drop(hub);
        handle.driver.kick();
        Self { handle: handle.clone(), address: address.clone(), id }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut hub = self.handle.hub.lock();
        hub.core.unregister(self.id);
        let sink = hub.sinks.remove(self.id.0);
        drop(hub);
        // Outside of the lock, because it may hold handles of its own.
        drop(sink);
        self.handle.driver.kick();
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
