//! One socket's queue, joined with its outbox, and a registration's place in it.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use trolleybus_protocol::{Address, Overflow};

use super::Counters;
use super::queue::{Bounds, Discarded, Kept, LaneId, Queue};
use crate::session::{Offer, Offered, Outgoing, Reserve, SocketSender};

/// Messages kept back for one socket. The socket holds it, so it must not hold the socket.
#[derive(Debug)]
pub(in crate::bridge) struct Backlog {
    queue: Mutex<Queue>,
    counters: Arc<Counters>,
}

impl Backlog {
    /// The queue of a socket, which fills its outbox from it from now on.
    pub(in crate::bridge) fn of(
        sender: &SocketSender,
        bounds: Bounds,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        let queue = Queue::new(sender.info().id().into(), bounds);
        let backlog = Arc::new(Self { queue: Mutex::new(queue), counters });
        sender.keep_back(Arc::clone(&backlog) as Arc<dyn Reserve>);
        backlog
    }

    /// A place for one registration.
    pub(in crate::bridge) fn lane(
        self: &Arc<Self>,
        sender: &SocketSender,
        policy: Overflow,
    ) -> Lane {
        let id = self.queue.lock().open(policy);
        Lane { backlog: Arc::clone(self), sender: sender.clone(), id }
    }
}

impl Reserve for Backlog {
    fn refill(&self, outbox: &mut Offer<'_>) {
        let mut queue = self.queue.lock();
        while let Some(message) = queue.front() {
            if outbox(message).is_err() {
                return;
            }
            queue.pop_front();
        }
    }
}

/// One registration's way to its client. What is kept back of it goes when this is dropped.
pub(in crate::bridge) struct Lane {
    backlog: Arc<Backlog>,
    sender: SocketSender,
    id: LaneId,
}

impl Lane {
    /// Sends a message or keeps it back; gives the reply addresses of requests that were dropped.
    ///
    /// # Errors
    /// When the socket is closed, or the registration is over.
    pub(in crate::bridge) fn send(
        &self,
        address: &Address,
        outgoing: Outgoing,
        reply_address: Option<&Address>,
    ) -> Result<Discarded, Closed> {
        // The outbox is locked within the queue's lock, here and in a refill: what the transport
        // does not find in the one it finds in the other.
        let mut queue = self.backlog.queue.lock();
        if !queue.is_behind(self.id).ok_or(Closed)? {
            let told = queue.telling(self.id, outgoing.clone());
            match self.sender.offer(told) {
                Ok(()) => {
                    queue.told(self.id);
                    return Ok(Discarded::new());
                }
                Err(Offered::Closed) => return Err(Closed),
                Err(Offered::NoRoom(_)) => {}
            }
        } else if self.sender.is_closed() {
            return Err(Closed);
        }
        let kept =
            Kept { address: address.detached(), outgoing, reply_address: reply_address.cloned() };
        Ok(queue.store(self.id, kept, &self.backlog.counters))
    }

    /// Ends it; gives the reply addresses of requests that were kept back.
    pub(in crate::bridge) fn close(&self) -> Discarded {
        self.backlog.queue.lock().close(self.id)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The socket is closed, or the registration is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bridge) struct Closed;
