//! `serve`, `check-config`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::reload::Hangups;
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
        let telemetry = config.telemetry.start()?;
        if config.bridge.inbound_permitted.is_empty() && config.bridge.outbound_permitted.is_empty()
        {
            tracing::warn!("no rule permits anything: clients can connect and do nothing");
        }
        let reload: Load = Arc::new(move || self.load().map_err(|error| error.to_string()));
        let ran = run(Bus::new(), config, "Trolleybus serves", Some(reload)).await;
        tokio::task::spawn_blocking(|| telemetry.stop()).await?;
        ran
    }

    fn load(&self) -> Result<Config, LoadError> {
        app::load(self.config.as_deref(), std::env::vars(), |config| {
            config.server.listen = self.listen.unwrap_or(config.server.listen);
            config.server.www = self.www.clone().or(config.server.www.take());
        })
    }
}

/// Reads the configuration again; an error says what is wrong with it.
pub(super) type Load = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// Listens, says where on standard output, a line for each listener, and serves until it is told
/// to stop. With `reload`, SIGHUP and operators may have the rules read again.
pub(super) async fn run(
    bus: Bus,
    config: Config,
    says: &str,
    reload: Option<Load>,
) -> anyhow::Result<()> {
    raise_file_limit();
    let (wanted, wanted_tcp) = (config.server.listen, config.gateway.tcp.listen);
    let wanted_admin = config.admin.listen;
    let scheme = if config.tls.is_enabled() { "https" } else { "http" };
    let path = if config.server.www.is_some() { "/" } else { &*config.server.path }.to_owned();
    let mut app = App::new(bus, config)?;
    let listener = app::bind(wanted).with_context(|| cannot_listen(wanted))?;
    let address = listener.local_addr()?;
    let tcp_address = match wanted_tcp {
        Some(wanted) => app.bind_tcp_gateway().with_context(|| cannot_listen(wanted))?,
        None => None,
    };
    if let Some(wanted) = wanted_admin {
        app = app.with_admin(app::bind(wanted).with_context(|| cannot_listen(wanted))?);
    }
    let stop = stop_signal().context("cannot catch signals")?;
    let hangups = Hangups::catch().context("cannot catch signals")?;
    println!("{says} {scheme}://{address}{path}");
    if let Some(address) = tcp_address {
        println!("TCP bridge on {address}");
    }
    let Some(load) = reload else {
        app.run(listener, stop).await;
        return Ok(());
    };
    app = app.with_reload(move || load());
    let following = hangups.follow(app.rules());
    tokio::select! {
        () = app.run(listener, stop) => {}
        () = following => {}
    }
    Ok(())
}

fn cannot_listen(address: SocketAddr) -> String {
    format!("cannot listen on {address}")
}

/// Every connection takes a file descriptor, and the usual soft limit is 1024.
pub(super) fn raise_file_limit() {
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
        let config = app::load(Some(&self.config), std::env::vars(), |_| {})?;
        config.check_files().with_context(|| self.config.display().to_string())?;
        println!("{}: no mistakes found", self.config.display());
        Ok(())
    }
}
