//! Churn: connect, register, disconnect, over and over.

use std::time::Instant;

use anyhow::ensure;
use clap::Args;
use tokio::task::JoinSet;

use super::Common;
use super::pace::Pace;
use super::report::{Report, Tally, Watch};
use super::wire::{Form, Wire};

#[derive(Debug, Args)]
pub(super) struct Churn {
    /// Clients that come and go at the same time.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Connects a second over all clients, begun when they are due; instead of one after the other.
    #[arg(long)]
    rate: Option<u64>,
    /// How messages travel.
    #[arg(long, value_enum, default_value = "sockjs")]
    form: Form,
    #[command(flatten)]
    pub(super) common: Common,
}

impl Churn {
    pub(super) async fn run(&self) -> anyhow::Result<Report> {
        ensure!(self.clients > 0, "there must be something to do");
        let begin = Instant::now() + self.common.warm_up();
        let end = begin + self.common.measured();
        let mut tasks = JoinSet::new();
        for (client, mut pace) in Pace::each(self.rate, self.clients, end).into_iter().enumerate() {
            let (url, form, size) = (self.common.url.clone(), self.form, self.common.size);
            let mut tally = Tally::new(begin, end)?;
            tasks.spawn(async move {
                let address = format!("bench.churn.{client}");
                while Instant::now() < end {
                    let Some(due) = pace.take_due() else {
                        pace.beat().await;
                        continue;
                    };
                    let mut wire = Wire::open(&url, form, size).await?;
                    wire.register(&[&address]).await?;
                    wire.close().await?;
                    tally.record(due, Instant::now());
                }
                Ok((tally, 0))
            });
        }
        tokio::time::sleep_until(begin.into()).await;
        let watch = Watch::begin(self.common.pid)?;
        tokio::time::sleep_until(end.into()).await;
        let watched = watch.end()?;
        let (total, lost) = Tally::collect((begin, end), tasks).await?;
        let Self { clients, form, .. } = self;
        let title = format!("connect, register, disconnect ({form:?}), {clients} at a time");
        Ok(Report::new(title, &total, watched, lost))
    }
}
