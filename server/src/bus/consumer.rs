//! Consumers: a stream over a bounded queue, and the guard of a registration.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc::{self, error::TrySendError};
use trolleybus_protocol::{Address, BusMessage as _};

use super::handle::Shared;
use super::stats::count;
use super::{Delivery, Handler, Message};

/// Messages that a consumer's buffer holds unless it is made with another bound.
pub const DEFAULT_BUFFER: usize = 1000;

/// A registration on the bus. It ends when this is dropped.
pub struct Registration {
    bus: Arc<Shared>,
    address: Address,
    id: u64,
}

impl Registration {
    pub(super) fn new(bus: Arc<Shared>, address: Address, id: u64) -> Self {
        Self { bus, address, id }
    }

    /// The registered address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.bus.unregister(&self.address, self.id);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(&self.address).finish()
    }
}

/// The messages of one address, as a stream. It ends when the bus closes; dropping it
/// unregisters. Messages wait in a buffer of bounded length; one that arrives while the buffer
/// is full is discarded and counted, and its requester is told at once.
#[derive(Debug)]
pub struct Consumer {
    messages: mpsc::Receiver<Message>,
    registration: Registration,
}

impl Consumer {
    pub(super) fn new(messages: mpsc::Receiver<Message>, registration: Registration) -> Self {
        Self { messages, registration }
    }

    /// The registered address.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.registration.address()
    }

    /// The next message; `None` once the bus is closed.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// Ends the registration, which dropping does as well. Messages still in the buffer are
    /// discarded, and their requesters told.
    pub fn unregister(self) {}
}

impl Stream for Consumer {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.messages.poll_recv(cx)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.messages.close();
        while let Ok(message) = self.messages.try_recv() {
            count(&self.registration.bus.counters.discarded, 1);
            message.discard();
        }
    }
}

/// The handler behind a [`Consumer`].
pub(super) struct Queue {
    messages: mpsc::Sender<Message>,
    bus: Weak<Shared>,
    /// The last message found no room. Said once, not for each message of a flood.
    is_full: AtomicBool,
}

impl Queue {
    pub(super) fn new(messages: mpsc::Sender<Message>, bus: &Arc<Shared>) -> Self {
        Self { messages, bus: Arc::downgrade(bus), is_full: AtomicBool::new(false) }
    }

    fn discard(&self, message: &Message) {
        if let Some(bus) = self.bus.upgrade() {
            count(&bus.counters.discarded, 1);
        }
        if !self.is_full.swap(true, Relaxed) {
            let address = message.address();
            tracing::warn!(%address, "a consumer does not keep up, messages are discarded");
        }
        message.discard();
    }
}

impl Handler for Queue {
    fn deliver(&self, message: &Message) -> Delivery {
        match self.messages.try_send(message.clone()) {
            Ok(()) => {
                if self.is_full.load(Relaxed) {
                    self.is_full.store(false, Relaxed);
                }
                Delivery::Taken
            }
            Err(TrySendError::Closed(_)) => Delivery::Gone,
            Err(TrySendError::Full(message)) => {
                self.discard(&message);
                Delivery::Taken
            }
        }
    }
}
