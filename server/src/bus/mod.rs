//! The bus: from an address to its consumers on this node.
//!
//! | File | Holds |
//! |---|---|
//! | `handle` | [`Bus`], the cheap clone that everybody holds |
//! | `table` | address to handlers: registration, round robin, snapshots for publishing |
//! | `message` | [`Message`] as consumers get it |
//! | `reply` | the way back: [`Response`] and what waits at its end |
//! | `consumer` | [`Consumer`], the stream; [`Registration`], the guard |
//! | `stats` | plain counters |
//!
//! Delivery never runs a consumer inside the sender's call: a handler takes the message into a
//! bounded queue and returns. That is what keeps messages from one sender to one consumer in
//! order, and a slow consumer from holding up anybody else.

mod consumer;
mod handle;
mod message;
mod reply;
mod stats;
mod table;
#[cfg(test)]
mod tests;

pub use consumer::{Consumer, DEFAULT_BUFFER, Registration};
pub use handle::{Bus, Dispatch};
pub use message::Message;
pub(crate) use reply::timed_out;
pub use reply::{ReplySink, Response};
pub use stats::{AddressStats, BusStats};

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
