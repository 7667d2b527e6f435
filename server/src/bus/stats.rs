//! Plain counters of the bus.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use trolleybus_protocol::Address;

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
    /// Messages dropped because a consumer's buffer was full or the consumer ended.
    pub discarded: u64,
    /// Registrations that stand now.
    pub registrations: u64,
}

/// One address that somebody consumes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressStats {
    /// The address.
    pub address: Address,
    /// How many consume it.
    pub registrations: usize,
    /// Messages that were offered to its consumers since the first of them came.
    pub messages: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) published: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) undelivered: AtomicU64,
    pub(super) discarded: AtomicU64,
    pub(super) registrations: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) -> BusStats {
        BusStats {
            sent: self.sent.load(Relaxed),
            published: self.published.load(Relaxed),
            delivered: self.delivered.load(Relaxed),
            undelivered: self.undelivered.load(Relaxed),
            discarded: self.discarded.load(Relaxed),
            registrations: self.registrations.load(Relaxed),
        }
    }
}

pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}
