//! The bridge as an axum app mounts it.

use std::sync::Arc;

use axum::Router;
use trolleybus_protocol::codes::Close;

use super::config::BridgeOptions;
use super::driver;
use super::stats::{BridgeStats, Counters};
use crate::access::{Bound, ConfigError, Policy};
use crate::bus::Bus;
use crate::sockjs::{self, SockJs};

/// A SockJS endpoint whose clients use the bus, as far as the rules permit. Clones are handles of
/// one endpoint.
///
/// ```
/// use axum::Router;
/// use trolleybus::{Bus, bridge::{Bridge, BridgeOptions, Permitted}};
///
/// # fn main() -> Result<(), trolleybus::bridge::ConfigError> {
/// let bus = Bus::new();
/// let options = BridgeOptions::new()
///     .permit_inbound(Permitted::address("orders"))
///     .permit_outbound(Permitted::regex(r"news\..+"));
/// let bridge = Bridge::new(bus.clone(), options)?;
/// let app: Router = Router::new().nest_service("/eventbus", bridge.router());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Bridge {
    sockjs: SockJs,
    core: Arc<Core>,
}

/// What all sockets of a bridge share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) bus: Bus,
    pub(super) rules: Bound,
    pub(super) options: BridgeOptions,
    pub(super) counters: Counters,
}

impl Bridge {
    /// A bridge with the defaults of SockJS.
    ///
    /// # Errors
    /// When a rule or limit makes no sense.
    pub fn new(bus: Bus, options: BridgeOptions) -> Result<Self, ConfigError> {
        Self::with_sockjs(bus, options, sockjs::Options::default())
    }

    /// A bridge over a SockJS endpoint of these settings. Messages on the raw WebSocket are
    /// binary frames, as with Vert.x, whatever the settings say.
    ///
    /// # Errors
    /// When a rule or limit makes no sense.
    pub fn with_sockjs(
        bus: Bus,
        options: BridgeOptions,
        mut sockjs: sockjs::Options,
    ) -> Result<Self, ConfigError> {
        options.validate()?;
        let policy = Policy::compile(&options.inbound_permitted, &options.outbound_permitted)?;
        let core = Arc::new(Core {
            bus,
            rules: policy.bind(None),
            options,
            counters: Counters::default(),
        });
        let kept = Arc::clone(&core);
        sockjs.raw_binary = true;
        let handler = move |socket| driver::serve(Arc::clone(&core), socket);
        Ok(Self { sockjs: SockJs::new(sockjs, handler), core: kept })
    }

    /// The endpoint, to be mounted with [`Router::nest_service`] under a path such as
    /// `/eventbus`.
    pub fn router(&self) -> Router {
        self.sockjs.router()
    }

    /// Closes all sockets, refuses new ones, and waits until the last is gone. Clients are told
    /// why, and whether to come back.
    pub async fn drain(&self, close: Close) {
        self.sockjs.drain(close.code, close.reason).await;
    }

    /// The SockJS endpoint below: its sockets and their counters.
    #[must_use]
    pub fn sockjs(&self) -> &SockJs {
        &self.sockjs
    }

    /// What the bridge did so far.
    #[must_use]
    pub fn stats(&self) -> BridgeStats {
        self.core.counters.snapshot()
    }

    /// How many sockets are open.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        self.sockjs.open_sockets()
    }
}
