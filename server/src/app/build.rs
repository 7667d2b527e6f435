//! From a configuration to a server, ready to run.

use std::fmt;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::operations::Operations;
use super::rules::LiveRules;
use super::tls::{Tls, TlsDriver};
use super::{bind, site, tls, tokens};
use crate::access::ConfigError;
use crate::access::limits::Limits;
use crate::admin::{Admin, Health};
use crate::auth::{self, KeyDriver};
use crate::bridge::{Bridge, BridgeBuilder, BridgeHook};
use crate::bus::Bus;
use crate::gateway::{self, HttpGateway, TcpGateway};

/// A server, ready to run.
pub struct App {
    pub(super) bus: Bus,
    pub(super) bridge: Bridge,
    pub(super) router: Router,
    pub(super) config: Config,
    pub(super) limits: Limits,
    pub(super) http_gateway: Option<HttpGateway>,
    pub(super) tcp_gateway: TcpGateway,
    pub(super) tcp_listener: Option<TcpListener>,
    pub(super) health: Health,
    pub(super) admin: Admin,
    pub(super) admin_listener: Option<TcpListener>,
    pub(super) draining: CancellationToken,
    /// Keeps the keys that tokens are checked with fresh.
    pub(super) key_driver: Option<KeyDriver>,
    pub(super) tls: Option<(Tls, TlsDriver)>,
    rules: LiveRules,
}

/// The rooms that let clients in.
struct Doors {
    bridge: Bridge,
    http_gateway: Option<HttpGateway>,
    tcp_gateway: TcpGateway,
    key_driver: Option<KeyDriver>,
}

impl Doors {
    /// One authenticator, one policy and one set of limits for all of them.
    fn new(
        bus: &Bus,
        config: &Config,
        limits: &Limits,
        hooked: impl FnOnce(BridgeBuilder) -> BridgeBuilder,
    ) -> Result<Self, ConfigError> {
        let bridge = Bridge::builder(bus.clone(), config.bridge.clone());
        let mut bridge = hooked(bridge).sockjs(config.sockjs.options()?).limits(limits.clone());
        let (mut key_driver, mut known) = (None, None::<gateway::Authentication>);
        if let Some((authenticator, driver)) =
            auth::build(&config.auth).map_err(|error| error.within("auth"))?
        {
            known = Some(tokens::for_gateways(&config.auth, authenticator.clone()));
            bridge = bridge.authentication(tokens::authentication(&config.auth, authenticator));
            key_driver = Some(driver);
        }
        let bridge = bridge.build()?;
        let http = &config.gateway.http;
        let http_gateway = match &http.path {
            None => None,
            Some(_) => Some(HttpGateway::beside(&bridge, known.clone(), http.clone())?),
        };
        let tcp_gateway = TcpGateway::beside(&bridge, known, config.gateway.tcp.clone())?;
        Ok(Self { bridge, http_gateway, tcp_gateway, key_driver })
    }
}

impl App {
    /// Puts the rooms together around a bus.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn new(bus: Bus, config: Config) -> Result<Self, ConfigError> {
        Self::build(bus, config, |bridge| bridge)
    }

    /// As [`App::new`], with a hook that is asked about the clients of all doors: sockets, the bridge
    /// over TCP and HTTP.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn hooked(bus: Bus, config: Config, hook: impl BridgeHook) -> Result<Self, ConfigError> {
        Self::build(bus, config, |bridge| bridge.hook(hook))
    }

    fn build(
        bus: Bus,
        config: Config,
        hooked: impl FnOnce(BridgeBuilder) -> BridgeBuilder,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let tls = tls::build(&config.tls).map_err(|error| error.within("tls"))?;
        let limits = Limits::new(&config.limits);
        let doors = Doors::new(&bus, &config, &limits, hooked)?;
        let (health, rules) = (Health::default(), LiveRules::new(doors.bridge.clone(), &config));
        let operations = Operations {
            bus: bus.clone(),
            bridge: doors.bridge.clone(),
            config: config.clone(),
            rules: rules.clone(),
            limits: limits.clone(),
            tcp_gateway: doors.tcp_gateway.clone(),
            http_gateway: doors.http_gateway.clone(),
        };
        let admin = Admin::new(&config.admin, health.clone(), operations.ports())
            .map_err(|error| error.within("admin"))?;
        let router = router(&config, &doors, &health, &admin);
        let Doors { bridge, http_gateway, tcp_gateway, key_driver } = doors;
        Ok(Self {
            bus,
            bridge,
            router,
            config,
            limits,
            http_gateway,
            tcp_gateway,
            tcp_listener: None,
            health,
            admin,
            admin_listener: None,
            draining: CancellationToken::new(),
            key_driver,
            tls,
            rules,
        })
    }

    /// Listens for the bridge over TCP, if the configuration has one, and gives where. Has to be
    /// called inside a tokio runtime, and before [`App::run`], which then serves it.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn bind_tcp_gateway(&mut self) -> std::io::Result<Option<SocketAddr>> {
        self.tcp_listener = self.config.gateway.tcp.listen.map(bind).transpose()?;
        self.tcp_listener.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves the admin room on a listener of its own, until the very end.
    #[must_use]
    pub fn with_admin(mut self, listener: TcpListener) -> Self {
        self.admin_listener = Some(listener);
        self
    }

    /// How an operator's wish to read the rules again is met: `load` gives the configuration anew.
    #[must_use]
    pub fn with_reload(
        self,
        load: impl Fn() -> Result<Config, String> + Send + Sync + 'static,
    ) -> Self {
        self.rules.set_load(load);
        self
    }

    /// The rules in force, to have them read again.
    #[must_use]
    pub fn rules(&self) -> LiveRules {
        self.rules.clone()
    }

    /// The bridge, to look at its sockets and to change its rules.
    #[must_use]
    pub fn bridge(&self) -> Bridge {
        self.bridge.clone()
    }

    /// Cancelled when the server begins to drain: it should get no more clients.
    #[must_use]
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }
}

/// Everything that the main listener serves.
fn router(config: &Config, doors: &Doors, health: &Health, admin: &Admin) -> Router {
    let mut router = Router::new().nest_service(&config.server.path, doors.bridge.router());
    if let (Some(path), Some(gateway)) = (&config.gateway.http.path, &doors.http_gateway) {
        router = router.nest_service(path, gateway.router(path));
    }
    if config.admin.probes_on_server {
        router = router.merge(health.router());
    }
    if config.admin.on_server {
        router = router.nest_service("/admin", admin.router());
    }
    if let Some(www) = &config.server.www {
        router = router.fallback_service(site::router(www));
    }
    router
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
