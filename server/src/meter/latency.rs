//! How long things took, in fixed buckets.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Sharded;

/// Upper bounds of the buckets, in seconds; a last bucket takes what is longer.
pub const LATENCY_BOUNDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

const BUCKETS: usize = LATENCY_BOUNDS.len() + 1;

/// The same bounds in microseconds, which compare as integers.
const BOUNDS_MICROS: [u64; LATENCY_BOUNDS.len()] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// A histogram of durations. Noting one costs two additions in memory of this thread.
#[derive(Debug, Default)]
pub struct Latency(Sharded<Cells>);

#[derive(Debug, Default)]
struct Cells {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

/// A histogram as it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatencySnapshot {
    /// How many fell in each bucket of [`LATENCY_BOUNDS`], and in the one above; not cumulative.
    pub counts: [u64; BUCKETS],
    /// All of them together.
    pub sum: Duration,
}

impl Latency {
    /// Notes one duration.
    #[inline]
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        let cells = self.0.here();
        cells.counts[bucket].fetch_add(1, Relaxed);
        cells.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What was noted so far.
    #[must_use]
    pub fn snapshot(&self) -> LatencySnapshot {
        let mut snapshot = LatencySnapshot::default();
        for cells in self.0.iter() {
            for (sum, count) in snapshot.counts.iter_mut().zip(&cells.counts) {
                *sum += count.load(Relaxed);
            }
            snapshot.sum += Duration::from_nanos(cells.nanos.load(Relaxed));
        }
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_of_bounds_are_one() {
        for (seconds, micros) in LATENCY_BOUNDS.iter().zip(BOUNDS_MICROS) {
            assert_eq!(Duration::from_secs_f64(*seconds), Duration::from_micros(micros));
        }
        assert!(BOUNDS_MICROS.is_sorted());
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let latency = Latency::default();
        latency.observe(Duration::from_micros(100));
        latency.observe(Duration::from_micros(101));
        latency.observe(Duration::from_secs(60));
        let snapshot = latency.snapshot();
        assert_eq!(snapshot.counts[..2], [1, 1]);
        assert_eq!(snapshot.counts[LATENCY_BOUNDS.len()], 1);
        assert_eq!(snapshot.sum, Duration::from_micros(60_000_201));
    }
}
