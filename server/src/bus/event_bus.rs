//! The bus as the trait has it.

use std::sync::Arc;

use trolleybus_protocol::{
    Address, ConsumerOptions, DeliveryContext, DeliveryOptions, Error, EventBus, Interception,
    IntoBody,
};

use super::interceptors::{Direction, Intercept, Interceptor};
use super::{Bus, Consumer, Message, Producer, Response};

impl EventBus for Bus {
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
        self.publish_message(self.prepare(address, body, options)?);
        Ok(())
    }

    fn send_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error> {
        self.send_message(self.prepare(address, body, options)?);
        Ok(())
    }

    fn request_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Response {
        let timeout = options.timeout;
        match self.prepare(address, body, options) {
            Err(error) => Response::failed(error),
            Ok(dispatch) => {
                let replied_address = dispatch.address.clone();
                let (response, slot) = Response::new(self.near(), replied_address, timeout);
                self.request_through(dispatch, slot);
                response
            }
        }
    }

    /// On one node `local_only` changes nothing.
    fn consumer_with(&self, address: impl Into<Address>, options: ConsumerOptions) -> Consumer {
        Consumer::new(self, address.into(), &options)
    }

    fn sender_with(&self, address: impl Into<Address>, options: DeliveryOptions) -> Producer {
        Producer::new(self.clone(), address.into(), options, false)
    }

    fn publisher_with(&self, address: impl Into<Address>, options: DeliveryOptions) -> Producer {
        Producer::new(self.clone(), address.into(), options, true)
    }

    fn add_outbound_interceptor(
        &self,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + Send + Sync + 'static,
    ) -> Interceptor {
        self.add_interceptor(Direction::Outbound, Arc::new(interceptor))
    }

    /// It runs when a message is given to a consumer's buffer, in the sender's task.
    fn add_inbound_interceptor(
        &self,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + Send + Sync + 'static,
    ) -> Interceptor {
        self.add_interceptor(Direction::Inbound, Arc::new(interceptor))
    }
}

impl Bus {
    fn add_interceptor(&self, direction: Direction, intercept: Arc<Intercept>) -> Interceptor {
        let shared = self.shared();
        let id = shared.next_id();
        shared.interceptors.add(&shared.switch, direction, id, intercept);
        Interceptor::new(shared, direction, id)
    }
}
