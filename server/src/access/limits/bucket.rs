//! Token buckets in one number each, pure: time is passed in.
//!
//! A bucket of `burst` tokens that fills by `per_second` is kept as the moment when it will be full
//! again. Taking moves that moment; whoever would move it further ahead than a whole burst takes has
//! to wait. A take larger than the burst is admitted when the bucket is full, as an empty outbox
//! takes any message, and is paid for afterwards.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const NANOS: u128 = 1_000_000_000;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    per_second: u64,
    /// Time in which an empty bucket fills, in nanoseconds.
    full_after: u64,
}

impl Rate {
    /// None when `per_second` is 0: no limit.
    pub(super) fn new(per_second: u64, burst: u64) -> Option<Self> {
        let full_after = price(1, per_second)?.saturating_mul(burst.max(1));
        Some(Self { per_second, full_after })
    }

    fn price(self, tokens: u64) -> u64 {
        price(tokens, self.per_second).unwrap_or_default()
    }

    /// The moment when the bucket is full again after `tokens` more, or how long to wait.
    fn step(self, full_at: u64, now: u64, tokens: u64) -> Result<u64, Duration> {
        let (full_at, price) = (full_at.max(now), self.price(tokens));
        let missing = (full_at - now).saturating_add(price.min(self.full_after));
        if missing > self.full_after {
            return Err(Duration::from_nanos(missing - self.full_after));
        }
        Ok(full_at.saturating_add(price))
    }
}

/// The time in which `tokens` come, in nanoseconds.
fn price(tokens: u64, per_second: u64) -> Option<u64> {
    if per_second == 0 {
        return None;
    }
    // Rounded up, so that tokens one by one cost no less than many at once.
    let nanos = (u128::from(tokens) * NANOS).div_ceil(per_second.into());
    Some(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// A bucket of one owner. Times are nanoseconds since any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    full_at: u64,
}

impl Bucket {
    /// Takes tokens whether or not there are any; gives how long to wait before the next take.
    pub(super) fn charge(&mut self, rate: Rate, now: u64, tokens: u64) -> Duration {
        self.full_at = self.full_at.max(now).saturating_add(rate.price(tokens));
        Duration::from_nanos((self.full_at - now).saturating_sub(rate.full_after))
    }

    /// Takes tokens if there are any.
    pub(super) fn take(&mut self, rate: Rate, now: u64, tokens: u64) -> Result<(), Duration> {
        self.full_at = rate.step(self.full_at, now, tokens)?;
        Ok(())
    }

    /// Whether the next take will be refused.
    pub(super) fn is_empty(&self, rate: Rate, now: u64) -> bool {
        rate.step(self.full_at, now, 1).is_err()
    }
}

/// A bucket that many share, without a lock.
#[derive(Debug, Default)]
pub(super) struct SharedBucket {
    full_at: AtomicU64,
}

impl SharedBucket {
    /// Takes tokens if there are any.
    pub(super) fn take(&self, rate: Rate, now: u64, tokens: u64) -> Result<(), Duration> {
        let mut known = self.full_at.load(Relaxed);
        loop {
            let next = rate.step(known, now, tokens)?;
            match self.full_at.compare_exchange_weak(known, next, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(found) => known = found,
            }
        }
    }

    /// Whether it can be forgotten: a new one would be no fuller.
    pub(super) fn is_full(&self, now: u64) -> bool {
        self.full_at.load(Relaxed) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let rate = Rate::new(10, 5).unwrap();
        let mut bucket = Bucket::default();
        let passed = |bucket: &mut Bucket, now| {
            (0..100).filter(|_| bucket.take(rate, now, 1).is_ok()).count()
        };
        assert_eq!(passed(&mut bucket, SECOND), 5);
        assert_eq!(passed(&mut bucket, SECOND + SECOND / 10), 1);
        assert_eq!(passed(&mut bucket, 100 * SECOND), 5);
    }

    #[test]
    fn who_is_refused_hears_how_long_to_wait() {
        let rate = Rate::new(10, 1).unwrap();
        let mut bucket = Bucket::default();
        bucket.take(rate, 0, 1).unwrap();
        let wait = bucket.take(rate, 0, 1).unwrap_err();
        assert!(wait <= Duration::from_millis(101), "{wait:?}");
        let then = u64::try_from(wait.as_nanos()).unwrap();
        assert!(bucket.take(rate, then, 1).is_ok());
    }

    #[test]
    fn more_than_a_burst_passes_once_and_is_paid_for() {
        let rate = Rate::new(100, 10).unwrap();
        let mut bucket = Bucket::default();
        assert!(bucket.take(rate, 0, 1000).is_ok());
        assert!(bucket.take(rate, 9 * SECOND, 1).is_err());
        assert!(bucket.take(rate, 10 * SECOND, 1).is_ok());
    }

    #[test]
    fn charging_gives_the_debt_as_time() {
        let rate = Rate::new(10, 10).unwrap();
        let mut bucket = Bucket::default();
        assert_eq!(bucket.charge(rate, 0, 10), Duration::ZERO);
        assert_eq!(bucket.charge(rate, 0, 20), Duration::from_secs(2));
        assert_eq!(bucket.charge(rate, 3 * SECOND, 0), Duration::ZERO);
    }

    #[test]
    fn sharing_changes_no_count() {
        let rate = Rate::new(1, 1000).unwrap();
        let bucket = SharedBucket::default();
        let passed = std::thread::scope(|scope| {
            let take = || (0..1000).filter(|_| bucket.take(rate, 0, 1).is_ok()).count();
            let threads = [scope.spawn(take), scope.spawn(take)];
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(passed, 1000);
        assert!(!bucket.is_full(999 * SECOND) && bucket.is_full(1000 * SECOND));
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert!(Rate::new(0, 5).is_none());
        assert!(Rate::new(u64::MAX, u64::MAX).is_some());
    }
}
