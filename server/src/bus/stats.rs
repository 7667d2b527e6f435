//! Plain counters of the bus.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A snapshot of the bus's counters since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusStats {
    /// Messages sent and requested.
    pub sent: u64,
    /// Messages published.
    pub published: u64,
    /// Messages taken by a handler; one publish may count many times.
    pub delivered: u64,
    /// Messages that found no handler.
    pub undelivered: u64,
    /// Messages dropped because a consumer's buffer was full or the consumer ended: the sum of
    /// the next two.
    pub discarded: u64,
    /// Messages dropped because a consumer's buffer was full.
    pub buffer_full: u64,
    /// Messages dropped because their consumer ended with them in its buffer.
    pub unregistered: u64,
    /// Messages and replies that an interceptor dropped or failed.
    pub intercepted: u64,
    /// Registrations that stand now.
    pub registrations: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) published: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) undelivered: AtomicU64,
    pub(super) buffer_full: AtomicU64,
    pub(super) unregistered: AtomicU64,
    pub(super) intercepted: AtomicU64,
    pub(super) registrations: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) -> BusStats {
        let buffer_full = self.buffer_full.load(Relaxed);
        let unregistered = self.unregistered.load(Relaxed);
        BusStats {
            sent: self.sent.load(Relaxed),
            published: self.published.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            undelivered: self.undelivered.load(Relaxed),
            discarded: buffer_full + unregistered,
            buffer_full,
            unregistered,
            intercepted: self.intercepted.load(Relaxed),
            registrations: self.registrations.load(Relaxed),
        }
    }
}

pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}
