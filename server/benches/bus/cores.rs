//! Two threads against one, at the bus itself: how much more gets done, and so what threads share
//! that they need not.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use trolleybus::bus::{Delivery, Dispatch, Handler, Message, ReplySink};
use trolleybus::{Address, Body, Bus, BusMessage as _, Error, Headers, Registration};

use crate::Counting;

/// Addresses of each thread, or of all together.
const ADDRESSES: usize = 1000;
/// Handlers of the address that all share.
const HANDLERS: usize = 100;
/// What each thread does in one round, which is short enough to find a machine undisturbed.
const ROUND: usize = 2_000;
const ROUNDS: usize = 1001;

#[derive(Debug, Clone, Copy)]
enum Work {
    Publish,
    Request,
    /// Register and unregister.
    Register,
}

/// What a thread works with: copies of its own, as a message that came over a socket is.
struct Worker {
    bus: Bus,
    addresses: Vec<Address>,
    body: Body,
    /// What it registers.
    handler: Arc<Apart>,
    answers: Arc<Apart>,
    random: u64,
}

/// In cache lines that no other thread uses.
#[derive(Default)]
#[repr(align(128))]
struct Apart(Counting);

impl Handler for Apart {
    fn deliver(&self, message: &Message) -> Delivery {
        self.0.deliver(message)
    }
}

struct Answered(Arc<Apart>);

impl ReplySink for Answered {
    fn complete(self: Box<Self>, answer: Result<Message, Error>) {
        assert!(answer.is_ok(), "{answer:?}");
        self.0.0.0.fetch_add(1, Relaxed);
    }
}

impl Worker {
    fn new(bus: &Bus, addresses: &[String], seed: usize) -> Self {
        let addresses = addresses.iter().map(|text| Address::from(text.as_str())).collect();
        let (handler, answers) = <(Arc<Apart>, Arc<Apart>)>::default();
        let random = seed as u64 + 1;
        Self {
            bus: bus.clone(),
            addresses,
            body: Body::from_text("goal"),
            handler,
            answers,
            random,
        }
    }

    /// One of its addresses, in an order that no cache foresees.
    fn address(&mut self) -> &Address {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        &self.addresses[self.random as usize % self.addresses.len()]
    }

    fn timed(&mut self, work: Work, times: usize) -> Span {
        let begin = Instant::now();
        self.work(work, times);
        (begin, Instant::now())
    }

    fn work(&mut self, work: Work, times: usize) {
        for _ in 0..times {
            let address = self.address().clone();
            if matches!(work, Work::Register) {
                drop(self.bus.register(&address, self.handler.clone()));
                continue;
            }
            let dispatch = Dispatch::new(address, self.body.clone(), Headers::new());
            if matches!(work, Work::Publish) {
                assert!(self.bus.publish_message(dispatch) > 0);
            } else {
                self.bus.request_message(dispatch, Box::new(Answered(self.answers.clone())));
            }
        }
        let answered = self.answers.0.0.swap(0, Relaxed);
        assert_eq!(answered, if matches!(work, Work::Request) { times as u64 } else { 0 });
    }
}

/// The second thread, which waits for its rounds.
struct Second {
    start: mpsc::SyncSender<()>,
    spans: mpsc::Receiver<Span>,
}

type Span = (Instant, Instant);

/// Nanoseconds for one operation of any thread, both at work at the same time if there is a second.
fn round(
    worker: &mut Worker,
    work: Work,
    times: usize,
    ready: &AtomicUsize,
    second: Option<&Second>,
) -> f64 {
    let Some(second) = second else {
        let (begin, end) = worker.timed(work, times);
        return nanoseconds(end - begin, times);
    };
    second.start.send(()).expect("invariant: it waits");
    meet(ready);
    let (begin, end) = worker.timed(work, times);
    let (other_begin, other_end) = second.spans.recv().expect("invariant: it tells");
    nanoseconds(end.max(other_end) - begin.min(other_begin), 2 * times)
}

/// Goes on when both are here, and awake.
fn meet(ready: &AtomicUsize) {
    let round = ready.fetch_add(1, SeqCst) / 2;
    while ready.load(SeqCst) < 2 * (round + 1) {
        spin_loop();
    }
}

#[expect(clippy::cast_precision_loss, reason = "a measurement")]
fn nanoseconds(took: Duration, times: usize) -> f64 {
    took.as_nanos() as f64 / times as f64
}

/// One thread and two by turns; the best round of each, and the median of what two rounds that
/// followed each other say.
fn compare(name: &str, [mut first, mut other]: [Worker; 2], work: Work, times: usize) {
    let (mut best_one, mut best_two, mut gains) = (f64::MAX, f64::MAX, Vec::new());
    let ready = &AtomicUsize::new(0);
    let (start, starts) = mpsc::sync_channel(0);
    let (span, spans) = mpsc::sync_channel(1);
    let second = Second { start, spans };
    thread::scope(|scope| {
        scope.spawn(move || {
            for () in starts {
                meet(ready);
                span.send(other.timed(work, times)).expect("invariant: it is waited for");
            }
        });
        // Neither is this thread, which has counted already: counters are in memory of a thread.
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                let one = round(&mut first, work, times, ready, None);
                let two = round(&mut first, work, times, ready, Some(&second));
                (best_one, best_two) = (best_one.min(one), best_two.min(two));
                gains.push(one / two);
            }
            drop(second);
        });
    });
    gains.sort_by(f64::total_cmp);
    let (best, gain) = (best_one / best_two, gains[ROUNDS / 2]);
    let name = format!("{name}, {}", format!("{work:?}").to_lowercase());
    println!(
        "{name:<50} {best_one:>8.1} ns {best_two:>8.1} ns   best x{best:.2}   median x{gain:.2}"
    );
}

fn names(place: &str) -> Vec<String> {
    (0..ADDRESSES).map(|number| format!("user.{place}{number}.inbox")).collect()
}

/// Somebody for each address: who counts, or who answers.
fn consume(bus: &Bus, addresses: &[String], work: Work) -> Vec<Registration> {
    let register = |address: &String| match work {
        Work::Request => bus.responder(address.as_str(), |message| {
            message.reply(message.body().clone()).expect("invariant: it is a body");
        }),
        _ => bus.register(&address.as_str().into(), Arc::<Counting>::default()),
    };
    addresses.iter().map(register).collect()
}

pub(crate) fn measure() {
    println!("{:<50} {:>11} {:>11}", "for each operation", "one thread", "two");
    let places = [0, 1].map(|thread| names(&format!("{thread}.")));
    for work in [Work::Publish, Work::Request, Work::Register] {
        {
            let buses = [Bus::new(), Bus::new()];
            let _all = [0, 1].map(|thread| consume(&buses[thread], &places[thread], work));
            let workers = [0, 1].map(|thread| Worker::new(&buses[thread], &places[thread], thread));
            compare("a bus each", workers, work, ROUND);
        }
        let bus = Bus::new();
        if matches!(work, Work::Register) {
            let workers = [0, 1].map(|thread| Worker::new(&bus, &places[thread], thread));
            compare("own addresses that nobody consumes", workers, work, ROUND);
        }
        {
            let _all = [0, 1].map(|thread| consume(&bus, &places[thread], work));
            let workers = [0, 1].map(|thread| Worker::new(&bus, &places[thread], thread));
            compare("own addresses", workers, work, ROUND);
        }
        {
            let _all = consume(&bus, &places[0], work);
            let workers = [0, 1].map(|thread| Worker::new(&bus, &places[0], thread));
            compare("the same 1,000", workers, work, ROUND);
        }
        let one = &places[0][..1];
        let _all: Vec<_> = (0..HANDLERS).map(|_| consume(&bus, one, work)).collect();
        let workers = [0, 1].map(|thread| Worker::new(&bus, one, thread));
        let times = if matches!(work, Work::Publish) { ROUND / HANDLERS } else { ROUND };
        compare("one with 100 handlers", workers, work, times);
    }
}
