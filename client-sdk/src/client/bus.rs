//! The client as an event bus.

use trolleybus_protocol::{
    Address, Body, ConsumerOptions, DeliveryContext, DeliveryOptions, Error, EventBus,
    Interception, IntoBody, MaybeSend, MaybeSync,
};

use super::handle::Client;
use super::{Consumer, Message, Producer, Response};
use crate::core::Connection;
use crate::driver;

impl Client {
    fn order(
        &self,
        body: impl IntoBody,
        command: impl FnOnce(&mut Connection, Body) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let body = body.into_body()?;
        command(&mut self.handle.hub.lock().core, body)?;
        self.handle.driver.kick();
        Ok(())
    }
}

impl EventBus for Client {
    type Message = Message;
    type Consumer = Consumer;
    type Response = Response;
    type Producer = Producer;
    type Interceptor = ();

    fn publish_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        let address = address.into();
        self.order(body, |core, body| core.publish(&address, body, options))
    }

    fn send_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        let address = address.into();
        self.order(body, |core, body| core.send(&address, body, options))
    }

    fn request_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Response {
        let (address, now) = (address.into(), driver::now());
        Response::start(&self.handle, body, |core, body| core.request(now, &address, body, options))
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
        _: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) {
        unimplemented!("the client does not intercept yet")
    }

    fn add_inbound_interceptor(
        &self,
        _: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) {
        unimplemented!("the client does not intercept yet")
    }
}
