//! How often clients did not keep up, by what was done about it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use trolleybus_protocol::Overflow;

/// How often clients did not keep up, since the bridge was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OverflowStats {
    /// Sockets closed as slow consumers.
    pub closed: u64,
    /// Messages dropped by `drop_oldest`.
    pub dropped_oldest: u64,
    /// Messages dropped by `latest`: replaced by a later one, or beyond the bounds.
    pub replaced: u64,
}

#[derive(Debug, Default)]
pub(in crate::bridge) struct Counters {
    closed: AtomicU64,
    dropped_oldest: AtomicU64,
    replaced: AtomicU64,
}

impl Counters {
    /// A socket was closed, or `count` messages were dropped.
    pub(in crate::bridge) fn count(&self, policy: Overflow, count: u64) {
        let counter = match policy {
            Overflow::Close => &self.closed,
            Overflow::DropOldest => &self.dropped_oldest,
            Overflow::Latest => &self.replaced,
        };
        counter.fetch_add(count, Relaxed);
    }

    pub(in crate::bridge) fn snapshot(&self) -> OverflowStats {
        OverflowStats {
            closed: self.closed.load(Relaxed),
            dropped_oldest: self.dropped_oldest.load(Relaxed),
            replaced: self.replaced.load(Relaxed),
        }
    }
}
