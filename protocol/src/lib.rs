//! The wire of Trolleybus, pure: no clock, no task, no socket.
//!
//! | Module | Holds |
//! |---|---|
//! | [`json`] | JSON as text: validate, walk, quote, unquote |
//! | [`sockjs`] | SockJS frames, uploads, paths and info |
//! | [`envelope`] | the bridge's envelopes in both directions |
//! | [`codes`] | the one table of refusals, failures and close codes |
//! | `bus` | [`EventBus`] with its messages, consumers and producers, for server and client alike |
//! | `address`, `pattern`, `body`, `headers`, `error` | what messages are made of |
//! | `overflow` | what becomes of messages for a client that does not keep up |
//!
//! The written specification is `protocol/README.md`; `protocol/vectors` holds examples that the
//! tests of every language read.

#![warn(missing_docs)]
#![cfg_attr(not(any(test, feature = "serde")), no_std)]

extern crate alloc;

mod address;
mod body;
mod bus;
pub mod codes;
pub mod envelope;
mod error;
mod headers;
pub mod json;
mod overflow;
mod pattern;
pub mod sockjs;

pub use address::Address;
pub use body::{Body, BodyError, IntoBody};
pub use bus::{
    BusConsumer, BusMessage, BusProducer, ConsumerOptions, DeliveryContext, DeliveryOptions,
    EventBus, Interception, MaybeSend, MaybeSync,
};
pub use error::{Error, ErrorKind};
pub use headers::{HeaderError, Headers};
pub use overflow::Overflow;
pub use pattern::{Pattern, PatternError, Style, Word};

pub use bytestring::ByteString;
