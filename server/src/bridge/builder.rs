//! A bridge with more than rules: who may come in, and who looks on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::authentication::Authentication;
use super::config::BridgeOptions;
use super::core::Core;
use super::handle::Bridge;
use super::hooks::{BridgeHook, HookPort};
use super::sockets::Sockets;
use super::stats::Counters;
use crate::access::limits::Limits;
use crate::access::{ConfigError, LivePolicy, Policy};
use crate::bus::Bus;
use crate::sockjs::{self, Door};

/// Makes a [`Bridge`]; see [`Bridge::builder`].
#[must_use = "a builder makes nothing until `build`"]
pub struct BridgeBuilder {
    bus: Bus,
    options: BridgeOptions,
    sockjs: sockjs::Options,
    authentication: Option<Authentication>,
    hook: Option<Arc<dyn BridgeHook>>,
    hook_timeout: Duration,
    limits: Limits,
}

impl BridgeBuilder {
    pub(super) fn new(bus: Bus, options: BridgeOptions) -> Self {
        Self {
            bus,
            options,
            sockjs: sockjs::Options::default(),
            authentication: None,
            hook: None,
            hook_timeout: Duration::from_secs(30),
            limits: Limits::none(),
        }
    }

    /// The settings of the SockJS endpoint. Messages on the raw WebSocket are binary frames, as
    /// with Vert.x, whatever they say.
    pub fn sockjs(mut self, sockjs: sockjs::Options) -> Self {
        self.sockjs = sockjs;
        self
    }

    /// Who turns tokens into principals: nobody, unless this says so.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = Some(authentication);
        self
    }

    /// The one hook of the bridge: none, unless this says so.
    pub fn hook(mut self, hook: impl BridgeHook) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Limits that clients are held to, which other doors of the server may share: none, unless this
    /// says so.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long the hook, or the authenticator, may take over one answer: 30 s. After that a hook
    /// counts as one that rejects, and an authenticator as unavailable.
    pub fn hook_timeout(mut self, timeout: Duration) -> Self {
        self.hook_timeout = timeout;
        self
    }

    /// The bridge.
    ///
    /// # Errors
    /// When a rule or limit makes no sense.
    pub fn build(self) -> Result<Bridge, ConfigError> {
        let Self { bus, options, mut sockjs, authentication, hook, hook_timeout, limits } = self;
        options.validate()?;
        let policy = Policy::compile(&options.inbound_permitted, &options.outbound_permitted)?;
        sockjs.raw_binary = true;
        sockjs.door = Some(door(limits.clone()));
        let core = Core {
            bus,
            policy: LivePolicy::new(policy),
            options,
            authentication,
            limits,
            overflow: Arc::default(),
            hook: hook.map(|hook| HookPort::new(hook, hook_timeout)),
            patience: hook_timeout,
            sockets: Sockets::default(),
            counters: Counters::default(),
        };
        Ok(Bridge::of(Arc::new(core), sockjs))
    }
}

/// Sockets that are closed as soon as they are open take places too: a flood of them stops here.
fn door(limits: Limits) -> Door {
    Door::new(move |peer| limits.admit_handshake(peer.map(|peer| peer.ip()), Instant::now()))
}

impl std::fmt::Debug for BridgeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BridgeBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
