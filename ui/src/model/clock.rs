//! Points in time. The page's clock is read elsewhere and passed in.

const DAY: f64 = 86_400_000.0;

/// A point in time: milliseconds since 1970, local time, so that it reads as a time of day.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub(crate) struct Moment(pub(crate) f64);

impl Moment {
    /// Milliseconds from `earlier` to here.
    pub(crate) fn since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0).max(0.0)
    }

    /// As `14:02:09`.
    pub(crate) fn time_of_day(self) -> String {
        let seconds = (self.0.rem_euclid(DAY) / 1000.0) as u32;
        format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

/// A length of time as people read it: `0.8 ms`, `12 ms`, `1.2 s`. In whole numbers, because
/// printing fractions would cost the download several kilobytes.
pub(crate) fn milliseconds(length: f64) -> String {
    match length {
        short if short < 9.95 => format!("{} ms", tenths(short)),
        medium if medium < 999.5 => format!("{} ms", medium.round() as u32),
        long => format!("{} s", tenths(long / 1000.0)),
    }
}

fn tenths(number: f64) -> String {
    let tenths = (number * 10.0).round() as u32;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Whole seconds from `now` until `then`, the running one counted.
pub(crate) fn seconds_left(now: Moment, then: Moment) -> u32 {
    (then.since(now) / 1000.0).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(Moment(DAY * 20_000.0 + 50_529_999.0).time_of_day(), "14:02:09");
        assert_eq!(milliseconds(0.84), "0.8 ms");
        assert_eq!(milliseconds(12.3), "12 ms");
        assert_eq!(milliseconds(9.96), "10 ms");
        assert_eq!(milliseconds(1_240.0), "1.2 s");
    }

    #[test]
    fn countdown_ends_at_zero() {
        assert_eq!(seconds_left(Moment(0.0), Moment(2_001.0)), 3);
        assert_eq!(seconds_left(Moment(5_000.0), Moment(2_000.0)), 0);
    }
}
