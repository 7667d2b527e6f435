//! Idle connections: what each costs the server in memory while nothing happens.
//!
//! A polling session has the one connection on which a poll waits; that for sending is closed.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::future::try_join_all;
use serde::Serialize;
use tokio::task::JoinSet;

use super::Common;
use super::process;
use super::wire::{Form, Wire};

/// Handshakes under way at a time.
const BATCH: usize = 64;
/// Time for the server to settle before its memory is read.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Idle {
    /// Connections, each registered on an address of its own.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(super) struct IdleReport {
    work: String,
    connections: usize,
    resident_bytes_before: u64,
    resident_bytes_with: u64,
    resident_bytes_per_connection: f64,
}

impl Idle {
    pub(super) async fn run(&self) -> anyhow::Result<IdleReport> {
        ensure!(self.connections > 0, "there must be something to do");
        let pid = self.common.pid.context("memory is read by --pid, the server's process id")?;
        // One connection first: what the server makes once is not part of the price of each.
        let mut held = JoinSet::new();
        held.spawn(hold(self.connect(0).await?));
        tokio::time::sleep(SETTLE).await;
        let before = process::usage(pid)?.resident;
        let mut made = 0;
        while made < self.connections {
            let next = made..self.connections.min(made + BATCH);
            made = next.end;
            let wires = try_join_all(next.map(|index| self.connect(index + 1))).await?;
            wires.into_iter().for_each(|wire| drop(held.spawn(hold(wire))));
        }
        tokio::time::sleep(SETTLE).await;
        if let Some(ended) = held.try_join_next() {
            return Err(ended?.context("a connection did not stay"));
        }
        let with = process::usage(pid)?.resident;
        let Self { connections, form, .. } = self;
        Ok(IdleReport {
            work: format!(
                "{connections} idle connections ({form:?}), registered on one address each"
            ),
            connections: self.connections,
            resident_bytes_before: before,
            resident_bytes_with: with,
            resident_bytes_per_connection: with.saturating_sub(before) as f64
                / self.connections as f64,
        })
    }

    async fn connect(&self, index: usize) -> anyhow::Result<Wire> {
        let mut wire = Wire::open(&self.common.url, self.form, self.common.size).await?;
        wire.register(&[format!("bench.idle.{index}")]).await?;
        wire.lean_back();
        Ok(wire)
    }
}

/// Receives, so that a poll is under way where that is how one receives; gives why it ended.
async fn hold(mut wire: Wire) -> anyhow::Error {
    loop {
        if let Err(error) = wire.receive().await {
            return error;
        }
    }
}

impl fmt::Display for IdleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.work)?;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let (before, with) = (self.resident_bytes_before, self.resident_bytes_with);
        writeln!(
            f,
            "server memory {:.1} MB before, {:.1} MB with",
            megabytes(before),
            megabytes(with)
        )?;
        writeln!(f, "each          {:.0} bytes", self.resident_bytes_per_connection)
    }
}
