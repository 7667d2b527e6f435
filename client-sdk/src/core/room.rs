//! What happens when the outbox is full, and who is told that it has room again.

use alloc::string::String;

use trolleybus_protocol::json::push_integer;
use trolleybus_protocol::{Error, ErrorKind};

use super::connection::Connection;
use super::outbox::Parcel;
use super::output::Event;
use super::requests::Stage;
use crate::OutboxPolicy;

/// What is to be told about room.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// A message found none.
    wanted: bool,
    /// Something has left since.
    freed: bool,
    /// Messages that made way for others and were not reported yet.
    dropped: u64,
}

impl Room {
    /// Something has left a queue.
    pub(super) fn free(&mut self) {
        self.freed = true;
    }

    pub(super) fn want(&mut self) {
        (self.wanted, self.freed) = (true, false);
    }
}

impl Connection {
    /// Whether one more message finds room now. When it does not, [`Event::Room`] tells of the
    /// moment to ask again, as it does after each command that was refused with `Overflow`.
    pub fn has_room(&mut self) -> bool {
        let has_room = self.outbox.has_room(1);
        if !has_room {
            self.room.want();
        }
        has_room
    }

    /// Adds a message or reply to the outbox; the policy says what becomes of the oldest messages
    /// when that is full.
    pub(super) fn enqueue(&mut self, parcel: Parcel, text: String) -> Result<(), Error> {
        if self.options.outbox_policy == OutboxPolicy::DropOldest {
            while !self.outbox.has_room(text.len())
                && let Some(dropped) = self.outbox.drop_oldest()
            {
                self.tell_dropped(&dropped);
            }
        }
        if !self.outbox.has_room(text.len()) {
            return Err(self.overflow("the outbox is full"));
        }
        self.outbox.push(parcel, text);
        Ok(())
    }

    pub(super) fn overflow(&mut self, text: &str) -> Error {
        self.room.want();
        Error::new(ErrorKind::Overflow, text)
    }

    fn tell_dropped(&mut self, dropped: &Parcel) {
        let &Parcel::Message(Some(request)) = dropped else {
            self.room.dropped += 1;
            return;
        };
        self.requests.remove(request);
        let error = Error::new(ErrorKind::Overflow, "made way for newer messages in the outbox");
        self.settle(request, Stage::Queued, Err(error));
    }

    /// What is told when all else has been.
    pub(super) fn room_event(&mut self) -> Option<Event> {
        let dropped = core::mem::take(&mut self.room.dropped);
        if dropped > 0 {
            let mut text = String::new();
            push_integer(&mut text, dropped);
            text.push_str(" messages made way for newer ones in the outbox");
            return Some(Event::Error(Error::new(ErrorKind::Overflow, text)));
        }
        let is_told = self.room.wanted && self.room.freed;
        is_told.then(|| {
            self.room.wanted = false;
            Event::Room
        })
    }
}
