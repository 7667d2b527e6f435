//! Start-up: from the start of the process to the first connection that is open.

use std::fmt;
use std::time::Instant;

use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use super::Common;
use super::launch::Launch;
use super::wire::Form;

#[derive(Debug, Args)]
pub(super) struct Startup {
    /// Starts.
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
    /// The server; `{port}` stands for its port, and for that in --url.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(super) struct StartupReport {
    work: String,
    runs: usize,
    first_connection_ms: f64,
    fastest_ms: f64,
    slowest_ms: f64,
    resident_bytes: u64,
}

impl Startup {
    pub(super) async fn run(&self) -> anyhow::Result<StartupReport> {
        ensure!(self.runs > 0, "there must be something to do");
        let launch = Launch::new(&self.command, &self.common.url)?;
        let (mut times, mut resident) = (Vec::with_capacity(self.runs), 0);
        for _ in 0..self.runs {
            let started = Instant::now();
            let server = launch.start()?;
            let wire = launch.connect(self.form, self.common.size).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            resident = server.usage()?.resident;
            drop(wire);
            server.kill().await?;
        }
        times.sort_by(f64::total_cmp);
        Ok(StartupReport {
            work: format!("start-up of `{}` to the first open connection", launch.title()),
            runs: self.runs,
            first_connection_ms: times[times.len() / 2],
            fastest_ms: times[0],
            slowest_ms: times[times.len() - 1],
            resident_bytes: resident,
        })
    }
}

impl fmt::Display for StartupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.work)?;
        let Self { first_connection_ms, fastest_ms, slowest_ms, .. } = self;
        writeln!(f, "median        {first_connection_ms:.1} ms of {}", self.runs)?;
        writeln!(f, "range         {fastest_ms:.1} to {slowest_ms:.1} ms")?;
        writeln!(f, "server memory {:.1} MB", self.resident_bytes as f64 / 1e6)
    }
}
