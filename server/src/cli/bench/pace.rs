//! When the next message goes: as soon as there is room, or when it is due whatever comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// One sender's share of the load.
#[derive(Debug)]
pub(super) struct Pace {
    /// None in a closed loop.
    beat: Option<Beat>,
}

#[derive(Debug)]
struct Beat {
    start: Instant,
    gap: Duration,
    taken: u32,
    bell: Arc<Notify>,
}

impl Pace {
    /// One for each of `senders`: closed loops, or together `rate` messages a second until `end`.
    ///
    /// A thread of its own rings when a message is due, because the runtime's timers know whole
    /// milliseconds only.
    pub(super) fn each(rate: Option<u64>, senders: usize, end: Instant) -> Vec<Self> {
        let Some(rate) = rate else {
            return (0..senders).map(|_| Self { beat: None }).collect();
        };
        let step = Duration::from_secs_f64(1.0 / rate.max(1) as f64);
        let gap = Duration::from_secs_f64(senders as f64 / rate.max(1) as f64);
        let start = Instant::now();
        let bells: Vec<_> = (0..senders).map(|_| Arc::new(Notify::new())).collect();
        let paces = bells.iter().enumerate().map(|(index, bell)| {
            let start = start + step.mul_f64(index as f64);
            let beat = Beat { start, gap, taken: 0, bell: Arc::clone(bell) };
            Self { beat: Some(beat) }
        });
        let paces = paces.collect();
        // Ends by itself at `end`.
        std::thread::spawn(move || ring(&bells, start, step, end));
        paces
    }

    pub(super) fn is_open(&self) -> bool {
        self.beat.is_some()
    }

    /// The moment from which the next message's latency counts, unless it is not due yet.
    pub(super) fn take_due(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let Some(beat) = &mut self.beat else { return Some(now) };
        let due = beat.start + beat.gap * beat.taken;
        (due <= now).then(|| {
            beat.taken += 1;
            due
        })
    }

    /// Waits until a further message may be due; for ever in a closed loop.
    ///
    /// # Cancel safety
    /// A ring that nobody waits for is kept.
    pub(super) async fn beat(&self) {
        match &self.beat {
            Some(beat) => beat.bell.notified().await,
            None => std::future::pending().await,
        }
    }
}

fn ring(bells: &[Arc<Notify>], start: Instant, step: Duration, end: Instant) {
    for (number, bell) in (0_u32..).zip(bells.iter().cycle()) {
        let due = start + step.mul_f64(f64::from(number));
        if due >= end {
            break;
        }
        if let Some(left) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(left);
        }
        bell.notify_one();
    }
    // Whoever waits looks at the clock once more.
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    bells.iter().for_each(|bell| bell.notify_one());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_due_keeps_its_moment_when_it_is_taken_late() {
        let end = Instant::now() + Duration::from_millis(50);
        let mut paces = Pace::each(Some(1000), 2, end);
        let mut second = paces.pop().unwrap();
        std::thread::sleep(Duration::from_millis(30));
        let dues: Vec<_> = std::iter::from_fn(|| second.take_due()).take(10).collect();
        assert_eq!(dues.len(), 10);
        // Two senders of a thousand a second: each has one every two milliseconds.
        assert!(dues.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(2)));
        second.beat().await;
    }

    #[test]
    fn a_closed_loop_is_always_due() {
        let mut pace = Pace::each(None, 1, Instant::now()).pop().unwrap();
        assert!(!pace.is_open() && pace.take_due().is_some() && pace.take_due().is_some());
    }
}
