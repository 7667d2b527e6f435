//! How long to wait before the next attempt.

use trolleybus_protocol::codes::Close;

use super::random::Random;
use crate::options::Reconnect;

/// The clients of a server that shuts down come back over this many milliseconds more, because
/// they all lose it at once.
const DRAIN_SPREAD: f64 = 3000.0;
/// A client that was too many, or too loud, comes back after this many milliseconds to twice as
/// many.
const BUSY_MIN: f64 = 10_000.0;

/// The delay in milliseconds before attempt number `attempt`, counted from 0, after the connection
/// went with `code`. None when no further attempt is allowed.
pub(super) fn delay(
    reconnect: &Reconnect,
    attempt: u32,
    code: u16,
    random: &mut Random,
) -> Option<u64> {
    if reconnect.attempts_max.is_some_and(|max| attempt >= max) {
        return None;
    }
    let minimum = reconnect.delay_min.as_secs_f64() * 1000.0;
    let maximum = (reconnect.delay_max.as_secs_f64() * 1000.0).max(minimum);
    let mut delay = minimum;
    // After 64 doublings every delay has met its maximum; no `powf`, which is large in wasm.
    for _ in 0..attempt.min(64) {
        delay = (delay * reconnect.exponent.max(1.0)).min(maximum);
    }
    let spread = reconnect.randomization.clamp(0.0, 1.0) * delay;
    let mut delay = (delay + spread * (2.0 * random.fraction() - 1.0)).min(maximum);
    if code == Close::DRAINING.code {
        delay += DRAIN_SPREAD * random.fraction();
    } else if [Close::RATE_LIMITED.code, Close::TOO_MANY_CONNECTIONS.code].contains(&code) {
        delay = delay.max(BUSY_MIN * (1.0 + random.fraction()));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between zero and the longest delay; the cast saturates"
    )]
    Some(delay as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn delays(reconnect: &Reconnect) -> Vec<u64> {
        let mut random = Random::new(7);
        (0..8).map_while(|attempt| delay(reconnect, attempt, 1006, &mut random)).collect()
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let reconnect = Reconnect { randomization: 0.0, ..Reconnect::default() };
        let expected = [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000];
        assert_eq!(delays(&reconnect), expected);
    }

    #[test]
    fn spread_stays_within_its_share_and_below_the_longest() {
        let reconnect = Reconnect::default();
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let first = delay(&reconnect, 0, 1006, &mut random).unwrap();
            assert!((250..=750).contains(&first), "{first}");
            let late = delay(&reconnect, 20, 1006, &mut random).unwrap();
            assert!((15_000..=30_000).contains(&late), "{late}");
        }
    }

    #[test]
    fn zeros_are_honoured() {
        let at_once = Reconnect { delay_min: Duration::ZERO, ..Reconnect::default() };
        assert_eq!(delays(&at_once), [0; 8]);
        let odd = Reconnect { exponent: 0.0, randomization: 0.0, ..Reconnect::default() };
        assert_eq!(delays(&odd), [500; 8]);
        assert!(delays(&Reconnect::never()).is_empty());
    }

    #[test]
    fn clients_of_a_drained_server_come_back_apart_and_busy_ones_later() {
        let reconnect = Reconnect { randomization: 0.0, ..Reconnect::default() };
        let reconnect = &reconnect;
        let delays = |code| {
            (0..200).map(move |seed| delay(reconnect, 0, code, &mut Random::new(seed)).unwrap())
        };
        let drained = || delays(1012);
        assert!(drained().all(|delay| (500..3500).contains(&delay)));
        assert!(drained().min() < Some(800) && drained().max() > Some(3200));
        for code in [3005, 3006] {
            assert!(delays(code).all(|delay| (10_000..20_000).contains(&delay)));
        }
        let never = Reconnect::never();
        assert_eq!(delay(&never, 0, 1012, &mut Random::new(1)), None);
    }

    #[test]
    fn attempts_are_counted() {
        let reconnect = Reconnect { attempts_max: Some(3), ..Reconnect::default() };
        assert_eq!(delays(&reconnect).len(), 3);
    }
}
