//! The gateway: accepts connections, or takes any stream.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::driver;
use crate::access::limits::Limits;
use crate::access::{ConfigError, LivePolicy};
use crate::bridge::{Bridge, HookPort};
use crate::bus::Bus;
use crate::gateway::stats::TcpCounters;
use crate::gateway::{Authentication, TcpOptions, TcpStats};

/// When the system begins to ask a silent peer whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// The TCP EventBus bridge of Vert.x, with limits. Clones are handles of one gateway.
#[derive(Debug, Clone)]
pub struct TcpGateway(Arc<Core>);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) bus: Bus,
    pub(super) policy: LivePolicy,
    pub(super) authentication: Option<Authentication>,
    pub(super) limits: Limits,
    /// That of the bridge beside which it stands.
    pub(super) hook: Option<HookPort>,
    pub(super) options: TcpOptions,
    pub(super) counters: TcpCounters,
    places: Arc<Semaphore>,
}

impl TcpGateway {
    /// A gateway to a bus, under these rules and limits. It asks no hook; one that asks that of a
    /// bridge is made by [`TcpGateway::beside`].
    ///
    /// # Errors
    /// When a limit makes no sense.
    pub fn new(
        bus: Bus,
        policy: LivePolicy,
        authentication: Option<Authentication>,
        limits: Limits,
        options: TcpOptions,
    ) -> Result<Self, ConfigError> {
        Self::build(bus, policy, authentication, limits, None, options)
    }

    /// A gateway beside a bridge: to its bus, under its rules and limits, and its hook is asked as it
    /// is for sockets.
    ///
    /// # Errors
    /// When a limit makes no sense.
    pub fn beside(
        bridge: &Bridge,
        authentication: Option<Authentication>,
        options: TcpOptions,
    ) -> Result<Self, ConfigError> {
        let (bus, limits) = (bridge.bus().clone(), bridge.limits().clone());
        Self::build(bus, bridge.policy(), authentication, limits, bridge.hook(), options)
    }

    fn build(
        bus: Bus,
        policy: LivePolicy,
        authentication: Option<Authentication>,
        limits: Limits,
        hook: Option<HookPort>,
        options: TcpOptions,
    ) -> Result<Self, ConfigError> {
        options.validate()?;
        let places = Arc::new(Semaphore::new(options.max_connections));
        let counters = TcpCounters::default();
        let core = Core { bus, policy, authentication, limits, hook, options, counters, places };
        Ok(Self(Arc::new(core)))
    }

    /// Accepts connections until `stop`, each served by a task of its own that `tasks` tracks.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken, tasks: TaskTracker) {
        self.serve_with(listener, |stream| async { Ok(stream) }, stop, tasks).await;
    }

    /// As [`TcpGateway::serve`], with a handshake before the first frame, such as that of TLS. The
    /// handshake runs in the connection's own task and has to bound its time itself.
    pub async fn serve_with<H, F, S>(
        self,
        listener: TcpListener,
        handshake: H,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) where
        H: Fn(TcpStream) -> F,
        F: Future<Output = std::io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        // Said once, not for each of a flood.
        let mut is_full = false;
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: let some connections end first.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned() else {
                if !is_full {
                    tracing::warn!("too many TCP bridge connections, further ones are refused");
                }
                is_full = true;
                self.0.counters.refused();
                continue;
            };
            is_full = false;
            let Some(place_of_peer) = self.0.limits.admit_tcp(peer.ip(), Instant::now()) else {
                tracing::debug!(%peer, "too many TCP bridge connections from one network address");
                self.0.counters.refused();
                continue;
            };
            if let Err(error) = self.prepare(&stream) {
                tracing::debug!(%error, "cannot set the options of a connection");
            }
            let (gateway, stop, handshake) = (self.clone(), stop.clone(), handshake(stream));
            tasks.spawn(async move {
                let shaken = tokio::select! {
                    shaken = handshake => shaken,
                    () = stop.cancelled() => return,
                };
                match shaken {
                    Ok(stream) => gateway.serve_stream(stream, peer, stop).await,
                    Err(error) => tracing::debug!(%peer, %error, "handshake failed"),
                }
                drop((place, place_of_peer));
            });
        }
    }

    /// Serves one stream until either side ends it or `stop`. Only the limits of its network address
    /// bound how many there are.
    pub async fn serve_stream<S>(&self, stream: S, peer: SocketAddr, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite,
    {
        let Ok(limits) = self.0.limits.admit_connection(Some(peer.ip()), Instant::now()) else {
            tracing::debug!(%peer, "too many TCP bridge connections from one network address");
            return self.0.counters.refused();
        };
        let ended = driver::serve(Arc::clone(&self.0), stream, peer, limits, stop).await;
        tracing::debug!(%peer, %ended, "TCP bridge connection ended");
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> TcpStats {
        self.0.counters.snapshot()
    }

    /// No waiting to fill packets; a peer that is gone is noticed; and the system cuts off one that
    /// does not take what it is sent.
    fn prepare(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE))?;
        let timeout = Duration::from_millis(self.0.options.write_timeout_ms.into());
        socket.set_tcp_user_timeout(Some(timeout))
    }
}
