//! One connection from its first request to its end or its upgrade.
//!
//! hyper holds some 20 KB for a connection, nearly all of it buffers, and cannot give them back while
//! nothing happens. A polling client has two such connections: on one a poll waits for tens of
//! seconds, over the other it sends something now and then. So a connection that has been quiet for
//! a moment is *parked*: hyper's state is dropped, and what is left is the stream, and the poll if
//! there is one. When bytes come, a fresh hyper goes on with them. When the poll has its answer, a
//! fresh hyper reads a stand-in for the request, is handed that answer, and goes on.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Sleep, sleep};

use super::access_log::Noted;
use super::http::Serving;
use super::rewind::{Backlog, Rewind};
use crate::sockjs::{Answer, Waiting};

/// How long a poll waits before it is parked. On a busy session nothing waits that long.
const QUIET: Duration = Duration::from_millis(20);
/// How long a connection goes without a request before it is parked, and at most twice that.
const CALM: Duration = Duration::from_millis(250);
/// What hyper has written by the time it waits for the next request, if it could write at all.
const SMALL_ANSWER: u64 = 8 * 1024;
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
    let mut stream = Rewind::new(stream, Arc::clone(&exchange.backlog));
    loop {
        let answering = Arc::clone(&exchange);
        let service = service_fn(move |request| Arc::clone(&answering).answer(request));
        // In a box, because while it is parked there is none.
        let mut connection = Box::pin(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(exchange.serving.limits.header_timeout)
                .max_buf_size(MAX_HEAD)
                // One buffer to write from: most answers are short.
                .writev(false)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades(),
        );
        let turn = {
            let mut stopping = pin!(exchange.serving.stop.cancelled());
            let (mut is_stopping, mut calm) = (false, Calm::default());
            let turn = poll_fn(|cx| {
                loop {
                    if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                        return Poll::Ready(Turn::Over(ended));
                    }
                    if let Some(waiting) = take(&exchange.quiet) {
                        return Poll::Ready(Turn::Quiet(Some(waiting)));
                    }
                    if calm.poll(&exchange, cx).is_ready() {
                        return Poll::Ready(Turn::Quiet(None));
                    }
                    if is_stopping || stopping.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    // Not earlier: one that has read nothing takes itself for unused, and closes.
                    connection.as_mut().graceful_shutdown();
                    is_stopping = true;
                }
            });
            turn.await
        };
        let waiting = match turn {
            Turn::Quiet(waiting) => waiting,
            Turn::Over(Ok(())) => return,
            Turn::Over(Err(error)) => return tracing::debug!(%error, "connection ended"),
        };
        let Some(parts) = Pin::into_inner(connection).into_parts() else { return };
        // An empty part of a buffer would keep the whole.
        let read = Some(parts.read_buf).filter(|read| !read.is_empty()).unwrap_or_default();
        let parked = Parked { stream: parts.io.into_inner(), read };
        let rewound = match waiting {
            None => parked.read(&exchange.serving).await,
            Some(waiting) => parked.wait(waiting, &exchange).await,
        };
        let Some(rewound) = rewound else { return };
        stream = rewound;
    }
}

/// How a turn of hyper's with the connection ended.
enum Turn {
    Over(hyper::Result<()>),
    /// Nothing happens: a poll waits, or there is no request.
    Quiet(Option<Waiting>),
}

/// What the requests of one connection share. Its locks are held for a look, by one task.
struct Exchange {
    peer: SocketAddr,
    is_exempt: bool,
    serving: Arc<Serving>,
    backlog: Arc<Backlog>,
    /// Requests so far.
    requests: AtomicU32,
    /// Whether the last one has had its answer, of which hyper has nothing left if it could write.
    is_answered: AtomicBool,
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
            backlog: Arc::default(),
            requests: AtomicU32::default(),
            is_answered: AtomicBool::default(),
            quiet: Mutex::default(),
            found: Mutex::default(),
        }
    }

    async fn answer(
        self: Arc<Self>,
        request: http::Request<Incoming>,
    ) -> Result<Response, Infallible> {
        if let Some(found) = take(&self.found) {
            let response = found.response().await;
            self.is_answered.store(is_small(&response), Relaxed);
            return Ok(response);
        }
        let proxies = &self.serving.limits.proxies;
        if self.requests.fetch_add(1, Relaxed) == 0 {
            proxies.notice(self.is_exempt, request.headers());
        }
        self.is_answered.store(false, Relaxed);
        let client = proxies.client(self.peer, request.headers());
        let noted = Noted::new(&request, client);
        let is_whole = request.body().is_end_stream();
        let may_park = is_whole && goes_on(&request);
        let is_upload = request.method() == Method::POST;
        let mut answer = {
            let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            let cx = &mut Context::from_waker(&waker);
            self.serving.front.answer(request.map(Body::new), client, cx)
        };
        if let Some(noted) = noted {
            answer = noted.follow(answer);
        }
        let response = match answer {
            Answer::Ready(response) => response,
            Answer::Waiting(waiting) if may_park => self.wait(waiting).await,
            Answer::Waiting(waiting) => waiting.await,
            Answer::Later(later) => later.await,
        };
        // An upload that was taken has been read to its end; one that was refused may not have been.
        let is_read = is_whole || is_upload && response.status() == StatusCode::NO_CONTENT;
        self.is_answered.store(is_read && is_small(&response), Relaxed);
        Ok(response)
    }

    /// Waits with the poll for a moment, then has it parked, which ends this future.
    async fn wait(&self, mut waiting: Waiting) -> Response {
        if let Ok(response) = tokio::time::timeout(QUIET, &mut waiting).await {
            return response;
        }
        put(&self.quiet, waiting);
        pending().await
    }
}

/// Whether the connection goes on after this request.
fn goes_on(request: &http::Request<Incoming>) -> bool {
    request.version() == http::Version::HTTP_11
        && request.headers().get_all(header::CONNECTION).iter().all(|value| {
            // Browsers say so, though it is the rule.
            value.as_bytes().eq_ignore_ascii_case(b"keep-alive")
        })
}

/// Whether nothing of this answer is left once hyper waits for the next request.
fn is_small(response: &Response) -> bool {
    response.body().size_hint().exact().is_some_and(|size| size <= SMALL_ANSWER)
}

/// Finds out that there has been no request for a while.
#[derive(Default)]
struct Calm {
    timer: Option<Pin<Box<Sleep>>>,
    requests: u32,
}

impl Calm {
    /// Ready when the last request is answered and a while has passed. One timer serves all the
    /// requests that come before it rings.
    fn poll(&mut self, exchange: &Exchange, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let requests = exchange.requests.load(Relaxed);
            let Some(timer) = &mut self.timer else {
                if !exchange.is_answered.load(Relaxed) {
                    return Poll::Pending;
                }
                self.requests = requests;
                self.timer = Some(Box::pin(sleep(CALM)));
                continue;
            };
            ready!(timer.as_mut().poll(cx));
            // Once for each answer: whoever sends bytes of a request has no further rest before it
            // is whole, and hyper's timeout for it runs.
            let is_calm = self.requests == requests
                && exchange.is_answered.swap(false, Relaxed)
                && !exchange.backlog.is_there();
            if is_calm {
                return Poll::Ready(());
            }
            self.timer = None;
        }
    }
}

/// A connection without hyper.
struct Parked<S> {
    stream: Rewind<S>,
    /// What hyper has read and not looked at.
    read: Bytes,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Parked<S> {
    /// Waits for a request; gives none when there will be none.
    async fn read(mut self, serving: &Serving) -> Option<Rewind<S>> {
        let is_over = self.read.is_empty()
            && tokio::select! {
                read = self.read_more() => read.map(|()| false)?,
                () = sleep(serving.limits.header_timeout) => true,
                () = serving.stop.cancelled() => true,
            };
        if is_over {
            self.stream.shutdown().await.ok();
            return None;
        }
        self.stream.rewind([&self.read, &[]]);
        Some(self.stream)
    }

    /// Waits until the poll has its answer or hyper has something else to do; gives none when the
    /// client has gone.
    async fn wait(mut self, mut waiting: Waiting, exchange: &Exchange) -> Option<Rewind<S>> {
        let answer = if self.read.is_empty() {
            tokio::select! {
                biased;
                response = &mut waiting => Answer::Ready(response),
                read = self.read_more() => {
                    read?;
                    Answer::Waiting(waiting)
                }
                () = exchange.serving.stop.cancelled() => Answer::Waiting(waiting),
            }
        } else {
            Answer::Waiting(waiting)
        };
        put(&exchange.found, answer);
        self.stream.rewind([STAND_IN, &self.read]);
        Some(self.stream)
    }

    /// # Cancel safety
    /// Nothing is lost.
    async fn read_more(&mut self) -> Option<()> {
        let mut bytes = [0; 16];
        let count = self.stream.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        self.read = Bytes::copy_from_slice(&bytes[..count]);
        Some(())
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
