//! Messages per second, out of counters that are looked at now and then; pure: the time is passed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Looks closer together than this give the rate of the look before.
const SHORTEST: Duration = Duration::from_secs(1);
/// A look that is older than this says nothing about now.
const LONGEST: Duration = Duration::from_secs(300);
/// Counters that are remembered at most.
const MOST: usize = 10_000;

/// What counters stood at when they were last looked at.
#[derive(Debug, Default)]
pub(super) struct Rates(HashMap<String, Look>);

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    count: u64,
    rate: Option<f64>,
}

impl Rates {
    /// The growth of a counter per second since the last look at it; none at the first.
    pub(super) fn rate(&mut self, now: Instant, name: &str, count: u64) -> Option<f64> {
        let Some(look) = self.0.get_mut(name) else {
            self.make_room(now);
            if self.0.len() < MOST {
                self.0.insert(name.to_owned(), Look { at: now, count, rate: None });
            }
            return None;
        };
        let passed = now.saturating_duration_since(look.at);
        if passed < SHORTEST {
            return look.rate;
        }
        // A counter that has shrunk began anew in between.
        let grown = count.checked_sub(look.count).filter(|_| passed <= LONGEST);
        let rate = grown.map(|grown| grown as f64 / passed.as_secs_f64());
        *look = Look { at: now, count, rate };
        rate
    }

    fn make_room(&mut self, now: Instant) {
        if self.0.len() >= MOST {
            self.0.retain(|_, look| now.saturating_duration_since(look.at) <= LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_two_looks_a_second_apart() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        assert_eq!(rates.rate(at(0.0), "a", 10), None);
        assert_eq!(rates.rate(at(0.5), "a", 20), None);
        assert_eq!(rates.rate(at(2.0), "a", 30), Some(10.0));
        assert_eq!(rates.rate(at(2.1), "a", 99), Some(10.0));
        assert_eq!(rates.rate(at(3.0), "a", 5), None);
        assert_eq!(rates.rate(at(400.0), "a", 6), None);
        assert_eq!(rates.rate(at(401.0), "a", 8), Some(2.0));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        for number in 0..MOST + 5 {
            rates.rate(start, &number.to_string(), 0);
        }
        assert_eq!(rates.0.len(), MOST);
        rates.rate(start + 2 * LONGEST, "late", 0);
        assert_eq!(rates.0.len(), 1);
    }
}
