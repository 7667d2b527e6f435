//! The rules that change while the server runs, and how they are read again.

use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::config::Config;
use crate::access::Permitted;
use crate::bridge::Bridge;

/// Reads the configuration again, as it was read at the start.
type Load = dyn Fn() -> Result<Config, String> + Send + Sync;

/// Why rules were not read again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// The server was started without a configuration to read again.
    #[error("there is no configuration that could be read again")]
    Nothing,
    /// What was read is wrong; the old rules stay.
    #[error("{0}")]
    Wrong(String),
}

/// The rules in force, for whoever may have them read again. Clones are handles of one server's.
#[derive(Clone)]
pub struct LiveRules(Arc<Inner>);

struct Inner {
    bridge: Bridge,
    load: OnceLock<Box<Load>>,
    in_force: Mutex<Rules>,
    /// Held while rules are read, so that two who ask at once leave what both of them see.
    reloading: Mutex<()>,
}

/// Rules as a configuration holds them.
#[derive(Clone)]
struct Rules {
    inbound: Vec<Permitted>,
    outbound: Vec<Permitted>,
}

impl Rules {
    fn of(config: Config) -> Self {
        let bridge = config.bridge;
        Self { inbound: bridge.inbound_permitted, outbound: bridge.outbound_permitted }
    }
}

impl LiveRules {
    /// The rules of a configuration, which `bridge` goes by.
    pub(super) fn new(bridge: Bridge, config: &Config) -> Self {
        let in_force = Mutex::new(Rules::of(config.clone()));
        Self(Arc::new(Inner {
            bridge,
            load: OnceLock::new(),
            in_force,
            reloading: Mutex::default(),
        }))
    }

    /// Says how the configuration is read again; only the first one counts.
    pub(super) fn set_load(
        &self,
        load: impl Fn() -> Result<Config, String> + Send + Sync + 'static,
    ) {
        self.0.load.set(Box::new(load)).ok();
    }

    /// Reads the rules again and puts them in force, at once and for all clients. This reads a
    /// file, and says in the log what came of it.
    ///
    /// # Errors
    /// When there is nothing to read, or what is read makes no sense; the old rules stay then.
    pub fn reload(&self) -> Result<(), ReloadError> {
        let reloaded = self.try_reload();
        match &reloaded {
            Ok(()) => tracing::info!("the rules were read again and are in force"),
            Err(error) => tracing::error!(%error, "the old rules stay in force"),
        }
        reloaded
    }

    fn try_reload(&self) -> Result<(), ReloadError> {
        let load = self.0.load.get().ok_or(ReloadError::Nothing)?;
        let _turn = self.0.reloading.lock();
        let rules = Rules::of(load().map_err(ReloadError::Wrong)?);
        let replaced = self.0.bridge.replace_rules(&rules.inbound, &rules.outbound);
        replaced.map_err(|error| ReloadError::Wrong(error.within("bridge").to_string()))?;
        *self.0.in_force.lock() = rules;
        Ok(())
    }

    /// The configuration with the rules that are in force now.
    pub(super) fn in_config(&self, mut config: Config) -> Config {
        let Rules { inbound, outbound } = self.0.in_force.lock().clone();
        config.bridge.inbound_permitted = inbound;
        config.bridge.outbound_permitted = outbound;
        config
    }
}

impl fmt::Debug for LiveRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveRules").finish_non_exhaustive()
    }
}
