//! Request and reply: closed loop with a window, or open loop at a fixed rate.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use super::Common;
use super::report::{Report, Tally, Watch};
use super::wire::{Form, Wire};

/// Time that the last replies have to come in.
const LINGER: Duration = Duration::from_secs(2);
const PING_INTERVAL: Duration = Duration::from_secs(4);

#[derive(Debug, Args)]
pub(super) struct Request {
    /// Connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Requests under way on each connection.
    #[arg(long, default_value_t = 1)]
    window: usize,
    /// Requests a second over all connections, sent when they are due; instead of a window.
    #[arg(long)]
    rate: Option<u64>,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

impl Request {
    pub(super) async fn run(&self) -> anyhow::Result<Report> {
        ensure!(self.connections > 0 && self.window > 0, "there must be something to do");
        let mut wires = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            wires.push(Wire::open(&self.common.url, self.form, self.common.size).await?);
        }
        let begin = Instant::now() + self.common.warm_up();
        let end = begin + self.common.measured();
        let gap = self
            .rate
            .map(|rate| Duration::from_secs_f64(self.connections as f64 / rate.max(1) as f64));
        let mut tasks = JoinSet::new();
        for (index, wire) in wires.into_iter().enumerate() {
            let offset = gap.unwrap_or_default().mul_f64(index as f64 / self.connections as f64);
            let pace = Pace { window: self.window, gap, start: Instant::now() + offset, end };
            tasks.spawn(Connection::new(wire, pace, begin)?.run());
        }
        tokio::time::sleep_until(begin.into()).await;
        let watch = Watch::begin(self.common.pid)?;
        tokio::time::sleep_until(end.into()).await;
        let watched = watch.end()?;
        let (total, lost) = Tally::collect(begin, tasks).await?;
        Ok(Report::new(self.title(), &total, watched, lost))
    }

    fn title(&self) -> String {
        let pace = match self.rate {
            Some(rate) => format!("{rate} a second"),
            None => format!("{} under way on each", self.window),
        };
        let Self { connections, form, .. } = self;
        format!(
            "request/reply ({form:?}), {connections} connections, {pace}, {} bytes",
            self.common.size
        )
    }
}

struct Pace {
    window: usize,
    gap: Option<Duration>,
    start: Instant,
    end: Instant,
}

struct Connection {
    wire: Wire,
    pace: Pace,
    tally: Tally,
    /// Number and due time of the requests under way, oldest first.
    under_way: VecDeque<(u64, Instant)>,
    next: u64,
}

impl Connection {
    fn new(wire: Wire, pace: Pace, begin: Instant) -> anyhow::Result<Self> {
        let tally = Tally::new(begin)?;
        Ok(Self { wire, pace, tally, under_way: VecDeque::new(), next: 1 })
    }

    /// Gives the tally and how many replies never came.
    async fn run(mut self) -> anyhow::Result<(Tally, u64)> {
        let mut ping = tokio::time::interval(PING_INTERVAL);
        while Instant::now() < self.pace.end {
            self.send_due().await?;
            let wake = self.pace.gap.map_or(self.pace.end, |_| self.next_due());
            tokio::select! {
                number = self.wire.receive() => {
                    self.received(number?);
                    // What is there already is taken before the next requests go, in one write.
                    while let Some(number) = self.wire.receive().now_or_never() {
                        self.received(number?);
                    }
                }
                () = tokio::time::sleep_until(wake.min(self.pace.end).into()) => {}
                _ = ping.tick() => self.wire.ping().await?,
            }
        }
        let deadline = tokio::time::Instant::now() + LINGER;
        while !self.under_way.is_empty() {
            match tokio::time::timeout_at(deadline, self.wire.receive()).await {
                // Late replies are looked for, and counted in no rate.
                Ok(number) => self.take(number?),
                Err(_) => break,
            };
        }
        let lost = self.under_way.len() as u64;
        Ok((self.tally, lost))
    }

    fn next_due(&self) -> Instant {
        let sent = u32::try_from(self.next - 1).unwrap_or(u32::MAX);
        self.pace.start + self.pace.gap.unwrap_or_default() * sent
    }

    async fn send_due(&mut self) -> anyhow::Result<()> {
        let mut fed = false;
        loop {
            let now = Instant::now();
            let due = match self.pace.gap {
                Some(_) if self.next_due() <= now => self.next_due(),
                None if self.under_way.len() < self.pace.window => now,
                _ => break,
            };
            self.wire.feed_request(self.next).await?;
            self.under_way.push_back((self.next, due));
            self.next += 1;
            self.tally.sent += 1;
            fed = true;
        }
        if fed { self.wire.flush().await } else { Ok(()) }
    }

    fn received(&mut self, number: u64) {
        if let Some(due) = self.take(number) {
            self.tally.record(due, Instant::now());
        }
    }

    fn take(&mut self, number: u64) -> Option<Instant> {
        let place = self.under_way.iter().position(|(sent, _)| *sent == number);
        match place {
            None => self.tally.duplicated += 1,
            Some(0) => {}
            Some(_) => self.tally.reordered += 1,
        }
        place.and_then(|place| self.under_way.remove(place)).map(|(_, due)| due)
    }
}
