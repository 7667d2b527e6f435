//! A message as consumers get it.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use trolleybus_protocol::{
    Address, Body, BusMessage, DeliveryContext, DeliveryOptions, Error, ErrorKind, Headers,
    IntoBody, Pattern,
};

use super::Dispatch;
use super::reply::{ReplySink, ReplySlot, Response};

/// A message as a consumer gets it. Clones share it.
#[derive(Clone)]
pub struct Message(Arc<Inner>);

struct Inner {
    destination: Destination,
    body: Body,
    headers: Headers,
    is_send: bool,
    reply: Option<Arc<ReplySlot>>,
    through: Option<Arc<Through>>,
    encoded: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// Bodies of so many bytes or more are escaped once for all patterns that they come through. For
/// shorter ones, of which most come through one pattern only, that costs more than it saves.
const LONG: usize = 4096;

/// What a message came through.
pub(super) struct Through {
    pattern: Arc<Pattern>,
    /// Of a long message the same for those who consume its address, unless this one was changed.
    plain: Option<Message>,
}

impl Through {
    pub(super) fn new(pattern: Arc<Pattern>) -> Self {
        Self { pattern, plain: None }
    }
}

/// Where a message goes.
#[derive(Clone)]
enum Destination {
    Address(Address),
    /// To the reply address of a request, which need not be made for that.
    Requester(Arc<ReplySlot>),
}

impl Destination {
    fn address(&self) -> &Address {
        match self {
            Self::Address(address) => address,
            Self::Requester(slot) => slot.address(),
        }
    }
}

impl Inner {
    /// The same, to be changed.
    fn copy(&self) -> Self {
        Self {
            destination: self.destination.clone(),
            body: self.body.clone(),
            headers: self.headers.clone(),
            is_send: self.is_send,
            reply: self.reply.clone(),
            through: self.through.as_ref().map(|through| match &through.plain {
                None => Arc::clone(through),
                Some(_) => Arc::new(Through::new(Arc::clone(&through.pattern))),
            }),
            encoded: OnceLock::new(),
        }
    }
}

impl Message {
    fn new(
        destination: Destination,
        body: Body,
        headers: Headers,
        is_send: bool,
        reply: Option<Arc<ReplySlot>>,
    ) -> Self {
        let (through, encoded) = (None, OnceLock::new());
        Self(Arc::new(Inner { destination, body, headers, is_send, reply, through, encoded }))
    }

    pub(super) fn outgoing(
        dispatch: Dispatch,
        is_send: bool,
        reply: Option<Arc<ReplySlot>>,
    ) -> Self {
        let Dispatch { address, body, headers, .. } = dispatch;
        Self::new(Destination::Address(address), body, headers, is_send, reply)
    }

    /// The same message as consumers of a pattern get it.
    pub(super) fn through(&self, through: &Arc<Through>) -> Self {
        let through = match self.0.body.as_json().len() {
            ..LONG => Arc::clone(through),
            _ => {
                let (pattern, plain) = (Arc::clone(&through.pattern), Some(self.clone()));
                Arc::new(Through { pattern, plain })
            }
        };
        Self(Arc::new(Inner { through: Some(through), ..self.0.copy() }))
    }

    /// The same message as consumers of its address get it, if it is a long one that came through a
    /// pattern and nothing has changed it since.
    pub(crate) fn plain(&self) -> Option<&Self> {
        self.0.through.as_ref()?.plain.as_ref()
    }

    /// The message as interceptors see it.
    pub(super) fn context(&self) -> DeliveryContext {
        let Inner { destination, body, headers, is_send, .. } = &*self.0;
        let reply_address = self.reply_address().cloned();
        DeliveryContext::new(
            destination.address().clone(),
            body.clone(),
            headers.clone(),
            *is_send,
            reply_address,
        )
    }

    /// The message as interceptors left it; itself when they changed nothing.
    pub(super) fn changed_by(&self, context: DeliveryContext) -> Self {
        if !context.is_changed() {
            return self.clone();
        }
        let (body, headers) = context.into_parts();
        Self(Arc::new(Inner { body, headers, ..self.0.copy() }))
    }

    /// True when it was sent to one consumer, false when it was published to all.
    #[must_use]
    pub fn is_send(&self) -> bool {
        self.0.is_send
    }

    /// What the message looks like on its way out of this process, made by the first who asks
    /// and shared by all others. One message has one such form, and one more for each pattern
    /// that it comes through: all callers must ask for the same type.
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

    /// Who wants an answer, if anybody does.
    pub(crate) fn requester(&self) -> Option<Requester> {
        self.0.reply.clone().map(Requester)
    }

    /// See [`Requester::reply_message`].
    pub(crate) fn reply_message(&self, body: Body, headers: Headers, next: Option<Arc<ReplySlot>>) {
        if let Some(requester) = self.requester() {
            requester.reply_message(body, headers, next);
        }
    }

    /// See [`Requester::fail_with`].
    pub(crate) fn fail_with(&self, error: Error) {
        if let Some(requester) = self.requester() {
            requester.fail_with(error);
        }
    }

    /// Completes the request with what the bus itself has to say; no interceptor sees it.
    pub(super) fn complete(&self, answer: Result<Self, Error>) {
        if let Some(reply) = &self.0.reply {
            reply.complete(answer);
        }
    }
}

/// Who asked, without what was asked: all that an answer needs, for those who have passed the message
/// on and would only hold its memory. While there is one, the request can still be answered.
#[derive(Clone)]
pub(crate) struct Requester(Arc<ReplySlot>);

impl Requester {
    /// Replies, and hands the reply's own answer to `sink`.
    pub(crate) fn reply_and_request_message(
        &self,
        body: Body,
        headers: Headers,
        sink: Box<dyn ReplySink>,
    ) {
        let slot = ReplySlot::new(self.0.bus(), self.0.address().clone(), sink.into());
        self.reply_message(body, headers, Some(slot));
    }

    /// Replies with a message that wants a reply itself, or none.
    pub(crate) fn reply_message(&self, body: Body, headers: Headers, next: Option<Arc<ReplySlot>>) {
        let destination = Destination::Requester(Arc::clone(&self.0));
        self.0.answer(Ok(Message::new(destination, body, headers, true, next)));
    }

    /// Completes the request with a recipient's failure.
    pub(crate) fn fail_with(&self, error: Error) {
        self.0.answer(Err(error));
    }
}

impl fmt::Debug for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Requester").field(self.0.address()).finish()
    }
}

impl BusMessage for Message {
    type Response = Response;

    fn address(&self) -> &Address {
        self.0.destination.address()
    }

    fn pattern(&self) -> Option<&Address> {
        self.0.through.as_ref().map(|through| through.pattern.address())
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
        let Some(reply) = &self.0.reply else {
            let text = "the message wants no reply, so there is nobody to ask";
            return Response::failed(Error::new(ErrorKind::Closed, text));
        };
        let body = match body.into_body() {
            Ok(body) => body,
            Err(error) => return Response::failed(error.into()),
        };
        let (response, slot) = Response::new(reply.bus(), reply.address().clone(), options.timeout);
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
            .field("address", self.address())
            .field("body", &self.0.body)
            .field("is_send", &self.0.is_send)
            .field("reply_address", &self.reply_address())
            .finish_non_exhaustive()
    }
}
