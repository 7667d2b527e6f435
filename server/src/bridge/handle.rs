//! The bridge as an axum app mounts it.

use std::sync::Arc;

use axum::Router;
use trolleybus_protocol::codes::Close;

use super::builder::BridgeBuilder;
use super::config::BridgeOptions;
use super::core::Core;
use super::driver;
use super::hooks::HookPort;
use super::overflow::OverflowStats;
use super::sockets::{SocketHandle, SocketId};
use super::stats::BridgeStats;
use crate::access::limits::Limits;
use crate::access::{ConfigError, LivePolicy, Permitted, Policy};
use crate::bus::Bus;
use crate::sockjs::{self, Pace, SockJs};

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
    core: Arc<Core>,
    sockjs: SockJs,
}

impl Bridge {
    /// A bridge with the defaults of SockJS, without authentication or hook.
    ///
    /// # Errors
    /// When a rule or limit makes no sense.
    pub fn new(bus: Bus, options: BridgeOptions) -> Result<Self, ConfigError> {
        Self::builder(bus, options).build()
    }

    /// A bridge to be told more about.
    pub fn builder(bus: Bus, options: BridgeOptions) -> BridgeBuilder {
        BridgeBuilder::new(bus, options)
    }

    pub(super) fn of(core: Arc<Core>, options: sockjs::Options) -> Self {
        let shared = Arc::clone(&core);
        let handler = move |socket| driver::serve(Arc::clone(&shared), socket);
        Self { core, sockjs: SockJs::new(options, handler) }
    }

    /// The endpoint, to be mounted with [`Router::nest_service`] under a path such as
    /// `/eventbus`.
    pub fn router(&self) -> Router {
        self.sockjs.router()
    }

    /// Puts other rules in force, at once and for all sockets. None is closed: a registration that
    /// is permitted no more stays, and nothing comes of it until it is permitted again.
    ///
    /// # Errors
    /// When a rule makes no sense; the old ones stay in force then.
    pub fn replace_rules(
        &self,
        inbound: &[Permitted],
        outbound: &[Permitted],
    ) -> Result<(), ConfigError> {
        self.core.policy.replace(Policy::compile(inbound, outbound)?);
        Ok(())
    }

    /// The rules in force, for others who let clients in by the same. A gateway that is to ask the hook
    /// as well is made `beside` the bridge.
    #[must_use]
    pub fn policy(&self) -> LivePolicy {
        self.core.policy.clone()
    }

    /// Where its clients go, for a gateway that stands beside it.
    pub(crate) fn bus(&self) -> &Bus {
        &self.core.bus
    }

    /// What its clients are held to, for a gateway that stands beside it.
    pub(crate) fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// Its hook, for a gateway that stands beside it.
    pub(crate) fn hook(&self) -> Option<HookPort> {
        self.core.hook.clone()
    }

    /// Up to `limit` open sockets whose numbers are behind `after`, in the order of their numbers,
    /// which is that in which they came.
    #[must_use]
    pub fn sockets(&self, after: Option<SocketId>, limit: usize) -> Vec<SocketHandle> {
        self.core.sockets.page(after, limit)
    }

    /// An open socket by its number.
    #[must_use]
    pub fn socket(&self, id: SocketId) -> Option<SocketHandle> {
        self.core.sockets.get(id)
    }

    /// Closes a socket with 3004, after what is queued for it; nothing more of what it sends is
    /// carried out. False when there is none of this number.
    pub fn kick(&self, id: SocketId) -> bool {
        self.core.sockets.kick(id)
    }

    /// As [`Bridge::kick`] for all sockets that showed a token of this subject, and how many that
    /// were.
    pub fn kick_subject(&self, subject: &str) -> usize {
        self.core.sockets.kick_subject(subject)
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

    /// The same, telling them at a chosen pace, so that they do not all come back at once.
    pub async fn drain_at(&self, close: Close, pace: Pace) {
        self.sockjs.drain_at(close.code, close.reason, pace).await;
    }

    /// How often clients did not keep up.
    #[must_use]
    pub fn overflow_stats(&self) -> OverflowStats {
        self.core.overflow.snapshot()
    }

    /// How many sockets are open.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        self.sockjs.open_sockets()
    }
}
