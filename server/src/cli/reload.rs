//! SIGHUP: the rules are read again from the configuration, and no connection notices.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{Config, LoadError};
use crate::bridge::{Bridge, ConfigError};

/// The wish to have the rules read again. It is caught from the moment this is made.
#[derive(Debug)]
pub(super) struct Hangups(Signal);

/// Why the old rules stay.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Rules(#[from] ConfigError),
}

impl Hangups {
    pub(super) fn catch() -> std::io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Reads the rules again whenever it is asked for. Never ends.
    pub(super) async fn follow(
        mut self,
        bridge: Bridge,
        load: impl Fn() -> Result<Config, LoadError>,
    ) {
        while self.0.recv().await.is_some() {
            match reload(&bridge, &load) {
                Ok(()) => tracing::info!("the rules were read again and are in force"),
                Err(error) => tracing::error!(%error, "the old rules stay in force"),
            }
        }
        std::future::pending::<()>().await;
    }
}

fn reload(
    bridge: &Bridge,
    load: impl Fn() -> Result<Config, LoadError>,
) -> Result<(), ReloadError> {
    let rules = load()?.bridge;
    Ok(bridge.replace_rules(&rules.inbound_permitted, &rules.outbound_permitted)?)
}
