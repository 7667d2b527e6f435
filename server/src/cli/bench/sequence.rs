//! The numbers that one receiver gets from one publisher: what is missing, late or double.

use std::collections::HashSet;

/// Missing numbers that are kept in mind; of more it is only known how many there are.
const MOST: usize = 100_000;

/// How a number relates to those before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    InOrder,
    /// Later ones were here before.
    Late,
    Double,
}

#[derive(Debug, Default)]
pub(super) struct Sequence {
    last: u64,
    missing: HashSet<u64>,
    forgotten: u64,
}

impl Sequence {
    /// Takes the next number; the first of all is 1.
    pub(super) fn take(&mut self, number: u64) -> Arrival {
        if number <= self.last {
            return if self.missing.remove(&number) { Arrival::Late } else { Arrival::Double };
        }
        for number in self.last + 1..number {
            if self.missing.len() < MOST {
                self.missing.insert(number);
            } else {
                self.forgotten += 1;
            }
        }
        self.last = number;
        Arrival::InOrder
    }

    /// Whether everything up to `last` is here.
    pub(super) fn is_whole(&self, last: u64) -> bool {
        self.missing(last) == 0
    }

    /// How many of the numbers up to `last` are not here.
    pub(super) fn missing(&self, last: u64) -> u64 {
        self.missing.len() as u64 + self.forgotten + last.saturating_sub(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_late_and_double_is_told_apart() {
        let mut sequence = Sequence::default();
        let arrivals = [1, 4, 3, 3, 5].map(|number| sequence.take(number));
        use Arrival::{Double, InOrder, Late};
        assert_eq!(arrivals, [InOrder, InOrder, Late, Double, InOrder]);
        assert_eq!((sequence.missing(5), sequence.missing(7)), (1, 3));
        assert!(!sequence.is_whole(5));
        sequence.take(2);
        assert!(sequence.is_whole(5));
    }
}
