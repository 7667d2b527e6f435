//! Many to many: one publisher to random addresses of many, clients that register for some each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use clap::Args;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Common;
use super::pace::Pace;
use super::report::{Report, Tally, Watch};
use super::wire::{Form, Wire};

const PING_INTERVAL: Duration = Duration::from_secs(4);
/// Time that the last deliveries have to come in.
const LINGER: Duration = Duration::from_secs(2);
/// A message's number is its place times this, plus its sequence number.
const PLACE: u64 = 100_000_000;
/// Publishes that may be under way at most. At a fixed rate further ones wait, and their time runs.
const MOST: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct Many {
    /// Addresses.
    #[arg(long, default_value_t = 1000)]
    addresses: usize,
    /// Clients, each with a connection.
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Addresses that each client registers for.
    #[arg(long, default_value_t = 10)]
    registrations: usize,
    /// Publishes under way, at most 1000.
    #[arg(long, default_value_t = 16)]
    window: usize,
    /// Publishes a second, sent when they are due; instead of a window.
    #[arg(long)]
    rate: Option<u64>,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What publisher and clients share, with a place for each publish under way.
struct Board {
    started: Instant,
    /// Microseconds since `started`.
    sent_at: Vec<AtomicU64>,
    missing: Vec<AtomicUsize>,
    complete: mpsc::Sender<usize>,
}

impl Many {
    pub(super) async fn run(&self) -> anyhow::Result<Report> {
        ensure!(self.clients > 0 && self.addresses > 0, "there must be something to do");
        ensure!((1..=MOST).contains(&self.window), "1 to {MOST} publishes may be under way");
        ensure!(self.registrations <= self.addresses, "there are not so many addresses");
        let window = self.rate.map_or(self.window, |_| MOST);
        let (complete, completed) = mpsc::channel(window);
        let started = Instant::now();
        let sent_at = (0..window).map(|_| AtomicU64::new(0)).collect();
        let missing = (0..window).map(|_| AtomicUsize::new(0)).collect();
        let board = Arc::new(Board { started, sent_at, missing, complete });
        let wires = self.connect().await?;
        let publisher = Wire::open(&self.common.url, self.form, self.common.size).await?;
        let begin = Instant::now() + self.common.warm_up();
        let end = begin + self.common.measured();
        let (over, is_over) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for wire in wires {
            let tally = Tally::new(begin, end)?;
            tasks.spawn(consume(wire, tally, Arc::clone(&board), is_over.clone()));
        }
        let pace = Pace::each(self.rate, 1, end).remove(0);
        let publishing = Publishing::new(publisher, pace, self.subscribers(), board);
        let publishing = tokio::spawn(publishing.run(completed, end));
        tokio::time::sleep_until(begin.into()).await;
        let watch = Watch::begin(self.common.pid)?;
        tokio::time::sleep_until(end.into()).await;
        let watched = watch.end()?;
        let lost = publishing.await??;
        over.send_replace(true);
        let (total, _) = Tally::collect((begin, end), tasks).await?;
        Ok(Report::new(self.title(), &total, watched, lost))
    }

    async fn connect(&self) -> anyhow::Result<Vec<Wire>> {
        let mut wires = Vec::with_capacity(self.clients);
        for client in 0..self.clients {
            let mut wire = Wire::open(&self.common.url, self.form, self.common.size).await?;
            let mine: Vec<_> = self.registrations_of(client).map(address).collect();
            wire.register(&mine).await?;
            wires.push(wire);
        }
        Ok(wires)
    }

    /// The addresses of one client: the next ones round the circle.
    fn registrations_of(&self, client: usize) -> impl Iterator<Item = usize> {
        let (registrations, addresses) = (self.registrations, self.addresses);
        (0..registrations).map(move |index| (client * registrations + index) % addresses)
    }

    /// How many clients each address has.
    fn subscribers(&self) -> Vec<usize> {
        let mut subscribers = vec![0; self.addresses];
        for client in 0..self.clients {
            self.registrations_of(client).for_each(|address| subscribers[address] += 1);
        }
        subscribers
    }

    fn title(&self) -> String {
        let Self { addresses, clients, registrations, window, form, .. } = self;
        let size = self.common.size;
        let pace = match self.rate {
            Some(rate) => format!("{rate} random publishes a second"),
            None => format!("{window} random publishes under way"),
        };
        format!(
            "{clients} clients with {registrations} of {addresses} addresses each ({form:?}), \
             {pace}, {size} bytes"
        )
    }
}

fn address(index: usize) -> String {
    format!("bench.many.{index}")
}

struct Publishing {
    wire: Wire,
    pace: Pace,
    /// How many clients each address has.
    subscribers: Vec<usize>,
    /// The addresses that have any.
    wanted: Vec<usize>,
    board: Arc<Board>,
    number: u64,
    random: u64,
}

impl Publishing {
    fn new(wire: Wire, pace: Pace, subscribers: Vec<usize>, board: Arc<Board>) -> Self {
        let wanted = (0..subscribers.len()).filter(|index| subscribers[*index] > 0).collect();
        let random = 0x9E37_79B9_7F4A_7C15;
        Self { wire, pace, subscribers, wanted, board, number: 0, random }
    }

    /// Publishes until `end`; gives how many deliveries never came.
    async fn run(
        mut self,
        mut completed: mpsc::Receiver<usize>,
        end: Instant,
    ) -> anyhow::Result<u64> {
        let mut free: Vec<usize> = (0..self.board.sent_at.len()).collect();
        let mut ping = tokio::time::interval(PING_INTERVAL);
        while Instant::now() < end {
            while let Some(place) = free.pop() {
                let Some(due) = self.pace.take_due() else {
                    free.push(place);
                    break;
                };
                self.feed(place, due).await?;
            }
            self.wire.flush().await?;
            tokio::select! {
                place = completed.recv() => free.extend(place),
                () = self.pace.beat() => {}
                () = tokio::time::sleep_until(end.into()) => {}
                _ = ping.tick() => self.wire.ping().await?,
                // Nothing comes, but over HTTP nobody is there who does not ask.
                number = self.wire.receive() => bail!("the publisher was sent {}", number?),
            }
            while let Ok(place) = completed.try_recv() {
                free.push(place);
            }
        }
        let (deadline, missing) = (tokio::time::Instant::now() + LINGER, &self.board.missing);
        while free.len() < missing.len() {
            let Ok(place) = tokio::time::timeout_at(deadline, completed.recv()).await else {
                break;
            };
            free.extend(place);
        }
        Ok(missing.iter().map(|missing| missing.load(Ordering::Acquire) as u64).sum())
    }

    async fn feed(&mut self, place: usize, due: Instant) -> anyhow::Result<()> {
        const FACTOR: u64 = 0x5851_F42D_4C95_7F2D;
        self.number += 1;
        self.random = self.random.wrapping_mul(FACTOR).wrapping_add(0x1405_7B7E_F767_814F);
        let index = self.wanted[(self.random >> 33) as usize % self.wanted.len()];
        self.board.missing[place].store(self.subscribers[index], Ordering::Release);
        let due = due.saturating_duration_since(self.board.started).as_micros() as u64;
        self.board.sent_at[place].store(due, Ordering::Release);
        let number = place as u64 * PLACE + self.number % PLACE;
        self.wire.feed_publish(&address(index), number).await
    }
}

/// Receives until everything is over. One publisher's numbers only grow.
async fn consume(
    mut wire: Wire,
    mut tally: Tally,
    board: Arc<Board>,
    mut is_over: watch::Receiver<bool>,
) -> anyhow::Result<(Tally, u64)> {
    let mut ping = tokio::time::interval(PING_INTERVAL);
    let mut last = 0;
    loop {
        tokio::select! {
            number = wire.receive() => {
                let number = number?;
                let (place, sequence) = ((number / PLACE) as usize, number % PLACE);
                match sequence.cmp(&last) {
                    std::cmp::Ordering::Less => tally.reordered += 1,
                    std::cmp::Ordering::Equal => tally.duplicated += 1,
                    std::cmp::Ordering::Greater => last = sequence,
                }
                let sent_at = Duration::from_micros(board.sent_at[place].load(Ordering::Acquire));
                tally.record(board.started + sent_at, Instant::now());
                if board.missing[place].fetch_sub(1, Ordering::AcqRel) == 1 {
                    // Room for every publish under way; after the end nobody listens.
                    let _ = board.complete.try_send(place);
                }
            }
            _ = is_over.changed() => return Ok((tally, 0)),
            _ = ping.tick() => wire.ping().await?,
        }
    }
}
