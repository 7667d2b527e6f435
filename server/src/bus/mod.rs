//! The bus: from an address to its consumers on this node.
//!
//! | File | Holds |
//! |---|---|
//! | `handle` | [`Bus`], the cheap clone that everybody holds |
//! | `event_bus` | the same as the trait has it |
//! | `dispatch` | from a message to the handlers that take it |
//! | `shared`, `near` | what all handles share; references to it that threads count apart |
//! | `table` | address to handlers |
//! | `patterns` | the index of consumed patterns |
//! | `globs` | those of them that go on behind a `#` |
//! | `entry` | the handlers of one address or pattern: round robin, snapshots for publishing |
//! | `registration` | [`Registration`], the guard |
//! | `interceptors`, `extras` | interceptors in order, and the switch that spares others their cost |
//! | `message` | [`Message`] as consumers get it |
//! | `reply` | the way back: [`Response`] and what waits at its end |
//! | `consumer`, `buffer` | [`Consumer`], the stream, and the bounded buffer behind it |
//! | `responder` | consumers without a queue, for answers that are at hand |
//! | `producer` | [`Producer`] |
//! | `listing` | what is consumed, page by page |
//! | `metrics`, `stats` | hooks for an observer; plain counters |
//!
//! Delivery does not run a consumer inside the sender's call: a handler takes the message into a
//! bounded queue and returns. That is what keeps messages from one sender to one consumer in
//! order, and a slow consumer from holding up anybody else. A `responder` asks for the exception.

mod buffer;
mod consumer;
mod dispatch;
mod entry;
mod event_bus;
mod extras;
mod globs;
mod handle;
mod interceptors;
mod listing;
mod message;
mod metrics;
mod near;
mod patterns;
mod producer;
mod registration;
mod reply;
mod responder;
mod shared;
mod stats;
mod table;
#[cfg(test)]
mod tests;

pub use consumer::{Completion, Consumer, DEFAULT_BUFFER};
pub use dispatch::Dispatch;
pub use handle::Bus;
pub use interceptors::Interceptor;
pub use listing::{Listed, PAGE_MAX};
pub use message::Message;
pub(crate) use message::Requester;
pub use metrics::{BusMetrics, DiscardReason};
pub use producer::Producer;
pub use registration::Registration;
pub use reply::{ReplySink, Response};
pub(crate) use reply::{is_reply_address, timed_out};
pub use stats::BusStats;

/// What stands behind a registration: takes messages, never blocks, never calls back into the
/// sender.
pub trait Handler: Send + Sync + 'static {
    /// Takes a message into a queue.
    fn deliver(&self, message: &Message) -> Delivery;
}

/// What became of a message at one handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The handler took it, or dropped it by its own rules and told the requester.
    Taken,
    /// The handler is on its way out; a point-to-point message goes to another one.
    Gone,
}
