//! What the application sends: messages, requests, replies, failures.

use alloc::borrow::ToOwned;
use alloc::vec;
use core::time::Duration;

use trolleybus_protocol::envelope::{ClientEnvelope, Operation, RecipientFailure};
use trolleybus_protocol::{Address, Body, DeliveryOptions, Error, ErrorKind};

use super::connection::{Connection, Phase, millis};
use super::outbox::Parcel;
use super::output::{Delivery, Event, Origin, RequestId};
use super::requests::Stage;

/// What servers give a request when it asks for nothing else.
const USUAL_TIMEOUT: Duration = Duration::from_secs(30);

impl Connection {
    /// Sends to every consumer of the address.
    ///
    /// # Errors
    /// `Closed` after the end, `Overflow` when the outbox is full.
    pub fn publish(
        &mut self,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.check_open()?;
        let consumers = self.registry.within(address.as_str(), options.local_only);
        if !options.local_only {
            let envelope = envelope(Operation::Publish, address, body.clone(), &options);
            self.outbox.push(Parcel::Message(None), envelope.to_json())?;
        }
        if !consumers.is_empty() {
            let message = local(address, body, options, None);
            self.push_local(Event::Message { consumers, message })?;
        }
        Ok(())
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
        if let Some(consumer) = taker {
            let message = local(address, body, options, None);
            let consumers = vec![consumer];
            return self.push_local(Event::Message { consumers, message });
        }
        if options.local_only {
            return Ok(());
        }
        let envelope = envelope(Operation::Send, address, body, &options);
        self.outbox.push(Parcel::Message(None), envelope.to_json())
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
        let Some(consumer) = taker else {
            if options.local_only {
                return Err(Error::no_handlers(address.as_str()));
            }
            return self.ask(now, Parcel::Message, address, body, &options);
        };
        let request = self.add_request(now, Stage::Local, &options);
        let reply_address = self.requests.reply_address(request).into();
        let message = local(address, body, options, Some(reply_address));
        let consumers = vec![consumer];
        self.or_give_up(request, |this| this.push_local(Event::Message { consumers, message }))
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
        self.check_way_back(origin)?;
        if origin == Origin::Local {
            return self.resolve(to, Ok(local(to, body, options, None)));
        }
        let envelope = envelope(Operation::Send, to, body, &options);
        self.outbox.push(Parcel::Reply(None), envelope.to_json())
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
        self.check_way_back(origin)?;
        let message = Some(text.to_owned());
        if origin == Origin::Local {
            return self.resolve(to, Err(Error::recipient(code, message)));
        }
        let mut envelope = ClientEnvelope::new(Operation::Send, to.clone());
        envelope.failure = Some(RecipientFailure { code, message });
        self.outbox.push(Parcel::Reply(None), envelope.to_json())
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
        self.or_give_up(request, |this| this.outbox.push(parcel(Some(request)), envelope.to_json()))
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
        match self.requests.take(to.as_str()) {
            Some(request) => self.push_local(Event::Reply { request, result }),
            None => Ok(()),
        }
    }

    /// Messages within the client wait in the queue of events, under the outbox's bound.
    fn push_local(&mut self, event: Event) -> Result<(), Error> {
        let is_reply = matches!(event, Event::Reply { .. });
        if self.events.len() >= self.options.outbox_len && !is_reply {
            return Err(Error::new(ErrorKind::Overflow, "too many local messages"));
        }
        self.events.push_back(event);
        Ok(())
    }

    fn check_open(&self) -> Result<(), Error> {
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
    }
}
