//! What registrations cost those who publish: nanoseconds for each publish, with few and with very
//! many of them.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use trolleybus::bus::Dispatch;
use trolleybus::{Address, Body, Bus, Headers, Interception, Pattern, Registration};

use crate::Counting;

/// Addresses that are published to, one after the other.
const HOT: usize = 1000;
/// Publishes of one round, which is short enough to find a machine undisturbed for once, and rounds
/// of one measurement.
const ROUND: usize = 5000;
const ROUNDS: usize = 400;

/// A bus with handlers for so many addresses and patterns, each registered once.
struct Scene {
    bus: Bus,
    addresses: Vec<Address>,
    registrations: Vec<Registration>,
    delivered: Arc<Counting>,
    /// Where the next round over all addresses goes on.
    next: AtomicUsize,
}

impl Scene {
    fn new(addresses: usize, patterns: usize) -> Self {
        let (bus, delivered) = (Bus::new(), Arc::<Counting>::default());
        let address = |number| Address::from(format!("user.{number}.inbox"));
        let addresses: Vec<_> = (0..addresses).map(address).collect();
        let register = |address| bus.register(address, delivered.clone());
        let mut registrations: Vec<_> = addresses.iter().map(register).collect();
        for number in 0..patterns {
            // In the form of what is published, so that only the last word tells them apart.
            let pattern = Pattern::parse(format!("user.*.other{number}"));
            let pattern = pattern.expect("invariant: it is a pattern");
            registrations.push(bus.register_pattern(&pattern, delivered.clone()));
        }
        Self { bus, addresses, registrations, delivered, next: AtomicUsize::new(0) }
    }

    /// Nanoseconds for one publish, in the order that `place` gives.
    fn round(&self, body: &Body, place: impl Fn(usize) -> usize) -> f64 {
        let before = self.delivered.0.load(Relaxed);
        let start = Instant::now();
        for number in 0..ROUND {
            let address = self.addresses[place(number)].clone();
            let dispatch = Dispatch::new(address, body.clone(), Headers::new());
            black_box(self.bus.publish_message(black_box(dispatch)));
        }
        let nanoseconds = nanoseconds(start.elapsed());
        assert_eq!(self.delivered.0.load(Relaxed) - before, ROUND as u64);
        nanoseconds
    }

    /// The same addresses over and over, as many as fit into a processor's cache.
    fn hot(&self, body: &Body) -> f64 {
        self.round(body, |number| number % HOT)
    }

    /// All addresses, in an order that no cache foresees.
    fn all(&self, body: &Body) -> f64 {
        let count = self.addresses.len();
        let from = self.next.fetch_add(ROUND, Relaxed);
        self.round(body, |number| (from + number).wrapping_mul(0x9E37_79B9_7F4A_7C15) % count)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a measurement")]
fn nanoseconds(elapsed: Duration) -> f64 {
    elapsed.as_nanos() as f64 / ROUND as f64
}

/// Both by turns, so that what else the machine does hits both; the best round of each counts.
fn compare(name: &str, base: impl Fn() -> f64, other: impl Fn() -> f64) {
    let (mut best_base, mut best_other) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        best_base = best_base.min(base());
        best_other = best_other.min(other());
    }
    let ratio = best_other / best_base;
    println!("{name:<60} {best_base:>8.1} ns {best_other:>8.1} ns   x{ratio:.2}");
}

pub(crate) fn measure() {
    let body = Body::from_text("goal");
    let few = Scene::new(HOT, 0);
    println!("{:<60} {:>11} {:>11}", "publish, one handler each", "base", "compared");
    compare("1,000 exact, measured twice", || few.hot(&body), || few.hot(&body));
    {
        let many = Scene::new(1_000_000, 0);
        compare("1,000 exact; 1,000,000 exact", || few.hot(&body), || many.hot(&body));
        compare("the same, published to all of them", || few.all(&body), || many.all(&body));
        let start = Instant::now();
        let count = many.registrations.len();
        drop(many);
        println!("{count} registrations ended in {:?}", start.elapsed());
    }
    let ten = Scene::new(HOT, 10);
    compare("1,000 exact; and 10 patterns that do not match", || few.hot(&body), || ten.hot(&body));
    let thousands = Scene::new(HOT, 10_000);
    compare("10 patterns; 10,000 patterns", || ten.hot(&body), || thousands.hot(&body));
    {
        let both = Scene::new(1_000_000, 10_000);
        let name = "1,000 exact, 10 patterns; 1,000,000 exact, 10,000 patterns";
        compare(name, || ten.hot(&body), || both.hot(&body));
    }
    let intercepted = Scene::new(HOT, 0);
    let _guard = trolleybus::EventBus::add_outbound_interceptor(&intercepted.bus, |_| {
        Interception::Continue
    });
    compare("no interceptor; one", || few.hot(&body), || intercepted.hot(&body));
}
