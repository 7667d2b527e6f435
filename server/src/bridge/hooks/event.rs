//! What a hook is told.

use std::fmt;

use bytestring::ByteString;
use trolleybus_protocol::envelope::ClientEnvelope;
use trolleybus_protocol::{Address, Body, BusMessage as _, Error, Headers, IntoBody};

use super::client::Client;
use super::outcome::{Decision, Outcome};
use crate::bridge::sockets::SocketHandle;
use crate::bus::Message;

/// What happened, named as in Vert.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A client is there. Rejected, it is closed, a socket with 3007; its messages wait until this is
    /// decided. Calls over HTTP come without.
    Created,
    /// A client is gone, and nothing of it is left on the bus. The outcome does not matter.
    Closed,
    /// No ping came in time, or over TCP nothing at all. Accepted, the client is closed; rejected, it
    /// is told so and stays, and this comes again.
    Idle,
    /// A ping came. The outcome does not matter.
    Ping,
    /// The client was closed because of a fault in it, such as a message that is too big. The raw
    /// message says which. The outcome does not matter.
    Error,
    /// A client sends, asks or answers.
    Send,
    /// A client publishes.
    Publish,
    /// A message or a reply is about to go to the client. Rejected, it is dropped.
    Receive,
    /// A client registers.
    Register,
    /// A registration stands: what is sent to its address from now on reaches the client. The
    /// outcome does not matter.
    Registered,
    /// A client ends a registration, or is gone with the registration standing; then the
    /// outcome does not matter.
    Unregister,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::Closed,
        Self::Idle,
        Self::Ping,
        Self::Error,
        Self::Send,
        Self::Publish,
        Self::Receive,
        Self::Register,
        Self::Registered,
        Self::Unregister,
    ];

    /// The name in Vert.x.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "SOCKET_CREATED",
            Self::Closed => "SOCKET_CLOSED",
            Self::Idle => "SOCKET_IDLE",
            Self::Ping => "SOCKET_PING",
            Self::Error => "SOCKET_ERROR",
            Self::Send => "SEND",
            Self::Publish => "PUBLISH",
            Self::Receive => "RECEIVE",
            Self::Register => "REGISTER",
            Self::Registered => "REGISTERED",
            Self::Unregister => "UNREGISTER",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The envelope behind an event, to be looked at and rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// The address. Taken away from a client's envelope, that is refused as `missing_address`; taken
    /// away from a message to the client, it goes out under its own.
    pub address: Option<Address>,
    /// The body; `null` when there is none.
    pub body: Body,
    /// The headers.
    pub headers: Headers,
    /// Where the sender wants the reply. In a message to the client it cannot be rewritten, nor in a
    /// call over HTTP, where it only says that an answer is awaited.
    pub reply_address: Option<Address>,
}

impl EventMessage {
    pub(crate) fn of_envelope(envelope: &ClientEnvelope) -> Self {
        Self {
            address: Some(envelope.address.clone()),
            body: envelope.body.clone(),
            headers: envelope.headers.clone(),
            reply_address: envelope.reply_address.clone(),
        }
    }

    pub(crate) fn of_address(address: Address) -> Self {
        let (body, headers) = (Body::null(), Headers::new());
        Self { address: Some(address), body, headers, reply_address: None }
    }

    /// A message on its way to a client, where `address` is what the client will read.
    pub(crate) fn of_message(message: &Message, address: &Address) -> Self {
        Self {
            address: Some(address.clone()),
            body: message.body().clone(),
            headers: message.headers().clone(),
            reply_address: message.reply_address().cloned(),
        }
    }
}

/// Something that happened to a client, for the application to decide about.
#[derive(Debug)]
pub struct BridgeEvent {
    kind: EventKind,
    client: Client,
    message: Option<EventMessage>,
    raw: Option<ByteString>,
    is_changed: bool,
}

impl BridgeEvent {
    pub(crate) fn new(kind: EventKind, client: Client) -> Self {
        Self { kind, client, message: None, raw: None, is_changed: false }
    }

    pub(crate) fn with_message(mut self, message: EventMessage) -> Self {
        self.message = Some(message);
        self
    }

    pub(crate) fn with_raw(mut self, raw: ByteString) -> Self {
        self.raw = Some(raw);
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The client, to write to, to close, and to ask who is behind it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client's socket, with what its first request said; none when it came over a gateway.
    #[must_use]
    pub fn socket(&self) -> Option<&SocketHandle> {
        self.client.socket()
    }

    /// The envelope; none for events of the socket itself.
    #[must_use]
    pub fn message(&self) -> Option<&EventMessage> {
        self.message.as_ref()
    }

    /// The address of the envelope, or the empty text.
    #[must_use]
    pub fn address(&self) -> &str {
        let address = self.message.as_ref().and_then(|message| message.address.as_ref());
        address.map_or("", Address::as_str)
    }

    /// The envelope, to be rewritten: what is accepted goes on as it stands then, and that is what
    /// the rules are asked about.
    pub fn message_mut(&mut self) -> Option<&mut EventMessage> {
        self.is_changed = true;
        self.message.as_mut()
    }

    /// The text that the client sent, with fields of the application's own. None in a message to the
    /// client, for an [`EventKind::Unregister`] that nobody sent, and for calls over HTTP, which send
    /// no envelopes.
    #[must_use]
    pub fn raw(&self) -> Option<&str> {
        self.raw.as_deref()
    }

    /// Goes on, with the envelope as it stands.
    pub fn accept(self) -> Outcome {
        match self.message {
            Some(message) if self.is_changed => Decision::Changed(Box::new(message)).into(),
            _ => Decision::Accept.into(),
        }
    }

    /// Says no. The client is told `rejected`, over TCP in the words of Vert.x, over HTTP with 403.
    pub fn reject(self) -> Outcome {
        Decision::Reject.into()
    }

    /// Takes care of the envelope without the bus. Who waits for an answer gets this body: the
    /// client whose request it was, or on [`EventKind::Receive`] whoever asked the client.
    pub fn answer(self, body: impl IntoBody) -> Outcome {
        Decision::Answer(body.into_body().map_err(Error::from)).into()
    }

    /// As [`BridgeEvent::answer`], with a failure of the application's own.
    pub fn fail(self, code: i32, message: &str) -> Outcome {
        Decision::Answer(Err(Error::recipient(code, Some(message.to_owned())))).into()
    }
}
