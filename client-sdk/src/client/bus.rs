//! The client as an event bus.

use trolleybus_protocol::{
    Address, ConsumerOptions, DeliveryContext, DeliveryOptions, Error, EventBus, Interception,
    IntoBody, MaybeSend, MaybeSync,
};

use super::handle::Client;
use super::intercept::Direction;
use super::{Consumer, Interceptor, Message, Producer, Response, Room, Sending};
use crate::core::Connection;
use crate::driver;

impl Client {
    /// As `publish_with`, but when the outbox is full it waits for room, whatever the
    /// [`OutboxPolicy`](crate::OutboxPolicy); `DropOldest` makes some at once. Several that wait
    /// at the same time may leave in any order: for order await one before the next.
    ///
    /// ```no_run
    /// # async fn example(bus: trolleybus_client::Client) -> Result<(), trolleybus_client::Error> {
    /// for number in 0..1_000_000 {
    ///     bus.publish_when_possible("numbers", number, Default::default()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish_when_possible(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Sending {
        self.when_possible(address.into(), body, options, false)
    }

    /// As [`Client::publish_when_possible`], to one consumer.
    pub fn send_when_possible(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Sending {
        self.when_possible(address.into(), body, options, true)
    }

    /// Resolves when the outbox has room, for what cannot wait by itself, such as a request. Who
    /// shares the client with others may have to ask again, because one of them was faster.
    pub fn room(&self) -> Room {
        Room::new(self.handle.hub.clone())
    }

    fn when_possible(
        &self,
        address: Address,
        body: impl IntoBody,
        options: DeliveryOptions,
        is_send: bool,
    ) -> Sending {
        let body = match body.into_body() {
            Ok(body) => body,
            Err(error) => return Sending::known(&self.handle, Err(error.into())),
        };
        match self.handle.send_off(&address, body, options, is_send) {
            Ok((body, options)) => Sending::new(&self.handle, address, body, options, is_send),
            Err(_) => Sending::known(&self.handle, Ok(())),
        }
    }

    /// Sends a message off; none is sent that an interceptor stops, which is no error here.
    fn order(
        &self,
        address: &Address,
        body: impl IntoBody,
        options: DeliveryOptions,
        is_send: bool,
    ) -> Result<(), Error> {
        let body = body.into_body()?;
        let Ok((body, options)) = self.handle.send_off(address, body, options, is_send) else {
            return Ok(());
        };
        let core = &mut self.handle.hub.lock().core;
        if is_send {
            core.send(address, body, options)?;
        } else {
            core.publish(address, body, options)?;
        }
        self.handle.driver.kick();
        Ok(())
    }
}

impl EventBus for Client {
    type Message = Message;
    type Consumer = Consumer;
    type Response = Response;
    type Producer = Producer;
    type Interceptor = Interceptor;

    fn publish_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.order(&address.into(), body, options, false)
    }

    fn send_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.order(&address.into(), body, options, true)
    }

    fn request_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Response {
        let body = match body.into_body() {
            Ok(body) => body,
            Err(error) => return Response::failed(error.into()),
        };
        let (address, now) = (address.into(), driver::now());
        let command =
            |core: &mut Connection, body, options| core.request(now, &address, body, options);
        Response::start(&self.handle, &address, body, options, command, |_| ())
    }

    fn consumer_with(&self, address: impl Into<Address>, options: ConsumerOptions) -> Consumer {
        self.stream(&address.into(), &options)
    }

    fn sender_with(&self, address: impl Into<Address>, options: DeliveryOptions) -> Producer {
        Producer::new(self.clone(), address.into(), options, false)
    }

    fn publisher_with(&self, address: impl Into<Address>, options: DeliveryOptions) -> Producer {
        Producer::new(self.clone(), address.into(), options, true)
    }

    fn add_outbound_interceptor(
        &self,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) -> Interceptor {
        Interceptor::new(&self.handle, Direction::Out, interceptor)
    }

    fn add_inbound_interceptor(
        &self,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) -> Interceptor {
        Interceptor::new(&self.handle, Direction::In, interceptor)
    }
}
