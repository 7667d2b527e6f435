//! Messages, as consumers get them.

use core::future::Future;

use crate::{Address, Body, DeliveryOptions, Error, Headers, IntoBody};

/// A message as a consumer gets it.
pub trait BusMessage: core::fmt::Debug + 'static {
    /// The answer to a request.
    type Response: Future<Output = Result<Self, Error>> + 'static
    where
        Self: Sized;

    /// The address it was sent to.
    fn address(&self) -> &Address;

    /// The pattern through which the consumer got it, when that consumes a pattern;
    /// [`BusMessage::address`] is the real address all the same.
    fn pattern(&self) -> Option<&Address>;

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
    ///
    /// # Cancel safety
    /// As [`EventBus::request_with`](crate::EventBus::request_with): dropping it gives the answer
    /// up.
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

    /// Reads the body as a `T`.
    ///
    /// # Errors
    /// `Body` when the body is no `T`; the text names the address, the type, and the place in the
    /// body that does not fit.
    #[cfg(feature = "serde")]
    fn body_as<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Error> {
        self.body().parse().map_err(|error| {
            let (address, wanted) = (self.address(), core::any::type_name::<T>());
            let text = alloc::format!("the body at {address:?} is no {wanted}: {error}");
            Error::new(crate::ErrorKind::Body, text)
        })
    }
}
