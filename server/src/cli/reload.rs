//! SIGHUP: the rules are read again from the configuration, and no connection notices.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::serve::Load;
use crate::bridge::Bridge;

/// The wish to have the rules read again. It is caught from the moment this is made.
#[derive(Debug)]
pub(super) struct Hangups(Signal);

impl Hangups {
    pub(super) fn catch() -> std::io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Reads the rules again whenever it is asked for. Never ends.
    pub(super) async fn follow(mut self, bridge: Bridge, load: Load) {
        while self.0.recv().await.is_some() {
            match reload(&bridge, &load) {
                Ok(()) => tracing::info!("the rules were read again and are in force"),
                Err(error) => tracing::error!(error, "the old rules stay in force"),
            }
        }
        std::future::pending::<()>().await;
    }
}

fn reload(bridge: &Bridge, load: &Load) -> Result<(), String> {
    let rules = load()?.bridge;
    let replaced = bridge.replace_rules(&rules.inbound_permitted, &rules.outbound_permitted);
    replaced.map_err(|error| error.to_string())
}
