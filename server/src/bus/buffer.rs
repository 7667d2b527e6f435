//! The bounded buffer between senders and one consumer, and the consumer's demand.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, error::TrySendError};
use trolleybus_protocol::BusMessage as _;

use super::metrics::DiscardReason;
use super::shared::Shared;
use super::{Delivery, Handler, Message};

const UNLIMITED: u64 = u64::MAX;

type OnDiscard = Arc<dyn Fn(&Message) + Send + Sync>;

/// What the two ends of the buffer share beside the messages.
pub(super) struct Flow {
    /// How many more messages the consumer wants.
    demand: AtomicU64,
    /// The task of a consumer that waits for demand; for messages the queue itself wakes it.
    waker: AtomicWaker,
    /// No message can come any more.
    has_ended: AtomicBool,
    on_discard: Mutex<Option<OnDiscard>>,
}

impl Flow {
    fn new() -> Self {
        Self {
            demand: AtomicU64::new(UNLIMITED),
            waker: AtomicWaker::new(),
            has_ended: AtomicBool::new(false),
            on_discard: Mutex::default(),
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.demand.load(SeqCst) > 0
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(SeqCst)
    }

    pub(super) fn wait(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(super) fn pause(&self) {
        self.demand.store(0, SeqCst);
    }

    pub(super) fn resume(&self) {
        self.fetch(UNLIMITED);
    }

    pub(super) fn fetch(&self, messages: u64) {
        let add = |demand: u64| Some(demand.saturating_add(messages));
        let _ = self.demand.fetch_update(SeqCst, SeqCst, add);
        self.waker.wake();
    }

    /// A message was taken.
    pub(super) fn take_one(&self) {
        if self.demand.load(Relaxed) != UNLIMITED {
            // Unless it was paused or resumed meanwhile.
            let take = |demand| (demand != UNLIMITED && demand > 0).then(|| demand - 1);
            let _ = self.demand.fetch_update(SeqCst, SeqCst, take);
        }
    }

    pub(super) fn on_discard(&self, callback: OnDiscard) {
        *self.on_discard.lock() = Some(callback);
    }

    /// Nobody will take the message: tells all who have to know.
    pub(super) fn discard(&self, bus: Option<&Shared>, message: &Message, reason: DiscardReason) {
        if let Some(bus) = bus {
            bus.note_discarded(message.address(), reason);
        }
        let callback = self.on_discard.lock().clone();
        if let Some(callback) = callback {
            callback(message);
        }
        message.discard();
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("demand", &self.demand).finish_non_exhaustive()
    }
}

/// The end that messages go in at: the handler of a consumer.
pub(super) struct Buffer {
    messages: mpsc::Sender<Message>,
    flow: Arc<Flow>,
    bus: Weak<Shared>,
    /// The last message found no room. Said once, not for each message of a flood.
    is_full: AtomicBool,
}

impl Buffer {
    /// Both ends of a buffer for `len` messages, at least one.
    pub(super) fn new(bus: &Arc<Shared>, len: usize) -> (Self, mpsc::Receiver<Message>, Arc<Flow>) {
        let (sender, messages) = mpsc::channel(len.max(1));
        let flow = Arc::new(Flow::new());
        let (bus, is_full) = (Arc::downgrade(bus), AtomicBool::new(false));
        (Self { messages: sender, flow: Arc::clone(&flow), bus, is_full }, messages, flow)
    }

    fn overflow(&self, message: &Message) {
        if !self.is_full.swap(true, Relaxed) {
            let address = message.address();
            tracing::warn!(%address, "a consumer does not keep up, messages are discarded");
        }
        let bus = self.bus.upgrade();
        self.flow.discard(bus.as_deref(), message, DiscardReason::BufferFull);
    }
}

impl Handler for Buffer {
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
                self.overflow(&message);
                Delivery::Taken
            }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.flow.has_ended.store(true, SeqCst);
        self.flow.waker.wake();
    }
}
