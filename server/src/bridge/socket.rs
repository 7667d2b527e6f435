//! What one socket holds on the bus, and how messages reach it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{failure_to_json, rec_to_json, refusal_to_json};
use trolleybus_protocol::{Address, BusMessage as _, Error, Overflow};

use super::awaited::Awaited;
use super::handle::Core;
use super::overflow::{Backlog, Lane};
use super::pending::{Pending, PendingKey, Request};
use crate::access::Verdict;
use crate::access::limits::{Admitted, RegistrationPlace};
use crate::bus::{Delivery, Handler, Message, Registration, ReplySink, timed_out};
use crate::session::{Outgoing, SendError, SocketSender};

/// One socket's side of the bridge. It is a handler of the bus for every address that its rules
/// permit whatever the body.
pub(super) struct BridgeSocket {
    pub(super) core: Arc<Core>,
    pub(super) limits: Admitted,
    sender: SocketSender,
    /// Sorted by address.
    registrations: Mutex<Vec<Held>>,
    /// Made for the first registration that may lose messages.
    backlog: OnceLock<Arc<Backlog>>,
    pending: Mutex<Pending>,
    awaited: Mutex<Awaited>,
}

impl BridgeSocket {
    pub(super) fn new(core: Arc<Core>, sender: SocketSender, limits: Admitted) -> Arc<Self> {
        Arc::new(Self {
            core,
            limits,
            sender,
            registrations: Mutex::default(),
            backlog: OnceLock::new(),
            pending: Mutex::default(),
            awaited: Mutex::default(),
        })
    }

    /// Tells the client that an envelope was refused.
    pub(super) fn refuse(&self, refusal: Refusal, reply_address: Option<&Address>) {
        tracing::debug!(word = refusal.word(), "envelope refused");
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
        overflow: Overflow,
    ) -> Result<(), Refusal> {
        let mut registrations = self.registrations.lock();
        let Err(index) = registrations.binary_search_by(|held| held.address().cmp(address)) else {
            return Err(Refusal::AddressAlreadyRegistered);
        };
        let now = Instant::now().into_std();
        let place = self.limits.admit_registration(address.as_str(), now)?;
        let lane = (overflow != Overflow::Close).then(|| self.lane(overflow));
        let socket = Arc::clone(self);
        let checks_bodies = verdict == Verdict::DependsOnMessage;
        let handler: Arc<dyn Handler> = match &lane {
            Some(lane) => Arc::new(Losing { socket, lane: Arc::clone(lane), checks_bodies }),
            None if checks_bodies => Arc::new(CheckingEachBody(socket)),
            None => socket,
        };
        let registration = self.core.bus.register(address, handler);
        registrations.insert(index, Held { registration, lane, _place: place });
        Ok(())
    }

    /// A way to the client that loses messages rather than the socket.
    fn lane(&self, overflow: Overflow) -> Arc<Lane> {
        let make = || {
            let Core { options, overflow, .. } = &*self.core;
            Backlog::of(&self.sender, options.overflow, Arc::clone(overflow))
        };
        Arc::new(self.backlog.get_or_init(make).lane(&self.sender, overflow))
    }

    /// Ends a registration; that there is none is no error.
    pub(super) fn unregister(&self, address: &Address) {
        let mut registrations = self.registrations.lock();
        if let Ok(place) = registrations.binary_search_by(|held| held.address().cmp(address)) {
            let held = registrations.remove(place);
            drop(registrations);
            self.end(held);
        }
    }

    /// Notes a request of the client and gives what its answer goes to.
    pub(super) fn expect_answer(
        self: &Arc<Self>,
        reply_address: &Address,
        address: &Address,
        timeout: Option<Duration>,
    ) -> Box<dyn ReplySink> {
        let longest = self.core.options.reply_timeout;
        let request = Request {
            reply_address: reply_address.detached(),
            address: address.detached(),
            timeout: timeout.map_or(longest, |timeout| timeout.min(longest)),
        };
        let key = self.pending.lock().insert(Instant::now(), request);
        Box::new(ToClient { socket: Arc::clone(self), key })
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
        drop((pending, awaited));
        for held in registrations {
            self.end(held);
        }
    }

    /// What is kept back of the registration goes, and its requesters are told.
    fn end(&self, held: Held) {
        let Held { registration, lane, _place } = held;
        drop(registration);
        self.discard(lane.map(|lane| lane.close()).unwrap_or_default());
    }

    /// Requests whose answers are not awaited any more: dropping one answers its requester.
    fn discard(&self, requests: Vec<Address>) {
        for address in requests {
            drop(self.take_awaited(&address));
        }
    }

    /// Sends a `rec` envelope, remembering the reply address if an answer is wanted.
    fn receive(&self, message: &Message, make: impl FnOnce() -> Outgoing) -> Delivery {
        self.receive_by(None, message, make)
    }

    /// The same, by a lane if there is one.
    fn receive_by(
        &self,
        lane: Option<&Lane>,
        message: &Message,
        make: impl FnOnce() -> Outgoing,
    ) -> Delivery {
        if message.reply_address().is_some() {
            let options = &self.core.options;
            let (timeout, limit) = (options.reply_timeout, options.max_awaited_replies);
            if !self.awaited.lock().insert(Instant::now(), timeout, limit, message) {
                tracing::debug!("socket has too many requests to answer");
                return Delivery::Gone;
            }
        }
        if self.dispatch(lane, message, make()) {
            return Delivery::Taken;
        }
        if let Some(address) = message.reply_address() {
            drop(self.take_awaited(address));
        }
        Delivery::Gone
    }

    /// Queues an envelope; false when the socket is closed.
    fn dispatch(&self, lane: Option<&Lane>, message: &Message, outgoing: Outgoing) -> bool {
        let Some(lane) = lane else {
            let sent = self.sender.send(outgoing);
            if sent == Err(SendError::Overflow) {
                self.core.overflow.count(Overflow::Close, 1);
            }
            return sent.is_ok();
        };
        let sent = lane.send(message.address(), outgoing, message.reply_address());
        let is_sent = sent.is_ok();
        self.discard(sent.unwrap_or_default());
        is_sent
    }

    fn deliver_by(&self, lane: Option<&Lane>, message: &Message) -> Delivery {
        let encode = || encode(message, message.address());
        if message.is_send() {
            self.receive_by(lane, message, encode)
        } else {
            self.receive_by(lane, message, || message.encoded(encode))
        }
    }

    fn permits(&self, message: &Message) -> bool {
        let rules = &self.core.rules.outbound;
        let checked = rules.check(message.address().as_str(), message.body());
        if let Err(refusal) = checked {
            tracing::debug!(word = refusal.word(), "message not permitted to this socket");
        }
        checked.is_ok()
    }
}

/// A registration, with the places that it takes. The bus forgets it first.
struct Held {
    registration: Registration,
    lane: Option<Arc<Lane>>,
    _place: RegistrationPlace,
}

impl Held {
    fn address(&self) -> &Address {
        self.registration.address()
    }
}

impl Handler for BridgeSocket {
    fn deliver(&self, message: &Message) -> Delivery {
        self.deliver_by(None, message)
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
        if self.0.permits(message) { self.0.deliver(message) } else { Delivery::Taken }
    }
}

/// The handler for registrations that lose messages when the client does not keep up.
struct Losing {
    socket: Arc<BridgeSocket>,
    lane: Arc<Lane>,
    checks_bodies: bool,
}

impl Handler for Losing {
    fn deliver(&self, message: &Message) -> Delivery {
        if self.checks_bodies && !self.socket.permits(message) {
            return Delivery::Taken;
        }
        self.socket.deliver_by(Some(&self.lane), message)
    }
}

/// Where the answer to a client's request goes.
struct ToClient {
    socket: Arc<BridgeSocket>,
    key: PendingKey,
}

impl ReplySink for ToClient {
    fn complete(self: Box<Self>, answer: Result<Message, Error>) {
        let request = self.socket.pending.lock().take(self.key);
        let Some(request) = request else { return };
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
