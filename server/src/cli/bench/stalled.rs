//! A stalled reader: what it costs the server in memory, and a live reader in latency.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::Common;
use super::process;
use super::wire::{Form, Wire};

const ADDRESS: &str = "bench.stalled";
/// How often, in publishes, the server's memory is read.
const LOOK: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Stalled {
    /// Megabytes to publish to the stalled reader and a live one.
    #[arg(long, default_value_t = 150)]
    megabytes: u64,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(super) struct StalledReport {
    work: String,
    publishes: u64,
    live_p99_us_before: u64,
    live_p99_us_with: u64,
    live_p99_us_after: u64,
    resident_bytes_before: u64,
    resident_bytes_most: u64,
}

impl Stalled {
    pub(super) async fn run(&self) -> anyhow::Result<StalledReport> {
        let pid = self.common.pid.context("memory is read by --pid, the server's process id")?;
        let size = self.common.size.max(1) as u64;
        let publishes = (self.megabytes * 1_000_000).div_ceil(size);
        ensure!(publishes > 0, "there must be something to do");
        let publisher = self.open(&[]).await?;
        let live = self.open(&[ADDRESS]).await?;
        let mut pair = Pair { publisher, live, pinged: Instant::now() };
        // Once without it, so that buffers are warm and there is something to compare with.
        let (alone, _) = pair.drive(publishes, pid).await?;
        let before = process::usage(pid)?.resident;
        let stalled = self.open(&[ADDRESS]).await?;
        let (with, most) = pair.drive(publishes, pid).await?;
        drop(stalled);
        // And once more without, because a machine that others use too has better and worse times.
        let (after, _) = pair.drive(publishes, pid).await?;
        Ok(StalledReport {
            work: format!(
                "a stalled and a live reader ({:?}), {} MB in messages of {size} bytes",
                self.form, self.megabytes
            ),
            publishes,
            live_p99_us_before: alone.value_at_quantile(0.99),
            live_p99_us_with: with.value_at_quantile(0.99),
            live_p99_us_after: after.value_at_quantile(0.99),
            resident_bytes_before: before,
            resident_bytes_most: most,
        })
    }

    async fn open(&self, addresses: &[&str]) -> anyhow::Result<Wire> {
        let mut wire = Wire::open(&self.common.url, self.form, self.common.size).await?;
        if !addresses.is_empty() {
            wire.register(addresses).await?;
        }
        Ok(wire)
    }
}

/// Who publishes and who reads.
struct Pair {
    publisher: Wire,
    live: Wire,
    pinged: Instant,
}

impl Pair {
    /// Publishes one message after the other, each once the live reader has the one before; gives
    /// the latencies in microseconds, and the most memory that the server held.
    async fn drive(&mut self, publishes: u64, pid: u32) -> anyhow::Result<(Histogram<u64>, u64)> {
        let mut latencies = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        let mut most = 0;
        for number in 1..=publishes {
            self.keep_alive().await?;
            let sent = Instant::now();
            self.publisher.feed_publish(ADDRESS, number).await?;
            self.publisher.flush().await?;
            let received = tokio::time::timeout(PATIENCE, self.live.receive());
            let received = received.await.context("the live reader got nothing more")??;
            ensure!(received == number, "the live reader got {received} instead of {number}");
            latencies.saturating_record(u64::try_from(sent.elapsed().as_micros())?.max(1));
            if number % LOOK == 0 || number == publishes {
                most = most.max(process::usage(pid)?.resident);
            }
        }
        Ok((latencies, most))
    }

    async fn keep_alive(&mut self) -> anyhow::Result<()> {
        if self.pinged.elapsed() > Duration::from_secs(4) {
            self.pinged = Instant::now();
            self.publisher.ping().await?;
            self.live.ping().await?;
        }
        Ok(())
    }
}

impl fmt::Display for StalledReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.work)?;
        let Self { live_p99_us_before, live_p99_us_with, live_p99_us_after, .. } = self;
        writeln!(
            f,
            "live reader   p99 {live_p99_us_before} us before it, {live_p99_us_with} us with it, \
             {live_p99_us_after} us after it"
        )?;
        let grown = self.resident_bytes_most.saturating_sub(self.resident_bytes_before);
        writeln!(f, "server memory grew by {:.1} MB", grown as f64 / 1e6)
    }
}
