//! SIGHUP: the rules are read again from the configuration, and no connection notices.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::LiveRules;

/// The wish to have the rules read again. It is caught from the moment this is made.
#[derive(Debug)]
pub(super) struct Hangups(Signal);

impl Hangups {
    pub(super) fn catch() -> std::io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Reads the rules again whenever it is asked for. Never ends.
    pub(super) async fn follow(mut self, rules: LiveRules) {
        while self.0.recv().await.is_some() {
            let rules = rules.clone();
            // The log has what came of it.
            let reloading = tokio::task::spawn_blocking(move || rules.reload().is_ok());
            reloading.await.ok();
        }
        std::future::pending::<()>().await;
    }
}
