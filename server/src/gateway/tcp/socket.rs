//! What one connection holds on the bus, and how messages reach it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{
    TCP_PONG, TcpMessage, tcp_failure_to_json, tcp_message_to_json, tcp_refusal_to_json,
};
use trolleybus_protocol::{Address, Body, BusMessage as _, Error, Headers};

use super::driver::{Ended, clock};
use super::handle::Core;
use super::hooked::Parcel;
use super::outbox::{Closed, Outbox, Phase};
use super::requests::{Awaited, Key, Request, UnderWay};
use crate::access::limits::{Admitted, RegistrationPlace};
use crate::bridge::{EventKind, HookQueue};
use crate::bus::{Delivery, Handler, Message, Registration, ReplySink, Requester, timed_out};
use crate::gateway::rights::Rights;
use crate::gateway::target::Target;

/// One connection's side of the bus.
pub(super) struct TcpSocket {
    pub(super) core: Arc<Core>,
    pub(super) rights: Rights,
    pub(super) limits: Admitted,
    pub(super) outbox: Outbox,
    /// By address, and whether that is a pattern.
    registrations: Mutex<BTreeMap<(Address, bool), (Registration, RegistrationPlace)>>,
    under_way: Mutex<UnderWay>,
    awaited: Mutex<Awaited>,
    /// Its number among the connections of its gateway.
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    /// There when a hook wants to see what goes to the client.
    pub(super) hook_queue: Option<Box<HookQueue<Parcel>>>,
}

impl TcpSocket {
    pub(super) fn new(
        core: Arc<Core>,
        number: u64,
        peer: SocketAddr,
        limits: Admitted,
    ) -> Arc<Self> {
        let wants_receive = core.hook.as_ref().is_some_and(|hook| hook.wants(EventKind::Receive));
        Arc::new(Self {
            limits,
            rights: Rights::new(core.policy.clone(), None),
            outbox: Outbox::new(core.options.max_outbox_size),
            registrations: Mutex::default(),
            under_way: Mutex::default(),
            awaited: Mutex::default(),
            number,
            peer,
            hook_queue: wants_receive.then(Box::default),
            core,
        })
    }

    pub(super) fn push(&self, text: &str) -> Result<(), Closed> {
        self.outbox.push(text).inspect(|()| self.core.counters.sent(text.len()))
    }

    pub(super) fn pong(&self) {
        let _ = self.push(TCP_PONG);
    }

    /// Tells the client that an envelope was refused.
    pub(super) fn refuse(&self, refusal: Refusal, reply_address: Option<&Address>) {
        tracing::debug!(word = refusal.word(), "envelope refused");
        let text = tcp_refusal_to_json(refusal, reply_address.map(Address::as_str));
        let _ = self.push(&text);
    }

    /// An answer that does not come over the bus, such as a receipt.
    pub(super) fn acknowledge(&self, label: &Address, body: &Body) {
        let text = tcp_message_to_json(TcpMessage {
            address: label.as_str(),
            body,
            headers: &Headers::new(),
            reply_address: None,
            is_send: true,
            pattern: None,
        });
        let _ = self.push(&text);
    }

    /// Tells the client what became of a request, or of an envelope with a receipt.
    pub(super) fn fail(&self, reply_address: &Address, address: &Address, error: &Error) {
        let text = tcp_failure_to_json(reply_address.as_str(), address.as_str(), error);
        let _ = self.push(&text);
    }

    /// Whether the client may do anything yet.
    pub(super) fn check_logged_in(&self) -> Result<(), Refusal> {
        let has_to_log_in = self.core.authentication.as_ref().is_some_and(|known| known.required);
        if has_to_log_in && self.rights.is_anonymous() {
            return Err(Refusal::NotLoggedIn);
        }
        Ok(())
    }

    /// Room for one more registration or request?
    pub(super) fn check_quota(&self) -> Result<(), Refusal> {
        let held = self.registrations.lock().len() + self.under_way.lock().len();
        if held < self.core.options.max_handlers_per_socket {
            Ok(())
        } else {
            Err(Refusal::MaxHandlersReached)
        }
    }

    pub(super) fn register(self: &Arc<Self>, target: &Target) -> Result<(), Refusal> {
        let (mut registrations, key) = (self.registrations.lock(), target.key());
        if registrations.contains_key(&key) {
            return Err(Refusal::AddressAlreadyRegistered);
        }
        let place = self.limits.admit_registration(key.0.as_str(), clock())?;
        let handler: Arc<dyn Handler> = Arc::<Self>::clone(self);
        registrations.insert(key, (target.register(&self.core.bus, handler), place));
        Ok(())
    }

    pub(super) fn unregister(&self, target: &Target) -> Result<(), Refusal> {
        let registration = self.registrations.lock().remove(&target.key());
        registration.map(drop).ok_or(Refusal::UnknownAddress)
    }

    /// Notes a request of the client and gives what its answer goes to.
    pub(super) fn expect_answer(
        self: &Arc<Self>,
        reply_address: &Address,
        address: &Address,
        timeout: Option<Duration>,
    ) -> Box<dyn ReplySink> {
        let longest = self.core.options.reply_timeout();
        let request = Request {
            reply_address: reply_address.detached(),
            address: address.detached(),
            timeout: timeout.map_or(longest, |timeout| timeout.min(longest)),
        };
        let key = self.under_way.lock().insert(Instant::now(), request);
        Box::new(ToClient { socket: Arc::clone(self), key })
    }

    pub(super) fn is_awaited(&self, address: &Address) -> bool {
        self.awaited.lock().contains(address)
    }

    pub(super) fn take_awaited(&self, address: &Address) -> Option<Requester> {
        self.awaited.lock().take(address)
    }

    /// When the next request of the client runs out.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.under_way.lock().next_deadline()
    }

    /// Answers what has run out of time: the client's own requests, and those it left unanswered.
    pub(super) fn expire(&self, now: Instant) {
        loop {
            let request = self.under_way.lock().take_overdue(now);
            let Some(Request { reply_address, address, timeout }) = request else { break };
            let error = timed_out(timeout, reply_address.as_str(), address.as_str());
            self.fail(&reply_address, &address, &error);
        }
        loop {
            // Dropping it answers the requester, so not under the lock.
            let requester = self.awaited.lock().take_overdue(now);
            if requester.is_none() {
                break;
            }
        }
    }

    /// Ends everything that this connection holds, and gives what was registered. Those who wait for
    /// its answers are told at once.
    pub(super) fn close(&self) -> Vec<Address> {
        let registrations = std::mem::take(&mut *self.registrations.lock());
        let under_way = std::mem::take(&mut *self.under_way.lock());
        let awaited = std::mem::take(&mut *self.awaited.lock());
        if let Some(queue) = &self.hook_queue {
            queue.clear();
        }
        drop((under_way, awaited));
        registrations.into_keys().map(|(address, _)| address).collect()
    }

    /// Why the connection is over by now, by what became of its outbox.
    pub(super) fn ending(&self) -> Option<Ended> {
        match self.outbox.phase() {
            Phase::Open => None,
            Phase::Finished => Some(Ended::ByApplication),
            Phase::Overflown => Some(Ended::SlowConsumer),
        }
    }

    /// Passes a message on under `address`, remembering its reply address if an answer is wanted.
    fn receive(&self, message: &Message, address: &Address) -> Delivery {
        if message.reply_address().is_some() {
            let options = &self.core.options;
            let deadline = Instant::now() + options.reply_timeout();
            if !self.awaited.lock().insert(deadline, options.max_awaited_replies, message) {
                tracing::debug!("connection has too many requests to answer");
                return Delivery::Gone;
            }
        }
        let Some(queue) = &self.hook_queue else {
            return self.transmit(message, address, message.body(), message.headers());
        };
        if !queue.push(Parcel::new(message, address)) {
            tracing::debug!("overflow before the hook");
            self.outbox.overflow();
        } else if self.outbox.phase() == Phase::Open {
            return Delivery::Taken;
        } else {
            // It came too late to be cleared with the others.
            queue.clear();
        }
        self.forget_awaited(message);
        Delivery::Gone
    }

    /// Writes a message under `address`, with what it says.
    pub(super) fn transmit(
        &self,
        message: &Message,
        address: &Address,
        body: &Body,
        headers: &Headers,
    ) -> Delivery {
        let text = tcp_message_to_json(TcpMessage {
            address: address.as_str(),
            body,
            headers,
            reply_address: message.reply_address().map(Address::as_str),
            is_send: message.is_send(),
            pattern: message.pattern().map(Address::as_str),
        });
        if self.push(&text).is_ok() {
            return Delivery::Taken;
        }
        self.forget_awaited(message);
        Delivery::Gone
    }

    /// Nobody is going to answer this. Who waits is told at once.
    pub(super) fn forget_awaited(&self, message: &Message) {
        if let Some(reply_address) = message.reply_address() {
            drop(self.take_awaited(reply_address));
        }
    }
}

impl Handler for TcpSocket {
    /// Each message is checked, because rules and principal may have changed since the registration.
    fn deliver(&self, message: &Message) -> Delivery {
        let rules = self.rights.bound().outbound;
        match rules.check(message.address().as_str(), message.body()) {
            Ok(()) => self.receive(message, message.address()),
            Err(refusal) => {
                tracing::debug!(word = refusal.word(), "message not permitted to this connection");
                Delivery::Taken
            }
        }
    }
}

/// Where the answer to a client's request goes.
struct ToClient {
    socket: Arc<TcpSocket>,
    key: Key,
}

impl ReplySink for ToClient {
    fn complete(self: Box<Self>, answer: Result<Message, Error>) {
        let request = self.socket.under_way.lock().take(self.key);
        let Some(request) = request else { return };
        match answer {
            Ok(reply) => {
                self.socket.receive(&reply, &request.reply_address);
            }
            Err(error) => self.socket.fail(&request.reply_address, &request.address, &error),
        }
    }
}
