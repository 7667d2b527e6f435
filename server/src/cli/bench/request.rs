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
use super::wire::{Arrived, Form, Wire};

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
                arrived = self.wire.next() => {
                    self.received(arrived?);
                    // What is there already is taken before the next requests go, in one write.
                    while let Some(arrived) = self.wire.next().now_or_never() {
                        self.received(arrived?);
                    }
                }
                () = self.pace.beat() => {}
                () = tokio::time::sleep_until(self.end.into()) => {}
                _ = ping.tick() => self.wire.ping().await?,
            }
        }
        let deadline = tokio::time::Instant::now() + LINGER;
        while !self.under_way.is_empty() {
            match tokio::time::timeout_at(deadline, self.wire.next()).await {
                Ok(arrived) => self.received(arrived?),
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

    fn received(&mut self, arrived: Arrived) {
        settle(&mut self.under_way, &mut self.tally, arrived);
    }
}

/// A failure is no answer, and may come before the answers to what was asked earlier.
fn settle(under_way: &mut VecDeque<(u64, Instant)>, tally: &mut Tally, arrived: Arrived) {
    let (Arrived::Message(number) | Arrived::Failure(number)) = arrived;
    let place = under_way.iter().position(|(sent, _)| *sent == number);
    let request = place.and_then(|place| under_way.remove(place));
    match (request, arrived) {
        (None, _) => tally.duplicated += 1,
        (Some(_), Arrived::Failure(_)) => tally.failed += 1,
        (Some((_, due)), Arrived::Message(_)) => {
            tally.reordered += u64::from(place != Some(0));
            tally.record(due, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_overtakes_replies_puts_nothing_out_of_order() {
        use Arrived::{Failure, Message};
        let begin = Instant::now();
        let mut tally = Tally::new(begin, begin + Duration::from_secs(60)).unwrap();
        let mut under_way: VecDeque<_> = (1..=5).map(|number| (number, begin)).collect();
        for arrived in [Failure(4), Message(1), Message(2), Message(2), Message(5), Message(3)] {
            settle(&mut under_way, &mut tally, arrived);
        }
        let wrong = (tally.failed, tally.duplicated, tally.reordered);
        assert_eq!((tally.received, wrong), (4, (1, 1, 1)));
        assert!(under_way.is_empty());
    }
}
