//! Consumers: a stream with a bounded buffer, or a callback.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::Stream;
use trolleybus_protocol::{Address, BusMessage};

use super::Message;
use super::handle::Handle;
use super::hub::{AnySink, Sink};
use super::shared::{Ref, Shared};
use crate::core::{ConsumerId, Scope};

const DISCARDED: &str = "Discarded the request: its consumer does not keep up, or went away";

/// A stream of the messages of one address. Dropping it unregisters; messages not read by then
/// are discarded, and requests among them failed. It ends when the client is closed.
///
/// Several consumers of one address share one registration with the server, and each gets every
/// message.
pub struct Consumer {
    registration: Registration,
    buffer: Shared<Buffer>,
}

/// Messages that the application has not read yet.
#[derive(Debug)]
struct Buffer {
    queue: VecDeque<Message>,
    waker: Option<Waker>,
    len_max: usize,
    dropped: u64,
    ended: bool,
}

/// A callback's registration. Dropping it unregisters.
pub struct Registration {
    handle: Ref<Handle>,
    address: Address,
    id: ConsumerId,
}

impl Consumer {
    pub(super) fn new(handle: &Ref<Handle>, address: &Address, scope: Scope) -> Self {
        let (len_max, ended) = {
            let hub = handle.hub.lock();
            (hub.core.buffer_len(), hub.core.state().is_closed())
        };
        let buffer =
            Shared::new(Buffer { queue: VecDeque::new(), waker: None, len_max, dropped: 0, ended });
        let sink: AnySink = Shared::new(Box::new(Queue(buffer.clone())));
        let registration = Registration::new(handle, address, scope, sink);
        Self { registration, buffer }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.registration.address()
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
            drop(this);
            return discard(&message);
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
fn discard(message: &Message) {
    // When the way back is gone the sender knows already.
    let _ = message.fail(-1, DISCARDED);
}

impl Stream for Consumer {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut buffer = self.buffer.lock();
        match buffer.queue.pop_front() {
            Some(message) => Poll::Ready(Some(message)),
            None if buffer.ended => Poll::Ready(None),
            None => {
                buffer.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let unread = core::mem::take(&mut self.buffer.lock().queue);
        unread.iter().for_each(discard);
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
