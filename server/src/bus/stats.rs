//! Plain counters of the bus.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::meter::Sharded;

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

/// Counters of one bus, in memory of the thread that counts: threads that send to different
/// addresses would meet here alone.
#[derive(Debug, Default)]
pub(super) struct Counters(Sharded<Counts>);

/// What one thread counted, or those that share its memory.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sent: AtomicU64,
    pub(super) published: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) undelivered: AtomicU64,
    pub(super) buffer_full: AtomicU64,
    pub(super) unregistered: AtomicU64,
    pub(super) intercepted: AtomicU64,
    /// Below zero where more ended than began; the sum is right.
    pub(super) registrations: AtomicU64,
}

impl Counters {
    pub(super) fn here(&self) -> &Counts {
        self.0.here()
    }

    pub(super) fn snapshot(&self) -> BusStats {
        let sum = |count: fn(&Counts) -> &AtomicU64| {
            self.0.iter().fold(0_u64, |sum, counts| sum.wrapping_add(count(counts).load(Relaxed)))
        };
        let buffer_full = sum(|counts| &counts.buffer_full);
        let unregistered = sum(|counts| &counts.unregistered);
        BusStats {
            sent: sum(|counts| &counts.sent),
            published: sum(|counts| &counts.published),
            delivered: sum(|counts| &counts.delivered),
            undelivered: sum(|counts| &counts.undelivered),
            discarded: buffer_full + unregistered,
            buffer_full,
            unregistered,
            intercepted: sum(|counts| &counts.intercepted),
            registrations: sum(|counts| &counts.registrations),
        }
    }
}

pub(super) fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_began_on_one_thread_may_end_on_another() {
        let counters = Counters::default();
        let begin = || (0..3).for_each(|_| count(&counters.here().registrations, 1));
        std::thread::scope(|scope| {
            scope.spawn(begin).join().unwrap();
            scope.spawn(begin).join().unwrap();
        });
        counters.here().registrations.fetch_sub(4, Relaxed);
        assert_eq!(counters.snapshot().registrations, 2);
    }
}
