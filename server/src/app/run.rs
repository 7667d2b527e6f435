//! Build, run, drain.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trolleybus_protocol::codes::Close;

use super::client_ip::Proxies;
use super::config::Config;
use super::operations::{Operations, Reload};
use super::{http, site};
use crate::access::ConfigError;
use crate::access::limits::Limits;
use crate::admin::{Admin, Health, Phase};
use crate::bridge::Bridge;
use crate::bus::Bus;
use crate::sockjs::Pace;

/// Pending connections that the system keeps for us.
const BACKLOG: u32 = 4096;

/// Connections to the admin listener.
const ADMIN_CONNECTIONS: usize = 64;

/// A server, ready to run.
pub struct App {
    bus: Bus,
    bridge: Bridge,
    router: Router,
    config: Config,
    health: Health,
    admin: Admin,
    admin_listener: Option<TcpListener>,
    reload: Arc<OnceLock<Reload>>,
    limits: Limits,
    draining: CancellationToken,
}

/// Listens on an address; port 0 takes any free one.
///
/// # Errors
/// When the address cannot be had.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl App {
    /// Puts the rooms together around a bus.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn new(bus: Bus, config: Config) -> Result<Self, ConfigError> {
        config.validate()?;
        let sockjs = config.sockjs.options()?;
        let limits = Limits::new(&config.limits);
        let builder = Bridge::builder(bus.clone(), config.bridge.clone()).sockjs(sockjs);
        let bridge = builder.limits(limits.clone()).build()?;
        let mut router = Router::new().nest_service(&config.server.path, bridge.router());
        let health = Health::default();
        let reload = Arc::default();
        let operations = Operations {
            bus: bus.clone(),
            bridge: bridge.clone(),
            config: config.clone(),
            reload: Arc::clone(&reload),
        };
        let admin = Admin::new(&config.admin, health.clone(), operations.ports())
            .map_err(|error| error.within("admin"))?;
        if config.admin.probes_on_server {
            router = router.merge(health.router());
        }
        if config.admin.on_server {
            router = router.nest_service("/admin", admin.router());
        }
        if let Some(www) = &config.server.www {
            router = router.fallback_service(site::router(www));
        }
        let draining = CancellationToken::new();
        Ok(Self {
            bus,
            bridge,
            router,
            config,
            health,
            admin,
            admin_listener: None,
            reload,
            limits,
            draining,
        })
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
        self.reload.set(Arc::new(load)).ok();
        self
    }

    /// Cancelled when the server begins to drain: it should get no more clients.
    #[must_use]
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Serves until `stop`, then drains: no new sockets, clients are told to come back at the rate
    /// of the configuration, and what is left after the drain timeout is cut off.
    pub async fn run(mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let limits = http::Limits {
            max_connections: self.config.server.max_connections,
            header_timeout: Duration::from_millis(self.config.server.header_timeout_ms),
            write_timeout: Duration::from_millis(self.config.server.write_timeout_ms.into()),
            of_clients: self.limits.clone(),
            proxies: Arc::new(Proxies::new(
                &self.config.server.trusted_proxies,
                self.config.server.forwarded_header,
            )),
        };
        self.announce(&listener);
        let admin =
            self.admin_listener.take().map(|listener| self.serve_admin(listener, limits.clone()));
        let accepting =
            http::serve(listener, self.router.clone(), limits, stopping.clone(), tasks.clone());
        let accepting = tokio::spawn(accepting);
        self.health.enter(Phase::Ready);
        stop.await;
        self.health.enter(Phase::Draining);
        self.draining.cancel();
        tracing::info!(sockets = self.bridge.open_sockets(), "draining");
        let timeout = Duration::from_millis(self.config.server.drain_timeout_ms);
        // The last clients that are told need time to leave as well.
        let pace = Pace::new(self.config.server.drain_rate, timeout * 3 / 4);
        let drained = async {
            // Polling clients have to ask once more to hear of it, so the door stays open until
            // the last socket is gone; new sockets are refused.
            self.bridge.drain_at(Close::DRAINING, pace).await;
            stopping.cancel();
            tasks.close();
            tasks.wait().await;
        };
        if tokio::time::timeout(timeout, drained).await.is_err() {
            tracing::warn!(sockets = self.bridge.open_sockets(), "drain timeout, cutting off");
        }
        stopping.cancel();
        accepting.abort();
        self.bus.close();
        if let Some(admin) = admin {
            admin.abort();
        }
        tracing::info!("stopped");
    }

    fn announce(&self, listener: &TcpListener) {
        let address = |listener: &TcpListener| listener.local_addr().map(|a| a.to_string()).ok();
        let (server, bridge, sockjs) =
            (&self.config.server, &self.config.bridge, &self.config.sockjs);
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            listen = address(listener),
            admin = self.admin_listener.as_ref().and_then(address),
            path = server.path,
            max_connections = server.max_connections,
            max_sockets = sockjs.max_sockets,
            max_message_size = sockjs.max_message_size,
            max_outbox_size = sockjs.max_outbox_size,
            max_handlers_per_socket = bridge.max_handlers_per_socket,
            drain_timeout_ms = server.drain_timeout_ms,
            "serving"
        );
    }

    /// Operators want to watch the end too, so this has no part in the drain.
    fn serve_admin(&self, listener: TcpListener, limits: http::Limits) -> JoinHandle<()> {
        let limits = http::Limits { max_connections: ADMIN_CONNECTIONS, ..limits };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tokio::spawn(http::serve(listener, self.admin.router(), limits, stop, tasks))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
