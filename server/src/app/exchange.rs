//! One connection from its first request to its end or its upgrade.
//!
//! hyper holds some 20 KB for a connection, nearly all of it buffers, and cannot give them back while
//! a request waits for its answer. A poll of a session where nothing happens waits for tens of
//! seconds. So a poll that has waited for a moment is *parked*: hyper's state is dropped, and what is
//! left is the stream and the poll. Once the poll has its answer, a fresh hyper reads a stand-in for
//! the request, is handed that answer, and goes on with the connection.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header;
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::access_log::Noted;
use super::http::Serving;
use super::rewind::Rewind;
use crate::sockjs::{Answer, Waiting};

/// How long a poll waits before it is parked. On a busy session nothing waits that long.
const QUIET: Duration = Duration::from_millis(20);
/// Any request will do: whatever is read next is handed the answer.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const MAX_HEAD: usize = 64 * 1024;

/// Serves `stream` until it ends. After an upgrade the connection belongs to the transport, and
/// this ends.
pub(super) async fn exchange<S>(stream: S, peer: SocketAddr, serving: Arc<Serving>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let exchange = Arc::new(Exchange::new(peer, serving));
    let stop = &exchange.serving.stop;
    let mut stream = Rewind::new(stream);
    loop {
        let answering = Arc::clone(&exchange);
        let service = service_fn(move |request| Arc::clone(&answering).answer(request));
        // In a box, because while a poll is parked there is none.
        let mut connection = Box::pin(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(exchange.serving.limits.header_timeout)
                .max_buf_size(MAX_HEAD)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades(),
        );
        let mut stopping = pin!(stop.cancelled());
        let mut is_stopping = false;
        let turn = poll_fn(|cx| {
            loop {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(Turn::Over(ended));
                }
                if let Some(waiting) = take(&exchange.quiet) {
                    return Poll::Ready(Turn::Quiet(waiting));
                }
                if is_stopping || stopping.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                // Not earlier: one that has read nothing takes itself for unused, and closes.
                connection.as_mut().graceful_shutdown();
                is_stopping = true;
            }
        });
        let waiting = match turn.await {
            Turn::Quiet(waiting) => waiting,
            Turn::Over(Ok(())) => return,
            Turn::Over(Err(error)) => return tracing::debug!(%error, "connection ended"),
        };
        // hyper has nothing left to write: it takes no request up before the answer to the one
        // before is written.
        let Some(parts) = Pin::into_inner(connection).into_parts() else { return };
        let parked = Parked { stream: parts.io.into_inner(), read: parts.read_buf, waiting };
        let Some((rewound, answer)) = parked.rest(stop).await else { return };
        put(&exchange.found, answer);
        stream = rewound;
    }
}

/// How a turn of hyper's with the connection ended.
enum Turn {
    Over(hyper::Result<()>),
    Quiet(Waiting),
}

/// What the requests of one connection share. Its locks are held for a look, by one task.
struct Exchange {
    peer: SocketAddr,
    is_exempt: bool,
    serving: Arc<Serving>,
    /// A poll to be parked.
    quiet: Mutex<Option<Waiting>>,
    /// What was parked, for the stand-in.
    found: Mutex<Option<Answer>>,
}

impl Exchange {
    fn new(peer: SocketAddr, serving: Arc<Serving>) -> Self {
        Self {
            peer,
            is_exempt: serving.limits.of_clients.is_exempt(peer.ip()),
            serving,
            quiet: Mutex::default(),
            found: Mutex::default(),
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: http::Request<Incoming>,
    ) -> Result<Response, Infallible> {
        if let Some(found) = take(&self.found) {
            return Ok(found.response().await);
        }
        let proxies = &self.serving.limits.proxies;
        let client = proxies.client(self.peer, request.headers());
        proxies.notice(self.is_exempt, request.headers());
        let noted = Noted::new(&request, client);
        let may_park = may_park(&request);
        let answer = self.serving.front.answer(request.map(Body::new), client).await;
        Ok(match (answer, noted) {
            (Answer::Ready(response), noted) => {
                noted.into_iter().for_each(|noted| noted.log(response.status()));
                response
            }
            (Answer::Waiting(waiting), None) => self.wait(waiting, may_park).await,
            (Answer::Waiting(waiting), Some(noted)) => {
                let waiting = async move {
                    let response = waiting.await;
                    noted.log(response.status());
                    response
                };
                self.wait(Box::pin(waiting), may_park).await
            }
        })
    }

    /// Waits with the poll for a moment, then has it parked, which ends this future.
    async fn wait(&self, mut waiting: Waiting, may_park: bool) -> Response {
        if !may_park {
            return waiting.await;
        }
        if let Ok(response) = tokio::time::timeout(QUIET, &mut waiting).await {
            return response;
        }
        put(&self.quiet, waiting);
        pending().await
    }
}

/// Whether nothing of the request is still to be read, and the connection goes on after it.
fn may_park(request: &http::Request<Incoming>) -> bool {
    request.version() == http::Version::HTTP_11
        && request.body().is_end_stream()
        && request.headers().get_all(header::CONNECTION).iter().all(|value| {
            // Browsers say so, though it is the rule.
            value.as_bytes().eq_ignore_ascii_case(b"keep-alive")
        })
}

/// A poll that waits, and the connection that asks.
struct Parked<S> {
    stream: Rewind<S>,
    /// What came behind the request.
    read: Bytes,
    waiting: Waiting,
}

impl<S: AsyncRead + Unpin> Parked<S> {
    /// Waits until hyper has something to do; gives none when the client has gone.
    async fn rest(mut self, stop: &CancellationToken) -> Option<(Rewind<S>, Answer)> {
        let mut bytes = [0; 16];
        let answer = if self.read.is_empty() {
            tokio::select! {
                biased;
                response = &mut self.waiting => Answer::Ready(response),
                read = self.stream.read(&mut bytes) => {
                    let count = read.ok().filter(|count| *count > 0)?;
                    self.read = Bytes::copy_from_slice(&bytes[..count]);
                    Answer::Waiting(self.waiting)
                }
                () = stop.cancelled() => Answer::Waiting(self.waiting),
            }
        } else {
            Answer::Waiting(self.waiting)
        };
        self.stream.rewind([STAND_IN, &self.read]);
        Some((self.stream, answer))
    }
}

fn put<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests;
