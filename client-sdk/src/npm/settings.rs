//! Options from an array of numbers, whose order `js/index.js` knows too.

use std::time::Duration;

use crate::{Options, Reconnect, Transport};

/// `transports` is a list of names with commas; empty means the default.
pub(super) fn options(transports: &str, numbers: &[f64]) -> Options {
    let defaults = Options::default();
    let number = |index: usize| numbers.get(index).copied().unwrap_or(f64::NAN);
    let time = |index, default| milliseconds(number(index)).unwrap_or(default);
    let count = |index, default| whole(number(index)).unwrap_or(default);
    let reconnect = Reconnect {
        attempts_max: attempts(number(2)),
        delay_min: time(3, defaults.reconnect.delay_min),
        delay_max: time(4, defaults.reconnect.delay_max),
        exponent: or(number(5), defaults.reconnect.exponent),
        randomization: or(number(6), defaults.reconnect.randomization),
    };
    let options = Options::new()
        .ping_interval(time(0, defaults.ping_interval))
        .idle_timeout(time(1, defaults.idle_timeout))
        .reconnect(reconnect)
        .outbox_len(count(7, defaults.outbox_len))
        .outbox_bytes(count(8, defaults.outbox_bytes));
    options.transports(names(transports))
}

/// The transports among names with commas between them.
pub(super) fn names(names: &str) -> impl Iterator<Item = Transport> {
    names.split(',').filter_map(|name| name.trim().parse().ok())
}

/// A time that JavaScript gives; below zero means never, which is zero here.
pub(super) fn milliseconds(number: f64) -> Option<Duration> {
    whole(number).map(|whole| Duration::from_millis(whole as u64))
}

/// A number of attempts; none for no limit.
pub(super) fn attempts(number: f64) -> Option<u32> {
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
