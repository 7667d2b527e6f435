//! Fan-out: one publisher, many subscribers. A publish is under way until all have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Common;
use super::report::{Report, Tally, Watch};
use super::wire::{Form, Wire};

const ADDRESS: &str = "bench.fanout";
const PING_INTERVAL: Duration = Duration::from_secs(4);
/// Time that the last deliveries have to come in.
const LINGER: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Fanout {
    /// Subscribers, each with a connection.
    #[arg(long, default_value_t = 100)]
    subscribers: usize,
    /// Publishes under way.
    #[arg(long, default_value_t = 1)]
    window: usize,
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
        ensure!(self.form != Form::Bare, "a bare WebSocket has no fan-out");
        let (complete, completed) = mpsc::channel(self.window);
        let places = || (0..self.window).map(|_| AtomicUsize::new(0)).collect();
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
            let tally = Tally::new(begin)?;
            tasks.spawn(subscribe(wire, tally, Arc::clone(&board), is_over.clone()));
        }
        let publishing = tokio::spawn(publish(publisher, self.subscribers, board, completed, end));
        tokio::time::sleep_until(begin.into()).await;
        let watch = Watch::begin(self.common.pid)?;
        tokio::time::sleep_until(end.into()).await;
        let watched = watch.end()?;
        last.send_replace(Some(publishing.await??));
        let (total, lost) = Tally::collect(begin, tasks).await?;
        Ok(Report::new(self.title(), &total, watched, lost))
    }

    fn title(&self) -> String {
        let Self { subscribers, window, form, .. } = self;
        let size = self.common.size;
        format!("fan-out ({form:?}) to {subscribers}, {window} publishes under way, {size} bytes")
    }
}

/// Publishes until `end` and gives the number of the last publish.
async fn publish(
    mut wire: Wire,
    subscribers: usize,
    board: Arc<Board>,
    mut completed: mpsc::Receiver<()>,
    end: Instant,
) -> anyhow::Result<u64> {
    let window = board.sent_at.len();
    let mut ping = tokio::time::interval(PING_INTERVAL);
    let (mut number, mut under_way) = (0, 0);
    while Instant::now() < end {
        while under_way < window {
            number += 1;
            under_way += 1;
            let place = number as usize % window;
            board.missing[place].store(subscribers, std::sync::atomic::Ordering::Release);
            let now = board.started.elapsed().as_micros() as usize;
            board.sent_at[place].store(now, std::sync::atomic::Ordering::Release);
            wire.feed_publish(ADDRESS, number).await?;
        }
        wire.flush().await?;
        tokio::select! {
            _ = completed.recv() => under_way -= 1,
            () = tokio::time::sleep_until(end.into()) => {}
            _ = ping.tick() => wire.ping().await?,
        }
        while completed.try_recv().is_ok() {
            under_way -= 1;
        }
    }
    Ok(number)
}

/// Receives until the last publish is known and here; gives the tally and how many never came.
async fn subscribe(
    mut wire: Wire,
    mut tally: Tally,
    board: Arc<Board>,
    mut is_over: watch::Receiver<Option<u64>>,
) -> anyhow::Result<(Tally, u64)> {
    let mut ping = tokio::time::interval(PING_INTERVAL);
    let (mut expected, mut last, mut deadline) = (1, None, None);
    while last.is_none_or(|last| expected <= last) {
        let linger = deadline.unwrap_or_else(|| tokio::time::Instant::now() + LINGER * 100);
        tokio::select! {
            number = wire.receive() => {
                let number = number?;
                match number.cmp(&expected) {
                    std::cmp::Ordering::Less => tally.duplicated += 1,
                    std::cmp::Ordering::Equal => {}
                    std::cmp::Ordering::Greater => tally.reordered += 1,
                }
                expected = number + 1;
                received(&mut tally, &board, number, last.is_some());
            }
            _ = is_over.changed(), if last.is_none() => {
                last = *is_over.borrow_and_update();
                deadline = Some(tokio::time::Instant::now() + LINGER);
            }
            () = tokio::time::sleep_until(linger), if deadline.is_some() => break,
            _ = ping.tick() => wire.ping().await?,
        }
    }
    let lost = last.map_or(0, |last| (last + 1).saturating_sub(expected));
    Ok((tally, lost))
}

/// `is_late`: behind the end of the measurement.
fn received(tally: &mut Tally, board: &Board, number: u64, is_late: bool) {
    let place = number as usize % board.sent_at.len();
    if !is_late {
        let sent_at = board.sent_at[place].load(std::sync::atomic::Ordering::Acquire);
        let due = board.started + Duration::from_micros(sent_at as u64);
        tally.record(due, Instant::now());
    }
    if board.missing[place].fetch_sub(1, AcqRel) == 1 {
        // Room for every publish under way; after the end nobody listens.
        let _ = board.complete.try_send(());
    }
}
