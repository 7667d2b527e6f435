//! Fan-out: one publisher, many subscribers. A publish is under way until all have it.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Release},
};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use clap::Args;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Common;
use super::pace::Pace;
use super::report::{Report, Tally, Watch};
use super::sequence::Sequence;
use super::wire::{Form, Wire};

const ADDRESS: &str = "bench.fanout";
const PING_INTERVAL: Duration = Duration::from_secs(4);
/// Time that the last deliveries have to come in.
const LINGER: Duration = Duration::from_secs(2);
/// Publishes that may be under way at a fixed rate. Further ones wait, and their time runs.
const OPEN_WINDOW: usize = 65_536;

#[derive(Debug, Args)]
pub(super) struct Fanout {
    /// Subscribers, each with a connection.
    #[arg(long, default_value_t = 100)]
    subscribers: usize,
    /// Publishes under way.
    #[arg(long, default_value_t = 1)]
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

/// What publisher and subscribers share: for each publish under way, when it was sent and how
/// many have yet to get it.
struct Board {
    started: Instant,
    /// Microseconds since `started`, one place for each publish under way.
    sent_at: Vec<AtomicUsize>,
    missing: Vec<AtomicUsize>,
    complete: mpsc::Sender<()>,
}

impl Fanout {
    pub(super) async fn run(&self) -> anyhow::Result<Report> {
        ensure!(self.subscribers > 0 && self.window > 0, "there must be something to do");
        let window = self.rate.map_or(self.window, |_| OPEN_WINDOW);
        let (complete, completed) = mpsc::channel(window);
        let places = || (0..window).map(|_| AtomicUsize::new(0)).collect();
        let started = Instant::now();
        let board = Arc::new(Board { started, sent_at: places(), missing: places(), complete });
        let mut subscribers = Vec::with_capacity(self.subscribers);
        for _ in 0..self.subscribers {
            let mut wire = Wire::open(&self.common.url, self.form, self.common.size).await?;
            wire.register(&[ADDRESS]).await?;
            subscribers.push(wire);
        }
        let publisher = Wire::open(&self.common.url, self.form, self.common.size).await?;
        let begin = Instant::now() + self.common.warm_up();
        let end = begin + self.common.measured();
        let (last, is_over) = watch::channel(None);
        let mut tasks = JoinSet::new();
        for wire in subscribers {
            let tally = Tally::new(begin, end)?;
            tasks.spawn(subscribe(wire, tally, Arc::clone(&board), is_over.clone()));
        }
        let pace = Pace::each(self.rate, 1, end).remove(0);
        let publishing = Publishing { wire: publisher, subscribers: self.subscribers, board, pace };
        let publishing = tokio::spawn(publishing.run(completed, end));
        tokio::time::sleep_until(begin.into()).await;
        let watch = Watch::begin(self.common.pid)?;
        tokio::time::sleep_until(end.into()).await;
        let watched = watch.end()?;
        last.send_replace(Some(publishing.await??));
        let (total, lost) = Tally::collect((begin, end), tasks).await?;
        Ok(Report::new(self.title(), &total, watched, lost))
    }

    fn title(&self) -> String {
        let Self { subscribers, window, form, .. } = self;
        let size = self.common.size;
        let pace = match self.rate {
            Some(rate) => format!("{rate} publishes a second"),
            None => format!("{window} publishes under way"),
        };
        format!("fan-out ({form:?}) to {subscribers}, {pace}, {size} bytes")
    }
}

struct Publishing {
    wire: Wire,
    subscribers: usize,
    board: Arc<Board>,
    pace: Pace,
}

impl Publishing {
    /// Publishes until `end` and gives the number of the last publish.
    async fn run(mut self, mut completed: mpsc::Receiver<()>, end: Instant) -> anyhow::Result<u64> {
        let mut ping = tokio::time::interval(PING_INTERVAL);
        let (mut number, mut under_way) = (0, 0);
        while Instant::now() < end {
            while under_way < self.board.sent_at.len() {
                let Some(due) = self.pace.take_due() else { break };
                number += 1;
                under_way += 1;
                self.feed(number, due).await?;
            }
            self.wire.flush().await?;
            tokio::select! {
                _ = completed.recv() => under_way -= 1,
                () = self.pace.beat() => {}
                () = tokio::time::sleep_until(end.into()) => {}
                _ = ping.tick() => self.wire.ping().await?,
                // Nothing comes, but over HTTP nobody is there who does not ask.
                number = self.wire.receive() => bail!("the publisher was sent {}", number?),
            }
            while completed.try_recv().is_ok() {
                under_way -= 1;
            }
        }
        Ok(number)
    }

    async fn feed(&mut self, number: u64, due: Instant) -> anyhow::Result<()> {
        let place = number as usize % self.board.sent_at.len();
        self.board.missing[place].store(self.subscribers, Release);
        let due = due.saturating_duration_since(self.board.started).as_micros() as usize;
        self.board.sent_at[place].store(due, Release);
        self.wire.feed_publish(ADDRESS, number).await
    }
}

/// Receives until the last publish is known and here; gives the tally and how many never came.
async fn subscribe(
    mut wire: Wire,
    mut tally: Tally,
    board: Arc<Board>,
    mut is_over: watch::Receiver<Option<u64>>,
) -> anyhow::Result<(Tally, u64)> {
    let mut ping = tokio::time::interval(PING_INTERVAL);
    let (mut sequence, mut last, mut deadline) = (Sequence::default(), None, None);
    while last.is_none_or(|last| !sequence.is_whole(last)) {
        let linger = deadline.unwrap_or_else(|| tokio::time::Instant::now() + LINGER * 100);
        tokio::select! {
            number = wire.receive() => {
                let number = number?;
                tally.count(&sequence.take(number));
                received(&mut tally, &board, number);
            }
            _ = is_over.changed(), if last.is_none() => {
                last = *is_over.borrow_and_update();
                deadline = Some(tokio::time::Instant::now() + LINGER);
            }
            () = tokio::time::sleep_until(linger), if deadline.is_some() => break,
            _ = ping.tick() => wire.ping().await?,
        }
    }
    let lost = last.map_or(0, |last| sequence.missing(last));
    Ok((tally, lost))
}

fn received(tally: &mut Tally, board: &Board, number: u64) {
    let place = number as usize % board.sent_at.len();
    let sent_at = Duration::from_micros(board.sent_at[place].load(Acquire) as u64);
    tally.record(board.started + sent_at, Instant::now());
    if board.missing[place].fetch_sub(1, AcqRel) == 1 {
        // Room for every publish under way; after the end nobody listens.
        let _ = board.complete.try_send(());
    }
}
