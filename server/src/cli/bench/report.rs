//! What was measured, as a table or as JSON.

use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;

use super::process::{self, Usage};
use super::sequence::Arrival;
use super::tenths::Tenths;

/// What one connection saw.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    /// Requests that were answered with a failure.
    pub(super) failed: u64,
    /// Latencies in microseconds.
    latency: Histogram<u64>,
    tenths: Tenths,
    begin: Instant,
    end: Instant,
}

impl Tally {
    /// Counts what happens from `begin` to `end`.
    pub(super) fn new(begin: Instant, end: Instant) -> anyhow::Result<Self> {
        // One microsecond to one minute, three significant digits.
        let latency = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        let (sent, received, duplicated, reordered, failed) = (0, 0, 0, 0, 0);
        let tenths = Tenths::new(begin);
        Ok(Self { sent, received, duplicated, reordered, failed, latency, tenths, begin, end })
    }

    /// The rate has what arrives while it is measured. The latencies have all that was due in that
    /// time, however late it comes: the slowest must not be missing.
    pub(super) fn record(&mut self, due: Instant, now: Instant) {
        if self.begin <= now && now < self.end {
            self.received += 1;
        }
        if self.begin <= due && due < self.end {
            let micros = u64::try_from(now.duration_since(due).as_micros()).unwrap_or(u64::MAX);
            self.latency.saturating_record(micros.max(1));
            self.tenths.record(due, micros.max(1));
        }
    }

    /// Counts what is wrong with how a message came.
    pub(super) fn count(&mut self, arrival: &Arrival) {
        match arrival {
            Arrival::InOrder => {}
            Arrival::Late => self.reordered += 1,
            Arrival::Double => self.duplicated += 1,
        }
    }

    /// What all connections saw together, and how many messages were lost.
    pub(super) async fn collect(
        (begin, end): (Instant, Instant),
        mut connections: JoinSet<anyhow::Result<(Self, u64)>>,
    ) -> anyhow::Result<(Self, u64)> {
        let (mut total, mut lost) = (Self::new(begin, end)?, 0);
        while let Some(ended) = connections.join_next().await {
            let (tally, missing) = ended??;
            total.add(&tally)?;
            lost += missing;
        }
        Ok((total, lost))
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.sent += other.sent;
        self.received += other.received;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.failed += other.failed;
        self.latency.add(&other.latency)?;
        self.tenths.add(&other.tenths);
        Ok(())
    }
}

/// Looks at the server when the measurement begins and when it ends.
#[derive(Debug)]
pub(super) struct Watch {
    pid: Option<u32>,
    begin: Option<Usage>,
    since: Instant,
}

impl Watch {
    pub(super) fn begin(pid: Option<u32>) -> anyhow::Result<Self> {
        let begin = pid.map(process::usage).transpose()?;
        Ok(Self { pid, begin, since: Instant::now() })
    }

    /// Takes the second look.
    pub(super) fn end(self) -> anyhow::Result<Watched> {
        let seconds = self.since.elapsed().as_secs_f64();
        let end = self.pid.map(process::usage).transpose()?;
        let cpu = self.begin.zip(end).map(|(begin, end)| end.cpu - begin.cpu);
        Ok(Watched { seconds, cpu, resident: end.map(|usage| usage.resident) })
    }
}

/// What the watch saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    seconds: f64,
    cpu: Option<Duration>,
    resident: Option<u64>,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    work: String,
    messages: u64,
    seconds: f64,
    messages_per_second: f64,
    latency_us: Latency,
    lost: u64,
    duplicated: u64,
    reordered: u64,
    failed: u64,
    server_cpu_us_per_message: Option<f64>,
    server_resident_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: u64,
    p90: u64,
    p99: u64,
    /// The median of the p99s of each tenth of a second.
    p99_typical: Option<u32>,
    p999: u64,
    max: u64,
}

impl Report {
    pub(super) fn new(work: String, tally: &Tally, watched: Watched, lost: u64) -> Self {
        let quantile = |quantile| tally.latency.value_at_quantile(quantile);
        let messages = tally.received as f64;
        Self {
            work,
            messages: tally.received,
            seconds: watched.seconds,
            messages_per_second: messages / watched.seconds,
            latency_us: Latency {
                p50: quantile(0.5),
                p90: quantile(0.9),
                p99: quantile(0.99),
                p99_typical: tally.tenths.typical_p99(),
                p999: quantile(0.999),
                max: tally.latency.max(),
            },
            lost,
            duplicated: tally.duplicated,
            reordered: tally.reordered,
            failed: tally.failed,
            server_cpu_us_per_message: watched.cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / messages),
            server_resident_bytes: watched.resident,
        }
    }

    /// Nothing lost, doubled, out of order or failed?
    pub(super) fn is_sound(&self) -> bool {
        let wrong = self.lost + self.duplicated + self.reordered + self.failed;
        self.messages > 0 && wrong == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.work)?;
        writeln!(f, "messages      {:>12} in {:.1} s", self.messages, self.seconds)?;
        writeln!(f, "rate          {:>12.0} /s", self.messages_per_second)?;
        let Latency { p50, p90, p99, p99_typical, p999, max } = self.latency_us;
        writeln!(f, "latency (us)  p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {max}")?;
        if let Some(typical) = p99_typical {
            writeln!(f, "              p99 of a typical tenth of a second {typical}")?;
        }
        let Self { lost, duplicated, reordered, failed, .. } = self;
        writeln!(
            f,
            "lost {lost}, duplicated {duplicated}, reordered {reordered}, failed {failed}"
        )?;
        if let Some(cpu) = self.server_cpu_us_per_message {
            writeln!(f, "server CPU    {cpu:>12.2} us a message")?;
        }
        if let Some(resident) = self.server_resident_bytes {
            writeln!(f, "server memory {:>12.1} MB", resident as f64 / 1e6)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_due_counts_in_the_latencies_even_when_it_comes_too_late_for_the_rate() {
        let begin = Instant::now();
        let end = begin + Duration::from_secs(1);
        let mut tally = Tally::new(begin, end).unwrap();
        tally.record(begin, begin + Duration::from_millis(1));
        tally.record(begin, end + Duration::from_secs(1));
        tally.record(end, end + Duration::from_millis(1));
        assert_eq!((tally.received, tally.latency.len()), (1, 2));
        assert!(tally.latency.max() >= 2_000_000);
    }
}
