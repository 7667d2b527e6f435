//! Messages that wait for the service, pure: wakers come out instead of being called.

use std::collections::VecDeque;
use std::task::Waker;

use bytestring::ByteString;

#[derive(Debug)]
pub(super) struct Inbox {
    queue: VecDeque<ByteString>,
    bytes: usize,
    max_len: usize,
    max_bytes: usize,
    ended: bool,
    reader: Option<Waker>,
    writers: Vec<Waker>,
}

/// What the reader found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Message(ByteString),
    Ended,
    Empty,
}

impl Inbox {
    pub(super) fn new(max_len: usize, max_bytes: usize) -> Self {
        Self {
            // A client that keeps to its turn never has more waiting.
            queue: VecDeque::with_capacity(1),
            bytes: 0,
            max_len: max_len.max(1),
            max_bytes: max_bytes.max(1),
            ended: false,
            reader: None,
            writers: Vec::new(),
        }
    }

    /// An ended inbox has space: it drops what comes.
    pub(super) fn has_space(&self) -> bool {
        self.ended || (self.queue.len() < self.max_len && self.bytes < self.max_bytes)
    }

    /// Messages that wait, and their bytes.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.queue.len(), self.bytes)
    }

    /// Takes a message; gives the reader that waits for it.
    pub(super) fn push(&mut self, message: ByteString) -> Option<Waker> {
        if self.ended {
            return None;
        }
        self.bytes += message.len();
        self.queue.push_back(message);
        self.reader.take()
    }

    pub(super) fn pop(&mut self) -> Next {
        match self.queue.pop_front() {
            Some(message) => {
                self.bytes -= message.len();
                Next::Message(message)
            }
            None if self.ended => Next::Ended,
            None => Next::Empty,
        }
    }

    /// Writers that can go on, to be woken once the lock is gone.
    pub(super) fn writers(&mut self) -> Vec<Waker> {
        if self.has_space() { std::mem::take(&mut self.writers) } else { Vec::new() }
    }

    pub(super) fn wait_for_message(&mut self, waker: &Waker) {
        match &mut self.reader {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    pub(super) fn wait_for_space(&mut self, waker: &Waker) {
        if !self.writers.iter().any(|known| known.will_wake(waker)) {
            self.writers.push(waker.clone());
        }
    }

    /// No more messages; what is queued can still be read.
    pub(super) fn end(&mut self) -> (Option<Waker>, Vec<Waker>) {
        self.ended = true;
        (self.reader.take(), std::mem::take(&mut self.writers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> ByteString {
        ByteString::from_static(text)
    }

    #[test]
    fn space_is_counted_in_messages_and_in_bytes() {
        let mut inbox = Inbox::new(2, 5);
        inbox.push(text("12345"));
        assert!(!inbox.has_space());
        inbox.pop();
        inbox.push(text("1"));
        assert!(inbox.has_space());
        inbox.push(text("2"));
        assert!(!inbox.has_space());
    }

    #[test]
    fn an_ended_inbox_gives_what_it_has_and_drops_what_comes() {
        let mut inbox = Inbox::new(1, 100);
        inbox.push(text("a"));
        inbox.end();
        inbox.push(text("b"));
        assert!(inbox.has_space());
        assert_eq!(inbox.pop(), Next::Message(text("a")));
        assert_eq!(inbox.pop(), Next::Ended);
    }
}
