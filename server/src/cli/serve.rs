//! `serve`, `check-config`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::stop_signal;
use crate::app::{self, App, Config, LoadError};
use crate::bus::Bus;

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Configuration file; `trolleybus default-config` prints one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on, over what the file says.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Folder of static files to serve at `/`, over what the file says.
    #[arg(long, value_name = "DIR")]
    www: Option<PathBuf>,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.load()?;
        let reload = move || self.load().map_err(|error| error.to_string());
        let telemetry = config.telemetry.start()?;
        if config.bridge.inbound_permitted.is_empty() && config.bridge.outbound_permitted.is_empty()
        {
            tracing::warn!("no rule permits anything: clients can connect and do nothing");
        }
        let ran = run(Bus::new(), config, "Trolleybus serves", Some(Box::new(reload))).await;
        tokio::task::spawn_blocking(|| telemetry.stop()).await?;
        ran
    }
}

impl Serve {
    fn load(&self) -> Result<Config, LoadError> {
        app::load(self.config.as_deref(), std::env::vars(), |config| {
            config.server.listen = self.listen.unwrap_or(config.server.listen);
            config.server.www = self.www.clone().or(config.server.www.take());
        })
    }
}

type Load = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Listens, says where in one line on standard output, and serves until it is told to stop.
pub(super) async fn run(
    bus: Bus,
    config: Config,
    says: &str,
    reload: Option<Load>,
) -> anyhow::Result<()> {
    raise_file_limit();
    let wanted = config.server.listen;
    let path = config.server.path.clone();
    let has_site = config.server.www.is_some();
    let wanted_admin = config.admin.listen;
    let mut app = App::new(bus, config)?;
    if let Some(reload) = reload {
        app = app.with_reload(reload);
    }
    let listener = app::bind(wanted).with_context(|| format!("cannot listen on {wanted}"))?;
    let address = listener.local_addr()?;
    if let Some(wanted) = wanted_admin {
        let listener = app::bind(wanted).with_context(|| format!("cannot listen on {wanted}"))?;
        app = app.with_admin(listener);
    }
    let path = if has_site { "/" } else { path.as_str() };
    let stop = stop_signal().context("cannot catch signals")?;
    println!("{says} http://{address}{path}");
    app.run(listener, stop).await;
    Ok(())
}

/// Every connection takes a file descriptor, and the usual soft limit is 1024.
fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "open files"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}

#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    /// Configuration file.
    #[arg(value_name = "FILE")]
    config: PathBuf,
}

impl CheckConfig {
    pub(super) fn run(self) -> anyhow::Result<()> {
        app::load(Some(&self.config), std::env::vars(), |_| {})?;
        println!("{}: no mistakes found", self.config.display());
        Ok(())
    }
}
