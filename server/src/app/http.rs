//! The accept loop: connections, bounded in connections, in the time for a request's
//! head, and in the time that a peer may leave unread what it is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client_ip::Proxies;
use super::exchange::exchange;
use super::front::Front;
use super::tls::Tls;
use crate::access::limits::{self, NetworkPlace};

/// What the loop needs to know.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) max_connections: usize,
    pub(super) header_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) of_clients: limits::Limits,
    pub(super) proxies: Arc<Proxies>,
}

impl Limits {
    /// A place for one more connection from `peer`. A proxy speaks for many.
    fn admit(&self, peer: SocketAddr) -> Option<NetworkPlace> {
        if self.proxies.is_trusted(peer.ip()) {
            return Some(NetworkPlace::free());
        }
        self.of_clients.admit_tcp(peer.ip(), Instant::now())
    }
}

/// What the connections of a listener share.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) front: Front,
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
    /// Tells all to end after the request that they are at.
    pub(super) stop: CancellationToken,
}

/// Accepts connections until it is told to stop, each served by a task of its own that `tasks`
/// tracks.
pub(super) async fn serve(listener: TcpListener, serving: Serving, tasks: TaskTracker) {
    let serving = Arc::new(serving);
    let places = Arc::new(Semaphore::new(serving.limits.max_connections));
    // Said once, not for each of a flood.
    let mut is_full = false;
    loop {
        let accepted = tokio::select! {
            () = serving.stop.cancelled() => return,
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
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            if !is_full {
                tracing::warn!("too many connections, further ones are refused");
            }
            is_full = true;
            continue;
        };
        is_full = false;
        let Some(place_of_peer) = serving.limits.admit(peer) else {
            tracing::debug!("too many connections from one network address, one more was refused");
            continue;
        };
        let serving = Arc::clone(&serving);
        tasks.spawn(async move {
            connection(stream, peer, serving).await;
            drop((place, place_of_peer));
        });
    }
}

/// Prepares one connection, shakes hands if it is to be TLS, and serves it.
async fn connection(stream: TcpStream, peer: SocketAddr, serving: Arc<Serving>) {
    if let Err(error) = prepare(&stream, serving.limits.write_timeout) {
        tracing::debug!(%error, "cannot set the options of a connection");
    }
    let Some(tls) = &serving.tls else {
        return exchange(stream, peer, serving).await;
    };
    // In boxes: connections without TLS hold no room for one.
    let accepted = tokio::select! {
        accepted = Box::pin(tls.accept(stream)) => accepted,
        () = serving.stop.cancelled() => return,
    };
    match accepted {
        Ok(stream) => Box::pin(exchange(stream, peer, serving)).await,
        Err(error) => tracing::debug!(%error, "no TLS came about"),
    }
}

/// No waiting to fill packets; and the kernel cuts off a peer that does not take what it is sent,
/// be it gone without a word or only not reading.
fn prepare(stream: &TcpStream, write_timeout: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_user_timeout(Some(write_timeout))
}
