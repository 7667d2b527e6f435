//! The event bus as both sides offer it: one trait, implemented by the server's bus and by the
//! client, so that a handler written against it runs in either.

use core::future::Future;
use core::time::Duration;

use bytestring::ByteString;
use futures_core::Stream;

use crate::{Address, Body, Error, Headers, IntoBody};

/// How a message is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOptions {
    /// How long a request waits for its reply, 30 s by default; nothing else looks at it.
    pub timeout: Duration,
    /// Headers to go with the message, none by default.
    pub headers: Headers,
    /// Keep the message on this node; replies are not bound by it.
    pub local_only: bool,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), headers: Headers::new(), local_only: false }
    }
}

impl DeliveryOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long a request waits for its reply.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds a header.
    ///
    /// # Errors
    /// When name or value cannot be a header's.
    pub fn header(
        mut self,
        name: impl Into<ByteString>,
        value: impl Into<ByteString>,
    ) -> Result<Self, Error> {
        self.headers.append(name, value)?;
        Ok(self)
    }

    /// Keeps the message on this node.
    #[must_use]
    pub fn local_only(mut self) -> Self {
        self.local_only = true;
        self
    }
}

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
    type Consumer: Stream<Item = Self::Message> + Unpin + 'static;
    /// The answer to a request.
    type Response: Future<Output = Result<Self::Message, Error>> + 'static;

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
    /// Dropping the response gives the answer up; the message may still be served.
    fn request_with(
        &self,
        address: impl Into<Address>,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Self::Response;

    /// Consumes an address. The registration stands when this returns and ends when the consumer
    /// is dropped.
    fn consumer(&self, address: impl Into<Address>) -> Self::Consumer;

    /// Consumes an address for messages from this bus handle's own side only: on the server this
    /// node, in a client this client.
    fn local_consumer(&self, address: impl Into<Address>) -> Self::Consumer;

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

/// A message as a consumer gets it.
pub trait BusMessage: 'static {
    /// The answer to a request.
    type Response: Future<Output = Result<Self, Error>> + 'static
    where
        Self: Sized;

    /// The address it was sent to.
    fn address(&self) -> &Address;

    /// Its headers.
    fn headers(&self) -> &Headers;

    /// Its body.
    fn body(&self) -> &Body;

    /// Where the reply goes, when the sender wants one.
    fn reply_address(&self) -> Option<&Address>;

    /// Replies. Does nothing when the sender wants no reply; only the first reply counts.
    ///
    /// # Errors
    /// When the body is unfit, or a client is closed or its queue is full.
    fn reply_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Result<(), Error>;

    /// Replies and waits for the reply to the reply.
    fn reply_and_request_with(
        &self,
        body: impl IntoBody,
        options: DeliveryOptions,
    ) -> Self::Response
    where
        Self: Sized;

    /// Fails the request with a code and a text of the application's own. Does nothing when the
    /// sender wants no reply.
    ///
    /// # Errors
    /// When a client is closed or its queue is full.
    fn fail(&self, code: i32, message: &str) -> Result<(), Error>;

    /// [`BusMessage::reply_with`] with the defaults.
    ///
    /// # Errors
    /// As [`BusMessage::reply_with`].
    fn reply(&self, body: impl IntoBody) -> Result<(), Error> {
        self.reply_with(body, DeliveryOptions::default())
    }

    /// [`BusMessage::reply_and_request_with`] with the defaults.
    fn reply_and_request(&self, body: impl IntoBody) -> Self::Response
    where
        Self: Sized,
    {
        self.reply_and_request_with(body, DeliveryOptions::default())
    }
}
