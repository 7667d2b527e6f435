//! Build, run, drain.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trolleybus_protocol::codes::Close;

use super::client_ip::Proxies;
use super::config::Config;
use super::tls::{self, Tls, TlsDriver};
use super::{http, site, tokens};
use crate::access::ConfigError;
use crate::access::limits::Limits;
use crate::auth::{self, KeyDriver};
use crate::bridge::Bridge;
use crate::bus::Bus;
use crate::sockjs::Pace;
use crate::gateway::{HttpGateway, TcpGateway};

/// Pending connections that the system keeps for us.
const BACKLOG: u32 = 4096;

/// A server, ready to run.
#[derive(Debug)]
pub struct App {
    bus: Bus,
    bridge: Bridge,
    router: Router,
    http_gateway: Option<HttpGateway>,
    tcp_gateway: TcpGateway,
    tcp_listener: Option<TcpListener>,
    config: Config,
    limits: Limits,
    draining: CancellationToken,
    /// Keeps the keys that tokens are checked with fresh.
    key_driver: Option<KeyDriver>,
    tls: Option<(Tls, TlsDriver)>,
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
        let tls = tls::build(&config.tls).map_err(|error| error.within("tls"))?;
        let auth = auth::build(&config.auth).map_err(|error| error.within("auth"))?;
        let sockjs = config.sockjs.options()?;
        let limits = Limits::new(&config.limits);
        let mut bridge = Bridge::builder(bus.clone(), config.bridge.clone())
            .sockjs(sockjs)
            .limits(limits.clone());
        let (mut key_driver, mut known) = (None, None);
        if let Some((authenticator, driver)) = auth {
            known = Some(tokens::for_gateways(&config.auth, authenticator.clone()));
            bridge = bridge.authentication(tokens::authentication(&config.auth, authenticator));
            key_driver = Some(driver);
        }
        let bridge = bridge.build()?;
        let mut router = Router::new().nest_service(&config.server.path, bridge.router());
        let policy = bridge.policy();
        let mut http_gateway = None;
        if let Some(path) = &config.gateway.http.path {
            let options = config.gateway.http.clone();
            let gateway = HttpGateway::new(bus.clone(), policy.clone(), known.clone(), options)?;
            router = router.nest_service(path, gateway.router(path));
            http_gateway = Some(gateway);
        }
        let tcp_gateway = TcpGateway::new(bus.clone(), policy, known, config.gateway.tcp.clone())?;
        if let Some(www) = &config.server.www {
            router = router.fallback_service(site::router(www));
        }
        let draining = CancellationToken::new();
        let tcp_listener = None;
        Ok(Self {
            bus,
            bridge,
            router,
            http_gateway,
            tcp_gateway,
            tcp_listener,
            config,
            limits,
            draining,
            key_driver,
            tls,
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
        if let Some(driver) = self.key_driver.take() {
            tasks.spawn(driver.run(stopping.clone()));
        }
        let tls = self.tls.take().map(|(tls, driver)| {
            tasks.spawn(driver.run(stopping.clone()));
            tls
        });
        let router = self.router.clone();
        let over = tls.clone();
        let accepting = http::serve(listener, router, limits, tls, stopping.clone(), tasks.clone());
        let accepting = tokio::spawn(accepting);
        if let Some(listener) = self.tcp_listener {
            let leaving = self.draining.clone();
            let (gateway, tracker) = (self.tcp_gateway, tasks.clone());
            match over {
                Some(tls) => {
                    let handshake = move |stream| {
                        let tls = tls.clone();
                        async move { tls.accept(stream).await }
                    };
                    tasks.spawn(gateway.serve_with(listener, handshake, leaving, tracker));
                }
                None => {
                    tasks.spawn(gateway.serve(listener, leaving, tracker));
                }
            }
        }
        stop.await;
        // Over TCP, and on a stream of events, nothing says more than the end of the connection.
        self.draining.cancel();
        if let Some(gateway) = &self.http_gateway {
            gateway.close();
        }
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
    }
}
