//! Recovery storm: the server is killed and started again, and everybody comes back at once.
//!
//! Nothing is replayed, because nothing is kept: a client has recovered when it is registered again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::task::JoinSet;

use super::Common;
use super::launch::Launch;
use super::wire::{Form, Wire};

/// Handshakes under way at a time, before the storm.
const BATCH: usize = 64;
/// The first pause before a new try is random up to this, each further one up to twice as long.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Storm {
    /// Connections, each registered on an address of its own.
    #[arg(long, default_value_t = 2000)]
    connections: usize,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
    /// The server; `{port}` stands for its port, and for that in --url.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// The outcome. Times count from the moment at which the server was killed.
#[derive(Debug, Serialize)]
pub(super) struct StormReport {
    work: String,
    connections: usize,
    /// Tries that found no server or lost it again.
    failed_tries: u64,
    first_registered_ms: f64,
    half_registered_ms: f64,
    all_registered_ms: f64,
    first_reply_us: FirstReply,
    server_cpu_ms: f64,
    server_cpu_us_per_connection: f64,
    server_peak_bytes: u64,
}

/// From a client's first request after it registered to the reply.
#[derive(Debug, Serialize)]
struct FirstReply {
    p50: u64,
    p99: u64,
    max: u64,
}

/// What all clients share.
struct Shared {
    launch: Launch,
    form: Form,
    size: usize,
    failed_tries: AtomicU64,
}

/// When a client was registered again, and how long its first request took then.
struct Back {
    registered: Instant,
    replied: Duration,
    /// Stays open until all are back.
    _wire: Wire,
}

impl Storm {
    pub(super) async fn run(&self) -> anyhow::Result<StormReport> {
        ensure!(self.connections > 0, "there must be something to do");
        let launch = Launch::new(&self.command, &self.common.url)?;
        let (form, size) = (self.form, self.common.size);
        let shared = Arc::new(Shared { launch, form, size, failed_tries: AtomicU64::new(0) });
        let server = shared.launch.start()?;
        drop(shared.launch.connect(form, size).await?);
        let mut wires = Vec::with_capacity(self.connections);
        while wires.len() < self.connections {
            let next = wires.len()..self.connections.min(wires.len() + BATCH);
            wires.extend(try_join_all(next.map(|index| shared.register(index))).await?);
        }
        let mut clients = JoinSet::new();
        for (index, wire) in wires.into_iter().enumerate() {
            clients.spawn(Arc::clone(&shared).live(wire, index));
        }
        let killed = Instant::now();
        server.kill().await?;
        let server = shared.launch.start()?;
        let mut backs = Vec::with_capacity(self.connections);
        while let Some(back) = clients.join_next().await {
            backs.push(back??);
        }
        let usage = server.usage()?;
        backs.sort_by_key(|back| back.registered);
        let after = |back: &Back| back.registered.duration_since(killed).as_secs_f64() * 1e3;
        let cpu = usage.cpu.as_secs_f64();
        Ok(StormReport {
            work: format!("{} connections ({form:?}) come back to a new server", self.connections),
            connections: self.connections,
            failed_tries: shared.failed_tries.load(Relaxed),
            first_registered_ms: after(&backs[0]),
            half_registered_ms: after(&backs[backs.len() / 2]),
            all_registered_ms: after(&backs[backs.len() - 1]),
            first_reply_us: FirstReply::of(&backs)?,
            server_cpu_ms: cpu * 1e3,
            server_cpu_us_per_connection: cpu * 1e6 / self.connections as f64,
            server_peak_bytes: usage.peak,
        })
    }
}

impl Shared {
    async fn register(&self, index: usize) -> anyhow::Result<Wire> {
        let mut wire = Wire::open(&self.launch.url, self.form, self.size).await?;
        wire.register(&[format!("bench.storm.{index}")]).await?;
        Ok(wire)
    }

    /// Waits for the storm, and comes back.
    async fn live(self: Arc<Self>, mut wire: Wire, index: usize) -> anyhow::Result<Back> {
        while wire.receive().await.is_ok() {}
        drop(wire);
        let (deadline, mut random) = (Instant::now() + PATIENCE, index as u64 + 1);
        let mut longest = PAUSE;
        loop {
            tokio::time::sleep(longest.mul_f64(fraction(&mut random))).await;
            longest = LONGEST_PAUSE.min(longest * 2);
            match self.come_back(index).await {
                Ok(back) => return Ok(back),
                Err(error) if Instant::now() > deadline => {
                    return Err(error.context("a client did not come back"));
                }
                Err(_) => self.failed_tries.fetch_add(1, Relaxed),
            };
        }
    }

    async fn come_back(&self, index: usize) -> anyhow::Result<Back> {
        let mut wire = tokio::time::timeout(PATIENCE / 6, self.register(index)).await??;
        let registered = Instant::now();
        wire.feed_request(1).await?;
        wire.flush().await?;
        let reply = tokio::time::timeout(PATIENCE / 6, wire.receive());
        reply.await.context("no reply came")??;
        Ok(Back { registered, replied: registered.elapsed(), _wire: wire })
    }
}

/// From 0 to 1, the same in every run.
fn fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
    (*state >> 33) as f64 / f64::from(1_u32 << 31)
}

impl FirstReply {
    fn of(backs: &[Back]) -> anyhow::Result<Self> {
        let mut latencies = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
        for back in backs {
            latencies.saturating_record(u64::try_from(back.replied.as_micros())?.max(1));
        }
        let quantile = |quantile| latencies.value_at_quantile(quantile);
        Ok(Self { p50: quantile(0.5), p99: quantile(0.99), max: latencies.max() })
    }
}

impl fmt::Display for StormReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.work)?;
        let Self { first_registered_ms, half_registered_ms, all_registered_ms, .. } = self;
        writeln!(
            f,
            "registered    first after {first_registered_ms:.0} ms, half after \
             {half_registered_ms:.0} ms, all after {all_registered_ms:.0} ms"
        )?;
        let FirstReply { p50, p99, max } = self.first_reply_us;
        writeln!(f, "first reply   p50 {p50} us, p99 {p99} us, max {max} us")?;
        writeln!(f, "failed tries  {}", self.failed_tries)?;
        let each = self.server_cpu_us_per_connection;
        writeln!(f, "server CPU    {:.0} ms, {each:.0} us each", self.server_cpu_ms)?;
        writeln!(f, "server peak   {:.1} MB", self.server_peak_bytes as f64 / 1e6)
    }
}
