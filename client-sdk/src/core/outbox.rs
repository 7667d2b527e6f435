//! Envelopes that wait for the connection, in order and bounded.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use trolleybus_protocol::json::quote_into;

use super::output::RequestId;

/// One upload carries envelopes up to this many bytes, or a single larger one.
const BATCH_BYTES: usize = 64 << 10;

/// What an envelope is to the outbox.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parcel {
    /// A message; it waits for the next connection when there is none.
    Message(Option<RequestId>),
    /// A reply; it is worth nothing on another connection.
    Reply(Option<RequestId>),
    /// As a reply, but there is one at most.
    Ping,
    /// What the connection itself has to say: told anew, or pointless, on another one.
    Control(Option<RequestId>),
}

pub(super) struct Outbox {
    queue: VecDeque<(Parcel, String)>,
    /// Bytes of messages and replies in the queue.
    bytes: usize,
    len_max: usize,
    bytes_max: usize,
}

impl Outbox {
    pub(super) fn new(len_max: usize, bytes_max: usize) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, len_max, bytes_max }
    }

    /// Whether one more of `bytes` bytes is within the bounds.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let heavy = self.bytes > 0 && self.bytes + bytes > self.bytes_max;
        !heavy && self.queue.len() < self.len_max
    }

    /// Adds a message or reply for which there is room.
    pub(super) fn push(&mut self, parcel: Parcel, text: String) {
        self.bytes += text.len();
        self.queue.push_back((parcel, text));
    }

    /// Drops the message that waits longest.
    pub(super) fn drop_oldest(&mut self) -> Option<Parcel> {
        let is_message = |(parcel, _): &(Parcel, String)| matches!(parcel, Parcel::Message(_));
        let (parcel, text) = self.queue.remove(self.queue.iter().position(is_message)?)?;
        self.release(&parcel, &text);
        Some(parcel)
    }

    /// Adds what the connection itself has to say, beyond the bound: there is one ping at most, and
    /// what was taken back before it left makes up for what was added.
    pub(super) fn push_control(&mut self, parcel: Parcel, text: String) {
        let repeats =
            parcel == Parcel::Ping && self.queue.iter().any(|(queued, _)| *queued == Parcel::Ping);
        if !repeats {
            self.queue.push_back((parcel, text));
        }
    }

    /// Puts `first` before everything else.
    pub(super) fn lead_with(&mut self, first: Vec<(Parcel, String)>) {
        let waiting = core::mem::take(&mut self.queue);
        self.queue.extend(first);
        self.queue.extend(waiting);
    }

    /// The next upload as a JSON array; `taken` is told of each envelope in it.
    pub(super) fn next_upload(&mut self, mut taken: impl FnMut(Parcel)) -> Option<String> {
        let (mut array, mut size) = (String::new(), 0);
        while let Some((_, text)) = self.queue.front() {
            if size > 0 && size + text.len() > BATCH_BYTES {
                break;
            }
            array.push(if size == 0 { '[' } else { ',' });
            quote_into(&mut array, text);
            size += text.len();
            if let Some((parcel, text)) = self.queue.pop_front() {
                self.release(&parcel, &text);
                taken(parcel);
            }
        }
        array.push(']');
        (size > 0).then_some(array)
    }

    /// Drops what only counted on the connection that was lost.
    pub(super) fn drop_link_bound(&mut self) {
        self.retain(|parcel| matches!(parcel, Parcel::Message(_)));
    }

    /// Takes back what waits for an answer and was not sent yet; tells whether there was such.
    pub(super) fn take_back(&mut self, request: RequestId) -> bool {
        let len = self.queue.len();
        self.retain(|parcel| match parcel {
            Parcel::Message(id) | Parcel::Reply(id) | Parcel::Control(id) => *id != Some(request),
            Parcel::Ping => true,
        });
        self.queue.len() < len
    }

    /// Whether anything waits that only counts on the present connection.
    pub(super) fn is_link_bound(&self) -> bool {
        self.queue.iter().any(|(parcel, _)| !matches!(parcel, Parcel::Message(_)))
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn retain(&mut self, keep: impl Fn(&Parcel) -> bool) {
        let queue = core::mem::take(&mut self.queue);
        for (parcel, text) in queue {
            if keep(&parcel) {
                self.queue.push_back((parcel, text));
            } else {
                self.release(&parcel, &text);
            }
        }
    }

    fn release(&mut self, parcel: &Parcel, text: &str) {
        if let Parcel::Message(_) | Parcel::Reply(_) = parcel {
            self.bytes -= text.len();
        }
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No texts: a token may be among them.
        f.debug_struct("Outbox").field("len", &self.queue.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds a message if there is room.
    fn message(outbox: &mut Outbox, text: &str) -> bool {
        let has_room = outbox.has_room(text.len());
        if has_room {
            outbox.push(Parcel::Message(None), text.to_owned());
        }
        has_room
    }

    fn control(outbox: &mut Outbox, parcel: Parcel, text: &str) {
        outbox.push_control(parcel, text.to_owned());
    }

    #[test]
    fn bounds_hold_and_one_large_message_passes() {
        let mut outbox = Outbox::new(3, 10);
        assert!(message(&mut outbox, "this is longer than ten"));
        assert!(!message(&mut outbox, "x"));
        outbox.next_upload(drop).unwrap();
        for text in ["a", "b", "c"] {
            assert!(message(&mut outbox, text));
        }
        assert!(!message(&mut outbox, "d"));
        assert_eq!(outbox.next_upload(drop).unwrap(), r#"["a","b","c"]"#);
        assert!(outbox.next_upload(drop).is_none() && outbox.bytes == 0);
    }

    #[test]
    fn uploads_are_cut_at_their_size() {
        let mut outbox = Outbox::new(10, 1 << 20);
        let half = "x".repeat(BATCH_BYTES / 2);
        for _ in 0..3 {
            assert!(message(&mut outbox, &half));
        }
        assert_eq!(outbox.next_upload(drop).unwrap().len(), BATCH_BYTES + 7);
        assert_eq!(outbox.next_upload(drop).unwrap().len(), BATCH_BYTES / 2 + 4);
    }

    #[test]
    fn one_ping_waits_and_what_is_taken_back_does_not_leave() {
        let mut outbox = Outbox::new(10, 100);
        let (first, second) = (RequestId(1), RequestId(2));
        control(&mut outbox, Parcel::Control(Some(first)), "r");
        assert!(outbox.take_back(first) && !outbox.take_back(first));
        assert!(outbox.is_empty());
        control(&mut outbox, Parcel::Ping, "p");
        control(&mut outbox, Parcel::Ping, "p");
        control(&mut outbox, Parcel::Control(Some(second)), "r");
        assert_eq!(outbox.next_upload(drop).unwrap(), r#"["p","r"]"#);
        assert!(!outbox.take_back(second));
    }
}
