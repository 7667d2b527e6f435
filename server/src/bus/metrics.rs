//! What an observer of the bus is told: the hooks that metrics are made of.

use std::time::Duration;

use trolleybus_protocol::Address;
use trolleybus_protocol::codes::FailureType;

/// An observer of a bus, see [`Bus::with_metrics`](super::Bus::with_metrics). It is called in the
/// task of whoever sends, answers or registers, for every message: it must be quick, must not
/// block and must not call the bus. A bus without one pays a branch.
///
/// Addresses are what clients make up; a metric must not carry them as a label.
pub trait BusMetrics: Send + Sync + 'static {
    /// An address, or a pattern, has one more handler.
    fn handler_registered(&self, address: &Address, is_pattern: bool) {
        let _ = (address, is_pattern);
    }

    /// An address, or a pattern, has one handler less.
    fn handler_unregistered(&self, address: &Address, is_pattern: bool) {
        let _ = (address, is_pattern);
    }

    /// A message was sent (a request too) or published, and `handlers` took it, maybe none.
    fn message_sent(&self, address: &Address, is_publish: bool, handlers: usize) {
        let _ = (address, is_publish, handlers);
    }

    /// A message was taken out of its buffer by a [`Consumer`](super::Consumer).
    fn message_delivered(&self, address: &Address) {
        let _ = address;
    }

    /// A message, or a reply, was discarded on its way to a handler.
    fn message_discarded(&self, address: &Address, reason: DiscardReason) {
        let _ = (address, reason);
    }

    /// A request to `address` got its reply so long after it was made.
    fn reply_received(&self, address: &Address, latency: Duration) {
        let _ = (address, latency);
    }

    /// A request to `address` failed.
    fn reply_failed(&self, address: &Address, failure: FailureType) {
        let _ = (address, failure);
    }
}

/// Why a message was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiscardReason {
    /// The consumer's buffer was full.
    BufferFull,
    /// The consumer ended with the message in its buffer.
    Unregistered,
    /// An interceptor dropped or failed it.
    Intercepted,
}

impl DiscardReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BufferFull, Self::Unregistered, Self::Intercepted];

    /// A word for it, fit for a metric's label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BufferFull => "buffer_full",
            Self::Unregistered => "unregistered",
            Self::Intercepted => "intercepted",
        }
    }
}
