//! How messages reach the client: from the bus, past the hook, into the outbox.

use std::sync::Arc;

use tokio::time::Instant;
use trolleybus_protocol::codes::Close;
use trolleybus_protocol::envelope::{
    RecExtras, failure_to_json, rec_with_extras_to_frame, rec_with_extras_to_json,
    with_pattern_to_frame, with_pattern_to_json,
};
use trolleybus_protocol::{Address, BusMessage as _, Error, Overflow};

use super::hooks::{self, EventMessage};
use super::overflow::Lane;
use super::pending::{Pending, PendingKey};
use super::socket::BridgeSocket;
use super::stats::{Discard, RequestOutcome};
use crate::bus::{Delivery, Handler, Message, ReplySink};
use crate::session::{Outgoing, SendError};
use crate::trace::Span;

/// Under what a message goes to the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route<'a> {
    /// The message's own address, or the reply address of the request that it answers.
    pub(super) address: &'a Address,
    /// The registered pattern, if it was one.
    pub(super) pattern: Option<&'a Address>,
    /// How, if messages may get lost rather than the socket.
    pub(super) lane: Option<&'a Arc<Lane>>,
}

/// A message with its route, for those that have to wait.
#[derive(Debug)]
pub(super) struct Parcel {
    message: Message,
    address: Address,
    pattern: Option<Address>,
    lane: Option<Arc<Lane>>,
}

impl Parcel {
    fn new(message: &Message, route: Route<'_>) -> Self {
        Self {
            message: message.clone(),
            address: route.address.clone(),
            pattern: route.pattern.cloned(),
            lane: route.lane.cloned(),
        }
    }

    fn route(&self) -> Route<'_> {
        Route { address: &self.address, pattern: self.pattern.as_ref(), lane: self.lane.as_ref() }
    }
}

impl BridgeSocket {
    /// Takes a message for the client, remembering the reply address if an answer is wanted.
    pub(super) fn receive(&self, message: &Message, route: Route<'_>) -> Delivery {
        if message.reply_address().is_some() {
            let options = &self.core.options;
            let (timeout, limit) = (options.reply_timeout, options.max_awaited_replies);
            if !self.awaited.lock().insert(Instant::now(), timeout, limit, message) {
                self.core.counters.discarded(Discard::TooManyToAnswer);
                self.log_drop(route.address, &"too many requests to answer");
                return Delivery::Gone;
            }
        }
        let Some(queue) = &self.hook_queue else {
            return self.transmit(message, route);
        };
        if queue.push(Parcel::new(message, route)) {
            return Delivery::Taken;
        }
        self.core.counters.discarded(Discard::HookTooSlow);
        self.log_drop(route.address, &"overflow before the hook");
        self.forget_awaited(message);
        self.close_with(Close::SLOW_CONSUMER);
        Delivery::Gone
    }

    fn transmit(&self, message: &Message, route: Route<'_>) -> Delivery {
        self.dispatch(message, route, self.encode(message, route))
    }

    fn dispatch(&self, message: &Message, route: Route<'_>, outgoing: Outgoing) -> Delivery {
        let sent = match route.lane {
            None => self.sender.send(outgoing),
            Some(lane) => {
                let sent = lane.send(message.address(), outgoing, message.reply_address());
                sent.map(|dropped| self.discard(dropped)).map_err(|_| SendError::Closed)
            }
        };
        sent.map_or_else(|error| self.lose(message, route, error), |()| Delivery::Taken)
    }

    /// The socket takes nothing more.
    #[cold]
    fn lose(&self, message: &Message, route: Route<'_>, error: SendError) -> Delivery {
        if error == SendError::Overflow {
            self.core.overflow.count(Overflow::Close, 1);
        }
        self.log_drop(route.address, &error);
        self.forget_awaited(message);
        Delivery::Gone
    }

    /// Requests whose answers are not awaited any more: dropping one answers its requester.
    pub(super) fn discard(&self, requests: Vec<Address>) {
        for address in requests {
            drop(self.take_awaited(&address));
        }
    }

    /// Sends a message as the hook has rewritten it.
    fn send_rewritten(&self, parcel: &Parcel, rewritten: &EventMessage) {
        let address = rewritten.address.as_ref().unwrap_or(&parcel.address);
        let text = rec_with_extras_to_json(
            address.as_str(),
            &rewritten.body,
            &rewritten.headers,
            parcel.message.reply_address().map(Address::as_str),
            RecExtras { pattern: parcel.pattern.as_ref().map(Address::as_str), dropped: 0 },
        );
        self.dispatch(&parcel.message, parcel.route(), text.into());
    }

    fn forget_awaited(&self, message: &Message) {
        if let Some(address) = message.reply_address() {
            drop(self.take_awaited(address));
        }
    }

    /// Why this socket did not get a message.
    pub(super) fn log_drop(&self, address: &Address, reason: &dyn std::fmt::Display) {
        tracing::debug!(socket = %self.id, %address, %reason, "message not delivered to a socket");
    }
}

impl hooks::Parcel for Parcel {
    fn message(&self) -> &Message {
        &self.message
    }

    fn address(&self) -> &Address {
        &self.address
    }
}

impl hooks::Recipient for BridgeSocket {
    type Parcel = Parcel;

    fn pass(&self, parcel: Parcel, rewritten: Option<Box<EventMessage>>) {
        match rewritten {
            Some(rewritten) => self.send_rewritten(&parcel, &rewritten),
            None => {
                self.transmit(&parcel.message, parcel.route());
            }
        }
    }

    fn withhold(&self, parcel: Parcel, reason: &'static str) {
        self.core.counters.discarded(Discard::ByHook);
        self.log_drop(&parcel.address, &reason);
        self.forget_awaited(&parcel.message);
    }
}

impl BridgeSocket {
    /// What goes out, in the form that this socket needs.
    #[inline]
    fn encode(&self, message: &Message, route: Route<'_>) -> Outgoing {
        let make = || -> Outgoing {
            let extras = RecExtras { pattern: route.pattern.map(Address::as_str), dropped: 0 };
            let reply_address = message.reply_address().map(Address::as_str);
            let (address, body) = (route.address.as_str(), message.body());
            let headers = message.headers();
            if self.sender.info().is_raw() {
                rec_with_extras_to_json(address, body, headers, reply_address, extras).into()
            } else {
                rec_with_extras_to_frame(address, body, headers, reply_address, extras).into()
            }
        };
        // A published message has one form for all who get it under this address or pattern; who
        // needs the other one has it made out of that, once for all.
        if message.is_send() {
            return make();
        }
        match (message.plain(), route.pattern) {
            (Some(plain), Some(pattern)) => {
                let whole = || self.encode(plain, Route { pattern: None, ..route });
                message.encoded(|| self.with_pattern(&whole(), pattern))
            }
            _ => message.encoded(make),
        }
    }

    /// A message with the pattern that it came through.
    #[cold]
    fn with_pattern(&self, plain: &Outgoing, pattern: &Address) -> Outgoing {
        if self.sender.info().is_raw() {
            with_pattern_to_json(plain.text(), pattern.as_str()).into()
        } else {
            with_pattern_to_frame(plain.frame(), plain.text_len(), pattern.as_str()).into()
        }
    }
}

/// The handler for plain addresses that the rules permit whatever the body.
impl Handler for BridgeSocket {
    fn deliver(&self, message: &Message) -> Delivery {
        if !self.trusts_plain() && !self.check_outbound(message) {
            return Delivery::Taken;
        }
        let route = Route { address: message.address(), pattern: None, lane: None };
        // What most messages of a fan-out are: published, and looked at by nobody on the way.
        if message.is_send() || self.hook_queue.is_some() {
            return self.receive(message, route);
        }
        match self.sender.send(self.encode(message, route)) {
            Ok(()) => Delivery::Taken,
            Err(error) => self.lose(message, route, error),
        }
    }
}

/// Where the answer to a client's request goes.
#[derive(Debug)]
pub(super) struct ToClient {
    pub(super) socket: Arc<BridgeSocket>,
    pub(super) key: PendingKey,
    pub(super) span: Span,
}

impl ReplySink for ToClient {
    fn complete(self: Box<Self>, answer: Result<Message, Error>) {
        let request = self.socket.pending.lock().take(self.key);
        let Some(request) = request else { return };
        let outcome = match &answer {
            Ok(_) => RequestOutcome::Reply,
            Err(error) => RequestOutcome::of_error(error.kind()),
        };
        let took = Pending::began(self.key, &request).elapsed();
        self.socket.core.counters.request_ended(outcome, took);
        self.span.end(outcome.as_str(), outcome != RequestOutcome::Reply);
        match answer {
            Ok(reply) => {
                let address = &request.reply_address;
                self.socket.receive(&reply, Route { address, pattern: None, lane: None });
            }
            Err(error) => {
                self.socket.tell(failure_to_json(request.reply_address.as_str(), &error));
            }
        }
    }
}
