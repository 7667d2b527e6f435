//! Messages that wait to be sent, and how sending ends; pure: wakers come out instead of being called.

use std::collections::VecDeque;
use std::task::Waker;

use super::{Offered, Outgoing, SendError};
use trolleybus_protocol::codes::Close;

/// Queues above this length give their memory back once they are empty.
const KEPT_CAPACITY: usize = 64;

/// A close by the server, to be told to the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: Box<str>,
    /// The peer does not read: do not wait for it.
    pub(crate) is_overflow: bool,
}

#[derive(Debug)]
enum State {
    Open,
    Closing(Closing),
    /// The transport is gone, after this close if there was one.
    Gone(Option<Closing>),
}

#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Outgoing>,
    bytes: usize,
    max_bytes: usize,
    state: State,
    reader: Option<Waker>,
    closer: Option<Waker>,
}

/// What the transport found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Messages, now in the batch.
    Messages,
    /// Nothing; the transport is woken when that changes.
    Empty,
    /// No more messages, tell the peer.
    Closing(Closing),
    /// The transport itself is gone.
    Gone,
}

impl Outbox {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            max_bytes,
            state: State::Open,
            reader: None,
            closer: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    pub(super) fn closing(&self) -> Option<&Closing> {
        match &self.state {
            State::Closing(closing) => Some(closing),
            _ => None,
        }
    }

    /// Messages that wait, and the bytes that count against the limit.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.queue.len(), self.bytes)
    }

    /// How this side closed, whether or not the transport is gone since.
    pub(super) fn ending(&self) -> Option<&Closing> {
        match &self.state {
            State::Closing(closing) | State::Gone(Some(closing)) => Some(closing),
            State::Open | State::Gone(None) => None,
        }
    }

    /// Takes a message; gives the transport that waits for it.
    pub(super) fn push(&mut self, message: Outgoing) -> Result<Option<Waker>, SendError> {
        if !self.is_open() {
            return Err(SendError::Closed);
        }
        let cost = message.cost();
        if self.bytes > 0 && self.bytes + cost > self.max_bytes {
            return Err(SendError::Overflow);
        }
        self.bytes += cost;
        self.queue.push_back(message);
        Ok(self.reader.take())
    }

    /// Takes a message only while less than `below` bytes wait: it may be kept back instead.
    pub(super) fn offer(
        &mut self,
        message: Outgoing,
        below: usize,
    ) -> Result<Option<Waker>, Offered> {
        if !self.is_open() {
            return Err(Offered::Closed);
        }
        if self.bytes > 0 && self.bytes + message.cost() > below.min(self.max_bytes) {
            return Err(Offered::NoRoom(message));
        }
        self.bytes += message.cost();
        self.queue.push_back(message);
        Ok(self.reader.take())
    }

    /// Ends sending after what is queued. The first close counts; false for later ones.
    pub(super) fn close(&mut self, code: u16, reason: &str) -> bool {
        let was_open = self.is_open();
        if was_open {
            let reason = fitting(reason).into();
            self.state = State::Closing(Closing { code, reason, is_overflow: false });
        }
        was_open
    }

    /// Ends sending at once.
    pub(super) fn overflow(&mut self) {
        if !self.is_open() {
            return;
        }
        let Close { code, reason, .. } = Close::SLOW_CONSUMER;
        self.state = State::Closing(Closing { code, reason: reason.into(), is_overflow: true });
        self.queue = VecDeque::new();
    }

    /// The transport is gone.
    pub(super) fn lose(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Gone(None)) {
            State::Open => State::Gone(None),
            State::Closing(closing) => State::Gone(Some(closing)),
            gone @ State::Gone(_) => gone,
        };
        self.queue = VecDeque::new();
    }

    /// The transport looks again by itself: nobody has to wake it until it has.
    pub(super) fn disarm(&mut self) {
        self.reader = None;
    }

    pub(super) fn reader(&mut self) -> Option<Waker> {
        self.reader.take()
    }

    pub(super) fn wakers(&mut self) -> (Option<Waker>, Option<Waker>) {
        (self.reader.take(), self.closer.take())
    }

    /// Moves all messages into `batch`, which must be empty; `sent` is the cost of earlier ones
    /// that have left for the network.
    pub(super) fn take(
        &mut self,
        batch: &mut VecDeque<Outgoing>,
        sent: usize,
        waker: &Waker,
    ) -> Taken {
        self.settle(sent);
        if !self.queue.is_empty() {
            if batch.capacity() > KEPT_CAPACITY {
                *batch = VecDeque::new();
            }
            std::mem::swap(batch, &mut self.queue);
            return Taken::Messages;
        }
        match &self.state {
            State::Open => {
                self.reader = Some(waker.clone());
                Taken::Empty
            }
            State::Closing(closing) => Taken::Closing(closing.clone()),
            State::Gone(_) => Taken::Gone,
        }
    }

    pub(super) fn settle(&mut self, sent: usize) {
        self.bytes = self.bytes.saturating_sub(sent);
    }

    /// For a transport that cannot write now: it is woken when sending ends.
    pub(super) fn wait_for_close(&mut self, waker: &Waker) {
        self.closer = Some(waker.clone());
    }
}

/// The front of `reason` that fits a WebSocket close frame.
fn fitting(reason: &str) -> &str {
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(outbox: &mut Outbox) -> (Taken, usize) {
        let mut batch = VecDeque::new();
        let taken = outbox.take(&mut batch, 0, Waker::noop());
        (taken, batch.len())
    }

    #[test]
    fn an_empty_outbox_takes_any_message_and_a_full_one_none() {
        let mut outbox = Outbox::new(100);
        assert!(outbox.push("x".repeat(1000).into()).is_ok());
        assert!(matches!(outbox.push("y".into()), Err(SendError::Overflow)));
    }

    #[test]
    fn bytes_count_until_they_are_sent() {
        let mut outbox = Outbox::new(100);
        let message = Outgoing::from("x");
        outbox.push(message.clone()).unwrap();
        assert_eq!(taken(&mut outbox), (Taken::Messages, 1));
        assert!(outbox.push(message.clone()).is_err());
        outbox.take(&mut VecDeque::new(), message.cost(), Waker::noop());
        assert!(outbox.push(message).is_ok());
    }

    #[test]
    fn what_is_offered_leaves_room_for_the_rest() {
        let mut outbox = Outbox::new(1000);
        assert!(outbox.offer("x".repeat(500).into(), 100).is_ok());
        assert!(matches!(outbox.offer("y".into(), 100), Err(Offered::NoRoom(_))));
        assert!(outbox.push("z".into()).is_ok());
        outbox.close(3000, "Go away!");
        assert!(matches!(outbox.offer("y".into(), 1000), Err(Offered::Closed)));
    }

    #[test]
    fn queued_messages_go_before_the_close() {
        let mut outbox = Outbox::new(100);
        outbox.push("x".into()).unwrap();
        assert!(outbox.close(3000, "Go away!"));
        assert!(!outbox.close(4000, "later"));
        assert!(matches!(outbox.push("y".into()), Err(SendError::Closed)));
        assert_eq!(taken(&mut outbox), (Taken::Messages, 1));
        let (Taken::Closing(closing), 0) = taken(&mut outbox) else { panic!("not closing") };
        assert_eq!((closing.code, &*closing.reason), (3000, "Go away!"));
    }

    #[test]
    fn an_overflow_drops_the_queue() {
        let mut outbox = Outbox::new(100);
        outbox.push("x".into()).unwrap();
        outbox.overflow();
        assert!(matches!(taken(&mut outbox), (Taken::Closing(Closing { code: 3001, .. }), 0)));
    }

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(fitting(&"ü".repeat(100)).len(), 122);
        assert_eq!(fitting("short"), "short");
    }
}
