//! How fast sockets are told to leave, pure: time is passed in.

use std::time::Duration;

/// How fast sockets are told to leave: so many a second, and all within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    per_second: u32,
    within: Duration,
}

impl Pace {
    /// `per_second` sockets, 0 for all at once; more where `within` would not do for all.
    #[must_use]
    pub fn new(per_second: u32, within: Duration) -> Self {
        Self { per_second, within }
    }

    /// How many of `total` have to be told after a time.
    pub(super) fn due(self, elapsed: Duration, total: usize) -> usize {
        if self.per_second == 0 || elapsed >= self.within {
            return total;
        }
        let by_rate = u128::from(self.per_second) * elapsed.as_micros() / 1_000_000;
        let in_time = total as u128 * elapsed.as_micros() / self.within.as_micros().max(1);
        let due = usize::try_from(by_rate.max(in_time)).unwrap_or(total);
        due.min(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_counts_unless_time_runs_out() {
        let pace = Pace::new(100, Duration::from_secs(10));
        let due = |seconds, total| pace.due(Duration::from_secs(seconds), total);
        assert_eq!((due(0, 500), due(1, 500), due(4, 500), due(6, 500)), (0, 100, 400, 500));
        assert_eq!((due(1, 10_000), due(5, 10_000), due(10, 10_000)), (1000, 5000, 10_000));
        assert_eq!(Pace::new(0, Duration::from_secs(10)).due(Duration::ZERO, 7), 7);
        assert_eq!(Pace::new(1, Duration::ZERO).due(Duration::ZERO, 7), 7);
    }
}
