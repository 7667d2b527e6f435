//! Request and reply: closed loop with a window, or open loop at a fixed rate.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use futures_util::FutureExt as _;
use tokio::task::JoinSet;

use super::Common;
use super::pace::Pace;
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
        let mut tasks = JoinSet::new();
        let paces = Pace::each(self.rate, self.connections, end);
        for (wire, pace) in wires.into_iter().zip(paces) {
            let tally = Tally::new(begin, end)?;
            tasks.spawn(Connection::new(wire, pace, self.window, end, tally).run());
        }
        tokio::time::sleep_until(begin.into()).await;
        let watch = Watch::begin(self.common.pid)?;
        tokio::time::sleep_until(end.into()).await;
        let watched = watch.end()?;
        let (total, lost) = Tally::collect((begin, end), tasks).await?;
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

struct Connection {
    wire: Wire,
    pace: Pace,
    window: usize,
    end: Instant,
    tally: Tally,
    /// Number and due time of the requests under way, oldest first.
    under_way: VecDeque<(u64, Instant)>,
    next: u64,
}

impl Connection {
    fn new(wire: Wire, pace: Pace, window: usize, end: Instant, tally: Tally) -> Self {
        Self { wire, pace, window, end, tally, under_way: VecDeque::new(), next: 1 }
    }

    /// Gives the tally and how many replies never came.
    async fn run(mut self) -> anyhow::Result<(Tally, u64)> {
        let mut ping = tokio::time::interval(PING_INTERVAL);
        while Instant::now() < self.end {
            self.send_due().await?;
            tokio::select! {
                number = self.wire.receive() => {
                    self.received(number?);
                    // What is there already is taken before the next requests go, in one write.
                    while let Some(number) = self.wire.receive().now_or_never() {
                        self.received(number?);
                    }
                }
                () = self.pace.beat() => {}
                () = tokio::time::sleep_until(self.end.into()) => {}
                _ = ping.tick() => self.wire.ping().await?,
            }
        }
        let deadline = tokio::time::Instant::now() + LINGER;
        while !self.under_way.is_empty() {
            match tokio::time::timeout_at(deadline, self.wire.receive()).await {
                Ok(number) => self.received(number?),
                Err(_) => break,
            }
        }
        let lost = self.under_way.len() as u64;
        Ok((self.tally, lost))
    }

    async fn send_due(&mut self) -> anyhow::Result<()> {
        let mut fed = false;
        while self.pace.is_open() || self.under_way.len() < self.window {
            let Some(due) = self.pace.take_due() else { break };
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
