//! Run, drain, stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trolleybus_protocol::codes::Close;

use super::build::App;
use super::client_ip::Proxies;
use super::front::Front;
use super::http;
use super::tls::Tls;
use crate::admin::Phase;
use crate::gateway::TcpGateway;
use crate::sockjs::Pace;

/// Pending connections that the system keeps for us.
const BACKLOG: u32 = 4096;

/// Connections to the admin listener.
const ADMIN_CONNECTIONS: usize = 64;

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

/// The tasks of a running server, and what ends them.
struct Running {
    tasks: TaskTracker,
    stopping: CancellationToken,
    accepting: JoinHandle<()>,
    admin: Option<JoinHandle<()>>,
}

impl App {
    /// Serves until `stop`, then drains: no new sockets, clients are told to come back at the rate
    /// of the configuration, and what is left after the drain timeout is cut off.
    pub async fn run(mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let running = self.start(listener);
        self.health.enter(Phase::Ready);
        stop.await;
        self.health.enter(Phase::Draining);
        self.drain(&running).await;
        running.stopping.cancel();
        running.accepting.abort();
        self.bus.close();
        if let Some(admin) = running.admin {
            admin.abort();
        }
        tracing::info!("stopped");
    }

    fn start(&mut self, listener: TcpListener) -> Running {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        self.announce(&listener);
        let limits = self.http_limits();
        let admin =
            self.admin_listener.take().map(|listener| self.serve_admin(listener, limits.clone()));
        if let Some(driver) = self.key_driver.take() {
            tasks.spawn(driver.run(stopping.clone()));
        }
        let tls = self.tls.take().map(|(tls, driver)| {
            tasks.spawn(driver.run(stopping.clone()));
            tls
        });
        if let Some(listener) = self.tcp_listener.take() {
            let (gateway, stop) = (self.tcp_gateway.clone(), self.draining.clone());
            tasks.spawn(serve_tcp(gateway, listener, tls.clone(), stop, tasks.clone()));
        }
        let serving = http::Serving { front: self.front(), limits, tls, stop: stopping.clone() };
        let accepting = tokio::spawn(http::serve(listener, serving, tasks.clone()));
        Running { tasks, stopping, accepting, admin }
    }

    async fn drain(&self, running: &Running) {
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
            running.stopping.cancel();
            running.tasks.close();
            running.tasks.wait().await;
        };
        if tokio::time::timeout(timeout, drained).await.is_err() {
            tracing::warn!(sockets = self.bridge.open_sockets(), "drain timeout, cutting off");
        }
    }

    fn front(&self) -> Front {
        let (front, mount) = (Front::new(self.router.clone()), &self.config.server.path);
        let gateway = self.config.gateway.http.path.as_deref().unwrap_or_default();
        if gateway.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/')) {
            // The router knows which of the two is meant.
            return front;
        }
        front.with_sockets(mount, self.bridge.sockjs().clone())
    }

    fn http_limits(&self) -> http::Limits {
        let server = &self.config.server;
        http::Limits {
            max_connections: server.max_connections,
            header_timeout: Duration::from_millis(server.header_timeout_ms),
            write_timeout: Duration::from_millis(server.write_timeout_ms.into()),
            of_clients: self.limits.clone(),
            proxies: Arc::new(Proxies::new(&server.trusted_proxies, server.forwarded_header)),
        }
    }

    fn announce(&self, listener: &TcpListener) {
        let address = |listener: &TcpListener| listener.local_addr().map(|a| a.to_string()).ok();
        let (server, bridge, sockjs) =
            (&self.config.server, &self.config.bridge, &self.config.sockjs);
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            listen = address(listener),
            tls = self.tls.is_some(),
            tcp = self.tcp_listener.as_ref().and_then(address),
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
        let front = Front::new(self.admin.router());
        let serving = http::Serving { front, limits, tls: None, stop: CancellationToken::new() };
        tokio::spawn(http::serve(listener, serving, TaskTracker::new()))
    }
}

/// The bridge over TCP, with TLS where the server has it.
async fn serve_tcp(
    gateway: TcpGateway,
    listener: TcpListener,
    tls: Option<Tls>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let Some(tls) = tls else {
        return gateway.serve(listener, stop, tasks).await;
    };
    let handshake = move |stream| {
        let tls = tls.clone();
        async move { tls.accept(stream).await }
    };
    gateway.serve_with(listener, handshake, stop, tasks).await;
}
