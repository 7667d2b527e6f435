//! What comes out of the machine, and the identifiers that go in and out.

use alloc::string::String;
use alloc::vec::Vec;
use trolleybus_protocol::{Address, Body, ByteString, Error, Headers};

use crate::{State, Transport};

/// One attempt at a connection: its session, and everything that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Link(pub u32);

/// One consumer of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConsumerId(pub u64);

/// One request that waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// Where a message came from, which is where its reply goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the server over this link. The way back ends with the link.
    Link(Link),
    /// From this client.
    Local,
}

/// A message on its way to consumers, or a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The address it was sent to.
    pub address: Address,
    /// Its body.
    pub body: Body,
    /// Its headers.
    pub headers: Headers,
    /// Where the reply goes, when one is wanted.
    pub reply_address: Option<Address>,
    /// Where it came from.
    pub origin: Origin,
    /// The pattern through which it came, for those who consume a pattern.
    pub pattern: Option<Address>,
    /// Messages of this registration that the server dropped before this one, as its overflow
    /// policy says.
    pub dropped: u64,
}

/// What the driver has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// GET the URL with credentials; answer with `handle_info` or `handle_failed`.
    FetchInfo {
        /// The attempt.
        link: Link,
        /// The URL.
        url: String,
    },
    /// Open a receiver; pass each frame to `handle_frame`. It comes again for the same link when
    /// an HTTP response has ended (`handle_ended`).
    Open {
        /// The attempt.
        link: Link,
        /// How.
        transport: Transport,
        /// Where: `ws` or `wss` for a WebSocket, else `http` or `https`.
        url: String,
    },
    /// Send a text, and call `handle_sent` when the next may follow.
    Send {
        /// The attempt.
        link: Link,
        /// Where to POST it; none over a WebSocket.
        url: Option<String>,
        /// A JSON array of strings.
        text: String,
    },
    /// Ask the application for a token; answer with `handle_token`.
    FetchToken,
    /// Drop everything of this link.
    Close {
        /// The attempt.
        link: Link,
    },
}

/// How far two connections at a time have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// Messages that do not come over this link, the old one, are to be held back.
    Begins(Link),
    /// Nothing comes over the old one any more. What was held back, and what comes, is good unless
    /// its text came over the old one, once for each time.
    Drained,
    /// All that comes is good, what is still held back as after `Drained`.
    Ends,
}

/// What the application is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection stands elsewhere now.
    State(State),
    /// A message for consumers. Whoever of them unregistered meanwhile is passed over.
    Message {
        /// The consumers.
        consumers: Vec<ConsumerId>,
        /// The message.
        message: Delivery,
    },
    /// A request came to its end.
    Reply {
        /// The request.
        request: RequestId,
        /// The reply, or why there is none.
        result: Result<Delivery, Error>,
    },
    /// The server has answered a registration, or has left it without an answer (`Timeout`). A
    /// refusal comes as [`Event::Error`] too.
    Registered {
        /// The address, or the pattern.
        address: Address,
        /// Whether it is a pattern.
        is_pattern: bool,
        /// Whether it stands.
        result: Result<(), Error>,
    },
    /// An error that belongs to no request.
    Error(Error),
    /// Messages come over two connections for a while. The machine sees to it by itself where it
    /// takes frames apart ([`Connection::handle_frame`](super::Connection)).
    Overlap(Overlap),
    /// Something was refused with `Overflow`, and messages have left since: it may be tried again.
    Room,
    /// An envelope that no rule here covers, such as an application's own.
    Unhandled(ByteString),
}
