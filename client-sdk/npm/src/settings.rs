//! Options from numbers, where NaN, which is what `undefined` crosses as, means the default.

use alloc::vec::Vec;
use core::time::Duration;

use trolleybus_client::{Options, OutboxPolicy, Reconnect, Transport};

/// What [`Options`] and [`Reconnect`] know by these names; times in milliseconds.
pub(crate) struct Numbers {
    pub(crate) ping_interval: f64,
    pub(crate) idle_timeout: f64,
    pub(crate) attempts_max: f64,
    pub(crate) delay_min: f64,
    pub(crate) delay_max: f64,
    pub(crate) exponent: f64,
    pub(crate) randomization: f64,
    pub(crate) outbox_len: f64,
    pub(crate) outbox_bytes: f64,
    pub(crate) climb_after: f64,
    /// Above zero the oldest messages make way in a full outbox.
    pub(crate) drops_oldest: f64,
}

impl Numbers {
    pub(crate) fn options(&self) -> Options {
        let defaults = Reconnect::default();
        let reconnect = Reconnect {
            attempts_max: attempts(self.attempts_max),
            delay_min: milliseconds(self.delay_min).unwrap_or(defaults.delay_min),
            delay_max: milliseconds(self.delay_max).unwrap_or(defaults.delay_max),
            exponent: or(self.exponent, defaults.exponent),
            randomization: or(self.randomization, defaults.randomization),
        };
        let mut options = Options::new().reconnect(reconnect);
        if let Some(interval) = milliseconds(self.ping_interval) {
            options = options.ping_interval(interval);
        }
        if let Some(timeout) = milliseconds(self.idle_timeout) {
            options = options.idle_timeout(timeout);
        }
        if let Some(envelopes) = whole(self.outbox_len) {
            options = options.outbox_len(envelopes);
        }
        if let Some(bytes) = whole(self.outbox_bytes) {
            options = options.outbox_bytes(bytes);
        }
        if let Some(time) = milliseconds(self.climb_after) {
            options = options.climb_after(time);
        }
        if self.drops_oldest > 0.0 {
            options = options.outbox_policy(OutboxPolicy::DropOldest);
        }
        options
    }
}

/// The transports among names with commas between them; none means the default.
pub(crate) fn names(names: &str) -> Vec<Transport> {
    let mut transports = Vec::new();
    let mut rest = Some(names);
    while let Some(names) = rest {
        let (name, behind) = match names.split_once(',') {
            Some((name, behind)) => (name, Some(behind)),
            None => (names, None),
        };
        transports.extend(name.trim_ascii().parse::<Transport>());
        rest = behind;
    }
    transports
}

/// A time that JavaScript gives; below zero means never, which is zero here.
pub(crate) fn milliseconds(number: f64) -> Option<Duration> {
    whole(number).map(|whole| Duration::from_millis(whole as u64))
}

/// A number of attempts; none for no limit.
pub(crate) fn attempts(number: f64) -> Option<u32> {
    whole(number).and_then(|attempts| u32::try_from(attempts).ok())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends"
)]
fn whole(number: f64) -> Option<usize> {
    (!number.is_nan() && number < f64::INFINITY).then_some(number as usize)
}

fn or(number: f64, default: f64) -> f64 {
    if number.is_nan() { default } else { number }
}
