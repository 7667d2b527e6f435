//! The event bus as both sides offer it: one trait, implemented by the server's bus and by the
//! client, so that a handler written against it runs in either.
//!
//! | File | Holds |
//! |---|---|
//! | `options` | [`DeliveryOptions`], [`ConsumerOptions`] |
//! | `message` | [`BusMessage`] |
//! | `consumer` | [`BusConsumer`] |
//! | `producer` | [`BusProducer`] |
//! | `interceptor` | [`DeliveryContext`], [`Interception`] |
//! | `marker` | [`MaybeSend`], [`MaybeSync`] |

mod consumer;
mod interceptor;
mod marker;
mod message;
mod options;
mod producer;

use core::future::Future;

pub use consumer::BusConsumer;
pub use interceptor::{DeliveryContext, Interception};
pub use marker::{MaybeSend, MaybeSync};
pub use message::BusMessage;
pub use options::{ConsumerOptions, DeliveryOptions};
pub use producer::BusProducer;

use crate::{Address, Error, IntoBody};

/// An event bus. Handles are cheap clones of one bus.
///
/// ```
/// # use trolleybus_protocol::{BusMessage, Error, EventBus};
/// # use futures_core::Stream;
/// # use std::{future::poll_fn, pin::Pin};
/// /// Runs on the server and in the browser alike.
/// async fn shout<B: EventBus>(bus: B) -> Result<(), Error> {
///     let mut orders = bus.consumer("orders");
///     while let Some(order) = poll_fn(|cx| Pin::new(&mut orders).poll_next(cx)).await {
///         order.reply("done")?;
///         bus.publish("news", order.body().clone())?;
///     }
///     Ok(())
/// }
/// ```
pub trait EventBus: Clone + 'static {
    /// What consumers get.
    type Message: BusMessage<Response = Self::Response>;
    /// A registration; dropping it unregisters.
    type Consumer: BusConsumer<Item = Self::Message> + 'static;
    /// The answer to a request.
    type Response: Future<Output = Result<Self::Message, Error>> + 'static;
    /// What writes to one address.
    type Producer: BusProducer + 'static;
    /// Keeps an interceptor in place; dropping it takes the interceptor out.
    type Interceptor: 'static;

    /// Sends a message to every consumer of the address. That there is none is no error.
    ///
    /// # Errors
    /// When the body or a header is unfit, the bus is closed, or its queue is full.
    fn publish_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error>;

    /// Sends a message to one consumer of the address, each in turn. That there is none is no
    /// error.
    ///
    /// # Errors
    /// As [`EventBus::publish_with`].
    fn send_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Result<(), Error>;

    /// Sends a message to one consumer and waits for its reply. Whatever goes wrong is told by
    /// the response; it always resolves, at the latest after `options.timeout`.
    ///
    /// # Cancel safety
    /// Dropping the response gives the answer up. A client takes a message back that has not left
    /// yet; any other may still be served.
    fn request_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Self::Response;

    /// Consumes an address, or a pattern of addresses. The registration stands on this side when
    /// this returns and ends when the consumer is dropped;
    /// [`completion`](BusConsumer::completion) tells when it stands everywhere.
    ///
    /// A pattern that is none gives a consumer whose stream has ended and whose completion fails
    /// with `Refused`: a registration may fail later as well, so that both are told in one place.
    fn consumer_with(
        &self,
        address: impl Into<Address>,
        options: ConsumerOptions,
    ) -> Self::Consumer;

    /// What sends to one consumer of `address` with each write, each in turn.
    fn sender_with(&self, address: impl Into<Address>, options: DeliveryOptions) -> Self::Producer;

    /// What publishes to all consumers of `address` with each write.
    fn publisher_with(
        &self,
        address: impl Into<Address>,
        options: DeliveryOptions,
    ) -> Self::Producer;

    /// Calls `interceptor` for every message that is sent, published or replied through this bus,
    /// after the interceptors that are there already, for as long as the guard is held. It is
    /// called in the sender's task, so it must not block; one that panics drops the message.
    ///
    /// - [`Interception::Continue`]: the message goes on as the context has it now.
    /// - [`Interception::Drop`]: it vanishes. A request that is thereby lost times out, as soon as
    ///   nobody can answer it any more; a write succeeds.
    /// - [`Interception::Fail`]: it vanishes; a request and a producer's write fail with that
    ///   error. Of a reply, the requester gets the error in the reply's place.
    ///
    /// Failures that the bus itself makes, such as `NoHandlers`, are not intercepted.
    #[must_use = "the interceptor is taken out when the guard is dropped"]
    fn add_outbound_interceptor(
        &self,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) -> Self::Interceptor;

    /// As [`EventBus::add_outbound_interceptor`], for each message on its way to each consumer,
    /// and for each reply on its way to its requester. To fail a message replies the failure; the
    /// sender's write has succeeded by then.
    #[must_use = "the interceptor is taken out when the guard is dropped"]
    fn add_inbound_interceptor(
        &self,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) -> Self::Interceptor;

    /// [`EventBus::consumer_with`] with the defaults.
    fn consumer(&self, address: impl Into<Address>) -> Self::Consumer {
        self.consumer_with(address, ConsumerOptions::default())
    }

    /// [`EventBus::consumer_with`] for messages from this side only.
    fn local_consumer(&self, address: impl Into<Address>) -> Self::Consumer {
        self.consumer_with(address, ConsumerOptions::default().local_only())
    }

    /// [`EventBus::sender_with`] with the defaults.
    fn sender(&self, address: impl Into<Address>) -> Self::Producer {
        self.sender_with(address, DeliveryOptions::default())
    }

    /// [`EventBus::publisher_with`] with the defaults.
    fn publisher(&self, address: impl Into<Address>) -> Self::Producer {
        self.publisher_with(address, DeliveryOptions::default())
    }

    /// [`EventBus::publish_with`] with the defaults.
    ///
    /// # Errors
    /// As [`EventBus::publish_with`].
    fn publish(&self, address: impl Into<Address>, body: impl IntoBody) -> Result<(), Error> {
        self.publish_with(address, body, DeliveryOptions::default())
    }

    /// [`EventBus::send_with`] with the defaults.
    ///
    /// # Errors
    /// As [`EventBus::publish_with`].
    fn send(&self, address: impl Into<Address>, body: impl IntoBody) -> Result<(), Error> {
        self.send_with(address, body, DeliveryOptions::default())
    }

    /// [`EventBus::request_with`] with the defaults.
    fn request(&self, address: impl Into<Address>, body: impl IntoBody) -> Self::Response {
        self.request_with(address, body, DeliveryOptions::default())
    }
}
