//! What one socket holds on the bus, and who is behind it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::time::Instant;
use trolleybus_protocol::codes::{Close, Refusal};
use trolleybus_protocol::envelope::{failure_to_json, refusal_to_json};
use trolleybus_protocol::{Address, Error};

use super::awaited::Awaited;
use super::core::Core;
use super::delivery::{Parcel, ToClient};
use super::hooks::{EventKind, HookQueue};
use super::overflow::Backlog;
use super::pending::{Pending, Request};
use super::registrations::{Judged, Registrations};
use super::rights::Rights;
use super::sockets::SocketId;
use super::stats::RequestOutcome;
use crate::access::limits::Admitted;
use crate::bus::{ReplySink, Requester, is_reply_address, timed_out};
use crate::session::{Outgoing, Socket, SocketSender};
use crate::trace::Span;

/// One socket's side of the bridge. It is a handler of the bus for every plain address that its
/// rules permit whatever the body.
pub(super) struct BridgeSocket {
    pub(super) core: Arc<Core>,
    pub(super) id: SocketId,
    pub(super) sender: SocketSender,
    pub(super) limits: Admitted,
    /// Made for the first registration that may lose messages.
    pub(super) backlog: OnceLock<Arc<Backlog>>,
    /// In milliseconds since 1970, half the size of a time.
    opened: u64,
    pub(super) rights: Rights,
    pub(super) registrations: Mutex<Registrations>,
    /// How many registrations there are, for those who need not wait for them.
    pub(super) registered: AtomicU32,
    pub(super) judged: Judged,
    pub(super) pending: Mutex<Pending>,
    pub(super) awaited: Mutex<Awaited>,
    /// There when a hook wants to see what goes to the client.
    pub(super) hook_queue: Option<Box<HookQueue<Parcel>>>,
    /// Envelopes of the client so far; only its own task counts.
    pub(super) envelopes: AtomicU64,
    /// Closed by the bridge: what the client has sent is not carried out any more.
    is_barred: AtomicBool,
}

impl BridgeSocket {
    pub(super) fn open(core: Arc<Core>, socket: &Socket, limits: Admitted) -> Arc<Self> {
        let wants_receive = core.hook.as_ref().is_some_and(|hook| hook.wants(EventKind::Receive));
        let socket = Arc::new(Self {
            id: socket.info().id().into(),
            sender: socket.sender(),
            limits,
            backlog: OnceLock::new(),
            opened: since_1970(),
            rights: Rights::new(&core.policy),
            registrations: Mutex::default(),
            registered: AtomicU32::new(0),
            judged: Judged::never(),
            pending: Mutex::default(),
            awaited: Mutex::default(),
            hook_queue: wants_receive.then(Box::default),
            envelopes: AtomicU64::new(0),
            is_barred: AtomicBool::new(false),
            core,
        });
        socket.core.sockets.insert(&socket);
        socket
    }

    pub(super) fn opened(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.opened)
    }

    /// Tells the client something.
    pub(super) fn tell(&self, text: String) {
        let _ = self.sender.send(Outgoing::from(text));
    }

    /// Tells the client that an envelope was refused; `label` is where it waits for the outcome.
    pub(super) fn refuse(&self, refusal: Refusal, label: Option<&Address>, address: &Address) {
        tracing::debug!(socket = %self.id, %address, reason = refusal.word(), "envelope refused");
        self.core.counters.refused(refusal);
        self.tell(refusal_to_json(refusal, label.map(Address::as_str)));
    }

    /// Closes the socket by the bridge's own decision: nothing more of the client is carried out.
    pub(super) fn close_with(&self, close: Close) {
        self.close_as(close.code, close.reason);
    }

    /// As [`Self::close_with`], with a code that is not in the table.
    pub(super) fn close_as(&self, code: u16, reason: &str) {
        tracing::debug!(socket = %self.id, code, reason, "closing a socket");
        self.is_barred.store(true, Ordering::Relaxed);
        self.sender.close(code, reason);
    }

    /// True once the bridge has closed the socket by its own decision.
    pub(super) fn is_barred(&self) -> bool {
        self.is_barred.load(Ordering::Relaxed)
    }

    /// Counts an envelope of the client, from its own task.
    pub(super) fn count_envelope(&self) {
        self.envelopes.store(self.envelopes.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Room for one more registration or request?
    pub(super) fn check_quota(&self) -> Result<(), Refusal> {
        let registered = self.registered.load(Ordering::Relaxed) as usize;
        let held = registered + self.pending.lock().len();
        if held < self.core.options.max_handlers_per_socket {
            Ok(())
        } else {
            Err(Refusal::MaxHandlersReached)
        }
    }

    /// Notes a request of the client and gives what its answer goes to.
    pub(super) fn expect_answer(
        self: &Arc<Self>,
        now: Instant,
        reply_address: Address,
        address: &Address,
        timeout: Option<Duration>,
        span: Span,
    ) -> Box<dyn ReplySink> {
        let longest = self.core.options.reply_timeout;
        let request = Request {
            reply_address,
            address: address.clone(),
            timeout: timeout.map_or(longest, |timeout| timeout.min(longest)),
        };
        self.core.counters.request_began();
        let key = self.pending.lock().insert(now, request);
        Box::new(ToClient { socket: Arc::clone(self), key, span })
    }

    /// Answers a request of the client without the bus.
    pub(super) fn fail_request(&self, reply_address: &Address, error: &Error) {
        self.tell(failure_to_json(reply_address.as_str(), error));
    }

    pub(super) fn is_awaited(&self, address: &Address) -> bool {
        is_reply_address(address) && self.awaited.lock().contains(address)
    }

    pub(super) fn take_awaited(&self, address: &Address) -> Option<Requester> {
        self.awaited.lock().take(address)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.pending.lock().next_deadline()
    }

    /// Answers what has run out of time: the client's own requests, and those it left unanswered.
    pub(super) fn expire(&self, now: Instant) {
        loop {
            let request = self.pending.lock().take_overdue(now);
            let Some(request) = request else { break };
            self.core.counters.request_ended(RequestOutcome::Timeout, request.timeout);
            let reply_address = request.reply_address.as_str();
            let error = timed_out(request.timeout, reply_address, request.address.as_str());
            self.tell(failure_to_json(reply_address, &error));
        }
        loop {
            // Dropping it answers the requester, so not under the lock.
            let requester = self.awaited.lock().take_overdue(now);
            if requester.is_none() {
                break;
            }
        }
    }

    /// Ends everything that this socket holds, and gives what was registered. Those who wait for
    /// its answers are told at once.
    pub(super) fn close(&self) -> Vec<Address> {
        self.core.sockets.remove(self.id);
        let addresses = self.end_registrations();
        let pending = std::mem::take(&mut *self.pending.lock());
        let awaited = std::mem::take(&mut *self.awaited.lock());
        if let Some(queue) = &self.hook_queue {
            queue.clear();
        }
        self.core.counters.requests_abandoned(pending.len());
        drop((pending, awaited));
        addresses
    }
}

fn since_1970() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for BridgeSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BridgeSocket").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_socket_stays_small() {
        // With the counts of an `Arc` it fills the allocator's class of 256 bytes.
        let size = size_of::<BridgeSocket>();
        assert!(size <= 240, "{size}");
    }
}
