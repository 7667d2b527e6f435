//! What the application sends: messages, requests, writes, replies, failures.

use alloc::borrow::ToOwned;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use trolleybus_protocol::envelope::{ClientEnvelope, Operation, RecipientFailure};
use trolleybus_protocol::{Address, Body, DeliveryOptions, Error, ErrorKind};

use super::connection::{Connection, Phase, millis};
use super::outbox::{Outbox, Parcel};
use super::output::{ConsumerId, Delivery, Event, Origin, RequestId};
use super::requests::Stage;

/// What servers give a request when it asks for nothing else.
const USUAL_TIMEOUT: Duration = Duration::from_secs(30);

impl Connection {
    /// Sends to every consumer of the address.
    ///
    /// # Errors
    /// `Closed` after the end, `Overflow` when the outbox is full.
    #[expect(clippy::needless_pass_by_value, reason = "as its siblings, which need them")]
    pub fn publish(
        &mut self,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.check_open()?;
        self.publish_within(address, &body, &options, !options.local_only).map(drop)
    }

    /// Sends to one consumer of the address; to a local consumer when this client has one.
    ///
    /// # Errors
    /// As [`Connection::publish`].
    pub fn send(
        &mut self,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.check_open()?;
        let taker = (self.registry).one_within(address.as_str(), options.local_only);
        if let Some(taker) = taker {
            return self.hand_to(taker, local(address, body, options, None));
        }
        if options.local_only {
            return Ok(());
        }
        let envelope = envelope(Operation::Send, address, body, &options);
        self.enqueue(Parcel::Message(None), envelope.to_json())
    }

    /// As [`Connection::send`], and waits for the reply, which comes as [`Event::Reply`], at the
    /// latest after `options.timeout`.
    ///
    /// # Errors
    /// As [`Connection::publish`]; `NoHandlers` when the message is bound to this client, which
    /// has no consumer for it.
    pub fn request(
        &mut self,
        now: u64,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
    ) -> Result<RequestId, Error> {
        self.check_open()?;
        let taker = (self.registry).one_within(address.as_str(), options.local_only);
        let Some(taker) = taker else {
            if options.local_only {
                return Err(Error::no_handlers(address.as_str()));
            }
            return self.ask(now, Parcel::Message, address, body, &options);
        };
        let request = self.add_request(now, Stage::Local, &options);
        let reply_address = self.requests.reply_address(request).into();
        let message = local(address, body, options, Some(reply_address));
        self.or_give_up(request, |this| this.hand_to(taker, message))
    }

    /// As [`Connection::send`], or [`Connection::publish`] for `all`, and asks what became of it:
    /// [`Event::Reply`] comes, at the latest after `options.timeout`, and is `NoHandlers` when
    /// nobody consumes the address. A server without receipts does not tell, which is `Timeout`.
    ///
    /// # Errors
    /// As [`Connection::request`].
    pub fn write(
        &mut self,
        now: u64,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
        all: bool,
    ) -> Result<RequestId, Error> {
        self.check_open()?;
        let is_taken = if all {
            self.publish_within(address, &body, &options, false)?
        } else {
            let taker = (self.registry).one_within(address.as_str(), options.local_only);
            let message = || local(address, body.clone(), options.clone(), None);
            taker.map(|taker| self.hand_to(taker, message())).transpose()?.is_some()
        };
        if options.local_only && !is_taken {
            return Err(Error::no_handlers(address.as_str()));
        }
        if is_taken && all && !options.local_only {
            let envelope = envelope(Operation::Publish, address, body.clone(), &options);
            self.enqueue(Parcel::Message(None), envelope.to_json())?;
        }
        if is_taken {
            let request = self.add_request(now, Stage::Local, &options);
            self.requests.remove(request);
            let result = Ok(local(address, body, options, None));
            self.events.push_back(Event::Reply { request, result });
            return Ok(request);
        }
        let operation = if all { Operation::Publish } else { Operation::Send };
        let request = self.add_request(now, Stage::Queued, &options);
        let mut envelope = envelope(operation, address, body, &options);
        envelope.receipt = Some(self.requests.reply_address(request).into());
        let parcel = Parcel::Message(Some(request));
        self.or_give_up(request, |this| this.enqueue(parcel, envelope.to_json()))
    }

    /// Replies to a message that came from `origin` with reply address `to`.
    ///
    /// # Errors
    /// `Closed` when the connection that brought the message is gone, `Overflow` when the outbox
    /// is full.
    pub fn reply(
        &mut self,
        origin: Origin,
        to: &Address,
        body: Body,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        if origin == Origin::Local {
            self.check_open()?;
            return self.resolve(to, Ok(local(to, body, options, None)));
        }
        let envelope = envelope(Operation::Send, to, body, &options);
        self.send_back(origin, &envelope)
    }

    /// Replies, and waits for the reply to the reply.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub fn reply_and_request(
        &mut self,
        now: u64,
        origin: Origin,
        to: &Address,
        body: Body,
        options: DeliveryOptions,
    ) -> Result<RequestId, Error> {
        self.check_way_back(origin)?;
        if origin != Origin::Local {
            return self.ask(now, Parcel::Reply, to, body, &options);
        }
        let request = self.add_request(now, Stage::Local, &options);
        let reply_address = self.requests.reply_address(request).into();
        let message = local(to, body, options, Some(reply_address));
        self.or_give_up(request, |this| this.resolve(to, Ok(message)))
    }

    /// Fails a request with a code and text of the application's own.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub fn refuse(
        &mut self,
        origin: Origin,
        to: &Address,
        code: i32,
        text: &str,
    ) -> Result<(), Error> {
        self.fail(origin, to, Error::recipient(code, Some(text.to_owned())))
    }

    /// Fails a request. Over the connection a failure is always the recipient's.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub fn fail(&mut self, origin: Origin, to: &Address, error: Error) -> Result<(), Error> {
        if origin == Origin::Local {
            self.check_open()?;
            return self.resolve(to, Err(error));
        }
        let message = error.message().map(ToOwned::to_owned);
        let mut envelope = ClientEnvelope::new(Operation::Send, to.clone());
        envelope.failure = Some(RecipientFailure { code: error.code(), message });
        self.send_back(origin, &envelope)
    }

    /// Over the connection that the message came from, which may be one that is being left.
    fn send_back(&mut self, origin: Origin, envelope: &ClientEnvelope) -> Result<(), Error> {
        let text = envelope.to_json();
        if let Origin::Link(link) = origin
            && self.is_old(link)
        {
            let mut outbox = Outbox::new(1, 0);
            outbox.push(Parcel::Reply(None), text);
            outbox.next_upload(drop).into_iter().for_each(|text| self.say_to_old(text));
            return Ok(());
        }
        self.check_way_back(origin)?;
        self.enqueue(Parcel::Reply(None), text)
    }

    /// Fails a request that nobody will read: within this client with `Timeout`.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub fn discard(&mut self, origin: Origin, to: &Address) -> Result<(), Error> {
        let text = "Discarded the request: its consumer does not keep up, or went away";
        self.fail(origin, to, Error::new(ErrorKind::Timeout, text))
    }

    /// To the consumers of this client that need no server, and with `abroad` to the server too;
    /// tells whether there are any here.
    fn publish_within(
        &mut self,
        address: &Address,
        body: &Body,
        options: &DeliveryOptions,
        abroad: bool,
    ) -> Result<bool, Error> {
        let groups = self.registry.within(address.as_str(), options.local_only).into_iter();
        let groups: Vec<_> = groups.map(|(row, consumers)| (row.pattern(), consumers)).collect();
        let is_taken = !groups.is_empty();
        if is_taken {
            self.check_local_room()?;
        }
        if abroad {
            let envelope = envelope(Operation::Publish, address, body.clone(), options);
            self.enqueue(Parcel::Message(None), envelope.to_json())?;
        }
        for (pattern, consumers) in groups {
            let message = local(address, body.clone(), options.clone(), None);
            let message = Delivery { pattern, ..message };
            self.events.push_back(Event::Message { consumers, message });
        }
        Ok(is_taken)
    }

    fn hand_to(
        &mut self,
        (consumer, pattern): (ConsumerId, Option<Address>),
        message: Delivery,
    ) -> Result<(), Error> {
        self.check_local_room()?;
        let message = Delivery { pattern, ..message };
        self.events.push_back(Event::Message { consumers: vec![consumer], message });
        Ok(())
    }

    /// A request over the connection, to an address or as a reply.
    fn ask(
        &mut self,
        now: u64,
        parcel: fn(Option<RequestId>) -> Parcel,
        address: &Address,
        body: Body,
        options: &DeliveryOptions,
    ) -> Result<RequestId, Error> {
        let request = self.add_request(now, Stage::Queued, options);
        let mut envelope = envelope(Operation::Send, address, body, options);
        envelope.reply_address = Some(self.requests.reply_address(request).into());
        envelope.timeout = (options.timeout != USUAL_TIMEOUT).then_some(options.timeout);
        self.or_give_up(request, |this| this.enqueue(parcel(Some(request)), envelope.to_json()))
    }

    fn add_request(&mut self, now: u64, stage: Stage, options: &DeliveryOptions) -> RequestId {
        let deadline = now.saturating_add(millis(options.timeout));
        self.requests.add(deadline, stage)
    }

    fn or_give_up(
        &mut self,
        request: RequestId,
        sent: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<RequestId, Error> {
        let result = sent(self);
        if result.is_err() {
            self.requests.remove(request);
        }
        result.map(|()| request)
    }

    /// Ends a request of this client by a reply of this client; a second reply is ignored.
    fn resolve(&mut self, to: &Address, result: Result<Delivery, Error>) -> Result<(), Error> {
        if let Some((request, _)) = self.requests.take(to.as_str()) {
            self.events.push_back(Event::Reply { request, result });
        }
        Ok(())
    }

    /// Messages within the client wait in the queue of events, under the outbox's bound.
    fn check_local_room(&mut self) -> Result<(), Error> {
        if self.events.len() >= self.options.outbox_len {
            return Err(self.overflow("too many local messages"));
        }
        Ok(())
    }

    pub(super) fn check_open(&self) -> Result<(), Error> {
        match self.phase {
            Phase::Closed => Err(Self::closed()),
            _ => Ok(()),
        }
    }

    fn check_way_back(&self, origin: Origin) -> Result<(), Error> {
        if self.leads_back(origin) {
            return Ok(());
        }
        let text = "the connection that brought the message is gone";
        Err(Error::new(ErrorKind::Closed, text))
    }
}

fn envelope(
    operation: Operation,
    address: &Address,
    body: Body,
    options: &DeliveryOptions,
) -> ClientEnvelope {
    let mut envelope = ClientEnvelope::new(operation, address.clone());
    envelope.body = body;
    envelope.headers = options.headers.clone();
    envelope
}

fn local(
    address: &Address,
    body: Body,
    options: DeliveryOptions,
    reply_address: Option<Address>,
) -> Delivery {
    Delivery {
        address: address.clone(),
        body,
        headers: options.headers,
        reply_address,
        origin: Origin::Local,
        pattern: None,
        dropped: 0,
    }
}
