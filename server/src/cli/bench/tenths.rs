//! Latencies by tenths of a second, for the p99 that is typical.
//!
//! On a machine that others use too, a p99 says mostly how often the machine stood still: one
//! hiccup of some milliseconds in a second is more than a hundredth of what was due in it. The p99s of
//! most tenths of a second have no hiccup in them, and the median of those speaks of the server.

use std::time::{Duration, Instant};

const TENTH: Duration = Duration::from_millis(100);
/// Latencies that one connection keeps; later ones are left out.
const MOST: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct Tenths {
    begin: Instant,
    /// The tenth in which a message was due, and its microseconds.
    latencies: Vec<(u32, u32)>,
}

impl Tenths {
    pub(super) fn new(begin: Instant) -> Self {
        Self { begin, latencies: Vec::new() }
    }

    pub(super) fn record(&mut self, due: Instant, micros: u64) {
        if self.latencies.len() < MOST {
            let tenth = due.duration_since(self.begin).as_millis() / TENTH.as_millis();
            let tenth = u32::try_from(tenth).unwrap_or(u32::MAX);
            self.latencies.push((tenth, u32::try_from(micros).unwrap_or(u32::MAX)));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.latencies.extend_from_slice(&other.latencies);
    }

    /// The median of the tenths' p99s; none without latencies.
    pub(super) fn typical_p99(&self) -> Option<u32> {
        let mut latencies = self.latencies.clone();
        latencies.sort_unstable();
        let mut p99s: Vec<u32> = latencies
            .chunk_by(|(one, _), (other, _)| one == other)
            .filter_map(|tenth| tenth.get((tenth.len() * 99).div_ceil(100) - 1))
            .map(|(_, micros)| *micros)
            .collect();
        p99s.sort_unstable();
        p99s.get(p99s.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hiccup_does_not_move_the_typical_p99() {
        let begin = Instant::now();
        let mut tenths = Tenths::new(begin);
        assert_eq!(tenths.typical_p99(), None);
        for millis in 0..1000 {
            let hiccup = if millis < 50 { 50_000 } else { 0 };
            tenths.record(begin + Duration::from_millis(millis), millis % 100 + 1 + hiccup);
        }
        assert_eq!(tenths.typical_p99(), Some(99));
    }
}
