//! Build, run, drain.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trolleybus_protocol::codes::Close;

use super::config::Config;
use super::{http, site};
use crate::access::ConfigError;
use crate::bridge::Bridge;
use crate::bus::Bus;
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
        let bridge = Bridge::builder(bus.clone(), config.bridge.clone()).sockjs(sockjs).build()?;
        let mut router = Router::new().nest_service(&config.server.path, bridge.router());
        let policy = bridge.policy();
        let mut http_gateway = None;
        if let Some(path) = &config.gateway.http.path {
            let options = config.gateway.http.clone();
            let gateway = HttpGateway::new(bus.clone(), policy.clone(), None, options)?;
            router = router.nest_service(path, gateway.router(path));
            http_gateway = Some(gateway);
        }
        let tcp_gateway = TcpGateway::new(bus.clone(), policy, None, config.gateway.tcp.clone())?;
        if let Some(www) = &config.server.www {
            router = router.fallback_service(site::router(www));
        }
        Ok(Self { bus, bridge, router, http_gateway, tcp_gateway, tcp_listener: None, config })
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

    /// Serves until `stop`, then drains: no new connections, clients are told to come back, and
    /// what is left after the drain timeout is cut off.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let limits = http::Limits {
            max_connections: self.config.server.max_connections,
            header_timeout: Duration::from_millis(self.config.server.header_timeout_ms),
            write_timeout: Duration::from_millis(self.config.server.write_timeout_ms.into()),
        };
        let accepting =
            http::serve(listener, self.router.clone(), limits, stopping.clone(), tasks.clone());
        let accepting = tokio::spawn(accepting);
        let leaving = CancellationToken::new();
        if let Some(listener) = self.tcp_listener {
            let gateway = self.tcp_gateway.serve(listener, leaving.clone(), tasks.clone());
            tasks.spawn(gateway);
        }
        stop.await;
        tracing::info!(sockets = self.bridge.open_sockets(), "draining");
        // Over TCP, and on a stream of events, nothing says more than the end of the connection.
        leaving.cancel();
        if let Some(gateway) = &self.http_gateway {
            gateway.close();
        }
        let drained = async {
            // Polling clients have to ask once more to hear of it, so the door stays open until
            // the last socket is gone; new sockets are refused.
            self.bridge.drain(Close::DRAINING).await;
            stopping.cancel();
            tasks.close();
            tasks.wait().await;
        };
        let timeout = Duration::from_millis(self.config.server.drain_timeout_ms);
        if tokio::time::timeout(timeout, drained).await.is_err() {
            tracing::warn!(sockets = self.bridge.open_sockets(), "drain timeout, cutting off");
        }
        stopping.cancel();
        accepting.abort();
        self.bus.close();
    }
}
