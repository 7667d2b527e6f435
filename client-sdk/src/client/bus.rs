//! The client as an event bus.

use trolleybus_protocol::{Address, Body, DeliveryOptions, Error, EventBus, IntoBody};

use super::handle::Client;
use super::{Consumer, Message, Response};
use crate::core::{Connection, Scope};
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

    fn consumer(&self, address: impl Into<Address>) -> Consumer {
        self.stream(&address.into(), Scope::Bus)
    }

    fn local_consumer(&self, address: impl Into<Address>) -> Consumer {
        self.stream(&address.into(), Scope::Local)
    }
}
