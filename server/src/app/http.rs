//! The accept loop: hyper over TCP, bounded in connections, in the time for a request's
//! head, and in the time that a peer may leave unread what it is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client_ip::Proxies;
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

/// Accepts connections until `stop`, each served by a task of its own that `tasks` tracks.
pub(super) async fn serve(
    listener: TcpListener,
    front: Front,
    limits: Limits,
    tls: Option<Tls>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(limits.max_connections));
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
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("too many connections, one more was refused");
            continue;
        };
        let Some(place_of_peer) = limits.admit(peer) else {
            tracing::debug!("too many connections from one network address, one more was refused");
            continue;
        };
        let (front, limits) = (front.clone(), limits.clone());
        let (tls, stop) = (tls.clone(), stop.clone());
        tasks.spawn(async move {
            connection(stream, peer, front, limits, tls, stop).await;
            drop((place, place_of_peer));
        });
    }
}

/// Prepares one connection, shakes hands if it is to be TLS, and serves it.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    front: Front,
    limits: Limits,
    tls: Option<Tls>,
    stop: CancellationToken,
) {
    if let Err(error) = prepare(&stream, limits.write_timeout) {
        tracing::debug!(%error, "cannot set the options of a connection");
    }
    let Some(tls) = tls else {
        return exchange(stream, peer, front, limits, stop).await;
    };
    let accepted = tokio::select! {
        accepted = tls.accept(stream) => accepted,
        () = stop.cancelled() => return,
    };
    match accepted {
        Ok(stream) => exchange(stream, peer, front, limits, stop).await,
        Err(error) => tracing::debug!(%error, "no TLS came about"),
    }
}

/// Serves one connection. After an upgrade the connection belongs to the transport, and this ends.
async fn exchange<S>(
    stream: S,
    peer: SocketAddr,
    front: Front,
    limits: Limits,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let is_exempt = limits.of_clients.is_exempt(peer.ip());
    let proxies = limits.proxies;
    let service = service_fn(move |request: http::Request<Incoming>| {
        let client = proxies.client(peer, request.headers());
        proxies.notice(is_exempt, request.headers());
        let noted = tracing::enabled!(tracing::Level::DEBUG).then(|| Noted::new(&request));
        let answering = front.answer(request.map(axum::body::Body::new), client);
        async move {
            let answer = answering.await;
            if let (Some(noted), Ok(response)) = (noted, &answer) {
                noted.log(response.status(), client);
            }
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// What the access log says of a request.
struct Noted {
    method: http::Method,
    path: String,
    began: Instant,
}

impl Noted {
    fn new(request: &http::Request<Incoming>) -> Self {
        let path = discreet(request.uri().path());
        Self { method: request.method().clone(), path, began: Instant::now() }
    }

    fn log(&self, status: http::StatusCode, peer: SocketAddr) {
        let Self { method, path, began } = self;
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(%method, path, status = status.as_u16(), %peer, took_us, "request");
    }
}

/// The path without its middle: there SockJS has the session's id, and who knows it can speak for
/// the session. Queries may hold tokens and are left out altogether.
fn discreet(path: &str) -> String {
    let mut segments = path.trim_start_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    match (segments.next_back(), segments.next()) {
        (None, _) => format!("/{first}"),
        (Some(last), None) => format!("/{first}/{last}"),
        (Some(last), Some(_)) => format!("/{first}/\u{2026}/{last}"),
    }
}

/// No waiting to fill packets; and the kernel cuts off a peer that does not take what it is sent,
/// be it gone without a word or only not reading.
fn prepare(stream: &TcpStream, write_timeout: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_user_timeout(Some(write_timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_stay_out_of_the_access_log() {
        assert_eq!(discreet("/"), "/");
        assert_eq!(discreet("/index.html"), "/index.html");
        assert_eq!(discreet("/eventbus/info"), "/eventbus/info");
        assert_eq!(discreet("/eventbus/000/secret/xhr_send"), "/eventbus/\u{2026}/xhr_send");
    }
}
