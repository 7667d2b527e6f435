//! What one socket holds on the bus, and how messages reach it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{failure_to_json, rec_to_json, refusal_to_json};
use trolleybus_protocol::{Address, BusMessage as _, Error};

use super::awaited::Awaited;
use super::handle::Core;
use super::pending::{Pending, PendingKey, Request};
use super::stats::Outcome;
use crate::access::Verdict;
use crate::bus::{Delivery, Handler, Message, Registration, ReplySink, timed_out};
use crate::session::{Outgoing, SocketSender};
use crate::trace::Span;

/// One socket's side of the bridge. It is a handler of the bus for every address that its rules
/// permit whatever the body.
pub(super) struct BridgeSocket {
    pub(super) core: Arc<Core>,
    sender: SocketSender,
    /// Sorted by address.
    registrations: Mutex<Vec<Registration>>,
    pending: Mutex<Pending>,
    awaited: Mutex<Awaited>,
}

impl BridgeSocket {
    pub(super) fn new(core: Arc<Core>, sender: SocketSender) -> Arc<Self> {
        Arc::new(Self {
            core,
            sender,
            registrations: Mutex::default(),
            pending: Mutex::default(),
            awaited: Mutex::default(),
        })
    }

    /// Tells the client that an envelope was refused.
    pub(super) fn refuse(&self, refusal: Refusal, reply_address: Option<&Address>) {
        tracing::debug!(word = refusal.word(), "envelope refused");
        self.core.counters.refused(refusal);
        let reply_address = reply_address.map(Address::as_str);
        let _ = self.sender.send(Outgoing::from(refusal_to_json(refusal, reply_address)));
    }

    /// Room for one more registration or request?
    pub(super) fn check_quota(&self) -> Result<(), Refusal> {
        let held = self.registrations.lock().len() + self.pending.lock().len();
        if held < self.core.options.max_handlers_per_socket {
            Ok(())
        } else {
            Err(Refusal::MaxHandlersReached)
        }
    }

    /// Registers this socket; the verdict says how much has to be checked for each message.
    pub(super) fn register(
        self: &Arc<Self>,
        address: &Address,
        verdict: Verdict,
    ) -> Result<(), Refusal> {
        let mut registrations = self.registrations.lock();
        let Err(place) = registrations.binary_search_by(|held| held.address().cmp(address)) else {
            return Err(Refusal::AddressAlreadyRegistered);
        };
        let socket = Arc::clone(self);
        let handler: Arc<dyn Handler> = match verdict {
            Verdict::DependsOnMessage => Arc::new(CheckingEachBody(socket)),
            Verdict::Permitted | Verdict::Denied => socket,
        };
        registrations.insert(place, self.core.bus.register(address, handler));
        Ok(())
    }

    /// Ends a registration; that there is none is no error.
    pub(super) fn unregister(&self, address: &Address) {
        let mut registrations = self.registrations.lock();
        if let Ok(place) = registrations.binary_search_by(|held| held.address().cmp(address)) {
            let registration = registrations.remove(place);
            drop(registrations);
            drop(registration);
        }
    }

    /// Notes a request of the client and gives what its answer goes to.
    pub(super) fn expect_answer(
        self: &Arc<Self>,
        reply_address: &Address,
        address: &Address,
        timeout: Option<Duration>,
        span: Span,
    ) -> Box<dyn ReplySink> {
        let longest = self.core.options.reply_timeout;
        let request = Request {
            reply_address: reply_address.detached(),
            address: address.detached(),
            timeout: timeout.map_or(longest, |timeout| timeout.min(longest)),
        };
        self.core.counters.request_began();
        let key = self.pending.lock().insert(Instant::now(), request);
        Box::new(ToClient { socket: Arc::clone(self), key, span })
    }

    pub(super) fn is_awaited(&self, address: &Address) -> bool {
        self.awaited.lock().contains(address)
    }

    pub(super) fn take_awaited(&self, address: &Address) -> Option<Message> {
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
            self.core.counters.request_ended(Outcome::Timeout, request.timeout);
            let reply_address = request.reply_address.as_str();
            let error = timed_out(request.timeout, reply_address, request.address.as_str());
            let _ = self.sender.send(Outgoing::from(failure_to_json(reply_address, &error)));
        }
        loop {
            // Dropping the message answers its requester, so not under the lock.
            let message = self.awaited.lock().take_overdue(now);
            if message.is_none() {
                break;
            }
        }
    }

    /// Ends everything that this socket holds. Those who wait for its answers are told at once.
    pub(super) fn close(&self) {
        let registrations = std::mem::take(&mut *self.registrations.lock());
        let pending = std::mem::take(&mut *self.pending.lock());
        let awaited = std::mem::take(&mut *self.awaited.lock());
        self.core.counters.requests_abandoned(pending.len());
        drop((registrations, pending, awaited));
    }

    /// Sends a `rec` envelope, remembering the reply address if an answer is wanted.
    fn receive(&self, message: &Message, make: impl FnOnce() -> Outgoing) -> Delivery {
        if message.reply_address().is_some() {
            let options = &self.core.options;
            let (timeout, limit) = (options.reply_timeout, options.max_awaited_replies);
            if !self.awaited.lock().insert(Instant::now(), timeout, limit, message) {
                tracing::debug!("socket has too many requests to answer");
                return Delivery::Gone;
            }
        }
        if self.sender.send(make()).is_ok() {
            return Delivery::Taken;
        }
        if let Some(address) = message.reply_address() {
            drop(self.take_awaited(address));
        }
        Delivery::Gone
    }
}

impl Handler for BridgeSocket {
    fn deliver(&self, message: &Message) -> Delivery {
        if message.is_send() {
            self.receive(message, || encode(message, message.address()))
        } else {
            let encode = || encode(message, message.address());
            self.receive(message, || message.encoded(encode))
        }
    }
}

fn encode(message: &Message, address: &Address) -> Outgoing {
    let reply_address = message.reply_address().map(Address::as_str);
    rec_to_json(address.as_str(), message.body(), message.headers(), reply_address).into()
}

/// The handler for addresses whose rules look at the body.
struct CheckingEachBody(Arc<BridgeSocket>);

impl Handler for CheckingEachBody {
    fn deliver(&self, message: &Message) -> Delivery {
        let rules = &self.0.core.rules.outbound;
        match rules.check(message.address().as_str(), message.body()) {
            Ok(()) => self.0.deliver(message),
            Err(refusal) => {
                tracing::debug!(word = refusal.word(), "message not permitted to this socket");
                Delivery::Taken
            }
        }
    }
}

/// Where the answer to a client's request goes.
struct ToClient {
    socket: Arc<BridgeSocket>,
    key: PendingKey,
    span: Span,
}

impl ReplySink for ToClient {
    fn complete(self: Box<Self>, answer: Result<Message, Error>) {
        let request = self.socket.pending.lock().take(self.key);
        let Some(request) = request else { return };
        let outcome = match &answer {
            Ok(_) => Outcome::Reply,
            Err(error) => Outcome::of_error(error.kind()),
        };
        let took = Pending::began(self.key, &request).elapsed();
        self.socket.core.counters.request_ended(outcome, took);
        self.span.end(outcome.as_str(), outcome != Outcome::Reply);
        let address = &request.reply_address;
        match answer {
            Ok(reply) => {
                self.socket.receive(&reply, || encode(&reply, address));
            }
            Err(error) => {
                let text = failure_to_json(address.as_str(), &error);
                let _ = self.socket.sender.send(Outgoing::from(text));
            }
        }
    }
}
