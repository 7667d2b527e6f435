//! Options from an array of numbers, whose order `js/bus.js` knows too.

use alloc::vec::Vec;
use core::time::Duration;

use trolleybus_client::{Options, Reconnect, Transport};

/// `transports` is a list of names with commas; empty means the default.
pub(crate) fn options(transports: &str, numbers: &[f64]) -> Options {
    let number = |index: usize| numbers.get(index).copied().unwrap_or(f64::NAN);
    let defaults = Reconnect::default();
    let reconnect = Reconnect {
        attempts_max: attempts(number(2)),
        delay_min: milliseconds(number(3)).unwrap_or(defaults.delay_min),
        delay_max: milliseconds(number(4)).unwrap_or(defaults.delay_max),
        exponent: or(number(5), defaults.exponent),
        randomization: or(number(6), defaults.randomization),
    };
    let mut options = Options::new().reconnect(reconnect);
    if let Some(interval) = milliseconds(number(0)) {
        options = options.ping_interval(interval);
    }
    if let Some(timeout) = milliseconds(number(1)) {
        options = options.idle_timeout(timeout);
    }
    if let Some(envelopes) = whole(number(7)) {
        options = options.outbox_len(envelopes);
    }
    if let Some(bytes) = whole(number(8)) {
        options = options.outbox_bytes(bytes);
    }
    options.transports(names(transports))
}

/// The transports among names with commas between them.
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
