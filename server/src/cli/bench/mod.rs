//! `bench`: what a bridge can carry.
//!
//! | File | Holds |
//! |---|---|
//! | `wire` | one connection, whatever carries it |
//! | `request` | request and reply, closed loop or at a fixed rate |
//! | `fanout` | one publisher, many subscribers |
//! | `many` | random addresses of many, clients that register for some |
//! | `churn` | connect, register, disconnect |
//! | `idle` | what an idle connection costs in memory |
//! | `stalled` | what a reader that stalls costs everybody else |
//! | `pace` | when the next message goes |
//! | `storm` | everybody comes back to a server that was killed |
//! | `startup` | from the start of a server to its first connection |
//! | `launch` | a server that a work starts by itself |
//! | `process` | CPU time and memory of the server, read from the operating system |
//! | `sequence` | what is missing, late or double among the numbers that one receiver gets |
//! | `tenths` | latencies by tenths of a second, for the typical p99 |
//! | `report` | what was measured, as a table or as JSON |
//!
//! Every message carries a sequence number, so that loss, duplication and reordering are counted; a
//! request that fails is counted too, and is no answer.
//! At a fixed rate, latency counts from the moment at which a message was due, not from when it
//! could be sent, so a stalled server cannot hide behind a stalled client.

mod churn;
mod fanout;
mod idle;
mod launch;
mod many;
mod pace;
mod process;
mod report;
mod request;
mod sequence;
mod stalled;
mod startup;
mod storm;
mod tenths;
mod wire;

use std::fmt::Display;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

#[derive(Debug, Args)]
pub(super) struct Bench {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Request and reply: many connections, each with some requests under way.
    Request(request::Request),
    /// Fan-out: one publisher, many subscribers, some publishes under way.
    Fanout(fanout::Fanout),
    /// Many to many: random addresses of many, clients that register for some of them.
    Many(many::Many),
    /// Connect, register, disconnect, over and over.
    Churn(churn::Churn),
    /// Idle connections: memory for each. Needs --pid.
    Idle(idle::Idle),
    /// A reader that stalls beside one that lives: memory and latency. Needs --pid.
    Stalled(stalled::Stalled),
    /// The server is killed and started again: time until all are registered anew. Takes the
    /// server's command behind `--`.
    Storm(storm::Storm),
    /// Time from a server's start to its first connection. Takes the server's command behind `--`.
    Startup(startup::Startup),
}

/// What every kind of work takes.
#[derive(Debug, Args)]
struct Common {
    /// The bridge; run the server with `demo --open-bridge`.
    #[arg(long, default_value = "ws://127.0.0.1:8080/eventbus")]
    url: String,
    /// Bytes of each message body.
    #[arg(long, default_value_t = 100)]
    size: usize,
    /// Seconds to measure.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Seconds to warm up before.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// Process id of the server, to read its CPU time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up)
    }

    fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds.max(1))
    }

    fn say<R: Display + Serialize>(&self, report: &R) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(report)?);
        } else {
            print!("{report}");
        }
        Ok(())
    }

    fn say_sound(&self, report: &report::Report) -> anyhow::Result<()> {
        self.say(report)?;
        anyhow::ensure!(
            report.is_sound(),
            "messages were lost, duplicated or reordered, or failed"
        );
        Ok(())
    }
}

impl Bench {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        super::serve::raise_file_limit();
        match &self.work {
            Work::Request(work) => work.common.say_sound(&work.run().await?),
            Work::Fanout(work) => work.common.say_sound(&work.run().await?),
            Work::Many(work) => work.common.say_sound(&work.run().await?),
            Work::Churn(work) => work.common.say_sound(&work.run().await?),
            Work::Idle(work) => work.common.say(&work.run().await?),
            Work::Stalled(work) => work.common.say(&work.run().await?),
            Work::Storm(work) => work.common.say(&work.run().await?),
            Work::Startup(work) => work.common.say(&work.run().await?),
        }
    }
}
