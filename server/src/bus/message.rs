//! A message as consumers get it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use trolleybus_protocol::{
    Address, Body, BusMessage, DeliveryOptions, Error, ErrorKind, Headers, IntoBody,
};

use super::reply::{ReplySink, ReplySlot, Response};

/// A message as a consumer gets it. Clones share it.
#[derive(Clone)]
pub struct Message(Arc<Inner>);

struct Inner {
    address: Address,
    body: Body,
    headers: Headers,
    is_send: bool,
    reply: Option<Arc<ReplySlot>>,
    encoded: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Message {
    pub(super) fn new(
        address: Address,
        body: Body,
        headers: Headers,
        is_send: bool,
        reply: Option<Arc<ReplySlot>>,
    ) -> Self {
        Self(Arc::new(Inner { address, body, headers, is_send, reply, encoded: OnceLock::new() }))
    }

    /// True when it was sent to one consumer, false when it was published to all.
    #[must_use]
    pub fn is_send(&self) -> bool {
        self.0.is_send
    }

    /// What the message looks like on its way out of this process, made by the first who asks
    /// and shared by all others. One message has one such form: all callers must ask for the
    /// same type.
    pub(crate) fn encoded<T: Clone + Send + Sync + 'static>(&self, make: impl Fn() -> T) -> T {
        let shared = self.0.encoded.get_or_init(|| Arc::new(make()));
        shared.downcast_ref().map_or_else(make, T::clone)
    }

    /// Fails the request at once because nobody is going to answer it. The requester is told
    /// that it timed out, as Vert.x tells it.
    pub(crate) fn discard(&self) {
        if let Some(reply) = &self.0.reply {
            reply.discard();
        }
    }

    /// Replies, and hands the reply's own answer to `sink`.
    pub(crate) fn reply_and_request_message(
        &self,
        body: Body,
        headers: Headers,
        sink: Box<dyn ReplySink>,
    ) {
        if let Some(address) = self.reply_address() {
            let slot = ReplySlot::new(address.clone(), sink);
            self.reply_message(body, headers, Some(slot));
        }
    }

    /// Replies with a message that wants a reply itself, or none.
    pub(crate) fn reply_message(&self, body: Body, headers: Headers, next: Option<Arc<ReplySlot>>) {
        if let Some(reply) = &self.0.reply {
            let address = reply.address().clone();
            reply.complete(Ok(Self::new(address, body, headers, true, next)));
        }
    }

    /// Completes the request with a failure.
    pub(crate) fn fail_with(&self, error: Error) {
        if let Some(reply) = &self.0.reply {
            reply.complete(Err(error));
        }
    }
}

impl BusMessage for Message {
    type Response = Response;

    fn address(&self) -> &Address {
        &self.0.address
    }

    fn headers(&self) -> &Headers {
        &self.0.headers
    }

    fn body(&self) -> &Body {
        &self.0.body
    }

    fn reply_address(&self) -> Option<&Address> {
        self.0.reply.as_ref().map(|reply| reply.address())
    }

    fn reply_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Result<(), Error> {
        self.reply_message(body.into_body()?, options.headers, None);
        Ok(())
    }

    fn reply_and_request_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Response {
        let Some(reply_address) = self.reply_address() else {
            let text = "the message wants no reply, so there is nobody to ask";
            return Response::failed(Error::new(ErrorKind::Closed, text));
        };
        let body = match body.into_body() {
            Ok(body) => body,
            Err(error) => return Response::failed(error.into()),
        };
        let (response, slot) = Response::new(reply_address.clone(), options.timeout);
        self.reply_message(body, options.headers, Some(slot));
        response
    }

    fn fail(&self, code: i32, message: &str) -> Result<(), Error> {
        self.fail_with(Error::recipient(code, Some(message.to_owned())));
        Ok(())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("address", &self.0.address)
            .field("body", &self.0.body)
            .field("is_send", &self.0.is_send)
            .field("reply_address", &self.reply_address())
            .finish_non_exhaustive()
    }
}
