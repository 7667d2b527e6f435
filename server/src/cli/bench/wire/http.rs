//! SockJS over HTTP: one connection receives, another sends.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Context as _, ensure};
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use trolleybus_protocol::json;

type Polling = Pending<Bytes>;
/// A request under way, kept so that whoever waits for it may stop waiting and come back.
type Pending<T> = Pin<Box<dyn Future<Output = anyhow::Result<(Connection, T)>> + Send>>;

pub(super) struct Carrier {
    session: String,
    receiving: Receiving,
    sending: Connection,
    /// Envelopes for the next upload, quoted and joined.
    outgoing: String,
    frames: VecDeque<Bytes>,
}

enum Receiving {
    Polling(Polling),
    Opening(Pending<Incoming>),
    Streaming { connection: Connection, body: Incoming, partial: BytesMut },
    Lost,
}

impl Carrier {
    pub(super) async fn open(base: &str, streaming: bool) -> anyhow::Result<Self> {
        static SESSIONS: AtomicU64 = AtomicU64::new(0);
        let url: url::Url = base.parse().with_context(|| format!("`{base}` is no URL"))?;
        let host = url.host_str().context("the URL has no host")?;
        let port = url.port_or_known_default().context("the URL has no port")?;
        let connection = || Connection { authority: format!("{host}:{port}"), sender: None };
        let number = SESSIONS.fetch_add(1, Relaxed);
        let session = format!("{}/000/{:x}-{number:x}", url.path(), std::process::id());
        let receiving = if streaming {
            Receiving::Opening(stream(connection(), format!("{session}/xhr_streaming")))
        } else {
            Receiving::Polling(poll(connection(), format!("{session}/xhr")))
        };
        let (sending, frames) = (connection(), VecDeque::new());
        let mut carrier = Self { session, receiving, sending, outgoing: String::new(), frames };
        let opened = carrier.frame().await?;
        ensure!(&opened[..] == b"o", "the session did not open");
        Ok(carrier)
    }

    /// The next frame. Nothing is lost when the future is dropped.
    pub(super) async fn frame(&mut self) -> anyhow::Result<Bytes> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(frame);
            }
            match &mut self.receiving {
                Receiving::Lost => anyhow::bail!("the session was lost"),
                Receiving::Polling(polling) => {
                    let polled = polling.await;
                    self.receiving = Receiving::Lost;
                    let (connection, body) = polled?;
                    self.receiving =
                        Receiving::Polling(poll(connection, format!("{}/xhr", self.session)));
                    self.frames.extend(lines(&body));
                }
                Receiving::Opening(opening) => {
                    let opened = opening.await;
                    self.receiving = Receiving::Lost;
                    let (connection, body) = opened?;
                    let partial = BytesMut::new();
                    self.receiving = Receiving::Streaming { connection, body, partial };
                }
                Receiving::Streaming { body, partial, .. } => match body.frame().await {
                    Some(frame) => {
                        let data = frame.context("the stream broke")?.into_data();
                        partial.extend_from_slice(&data.unwrap_or_default());
                        if let Some(end) = partial.iter().rposition(|byte| *byte == b'\n') {
                            let whole = partial.split_to(end + 1).freeze();
                            self.frames.extend(lines(&whole));
                        }
                    }
                    None => self.stream_anew(),
                },
            }
        }
    }

    /// The response reached its limit: a further one goes on.
    fn stream_anew(&mut self) {
        if let Receiving::Streaming { connection, .. } =
            std::mem::replace(&mut self.receiving, Receiving::Lost)
        {
            let path = format!("{}/xhr_streaming", self.session);
            self.receiving = Receiving::Opening(stream(connection, path));
        }
    }

    /// Closes the connection that sends, as browsers do when it was not used for a while.
    pub(super) fn lean_back(&mut self) {
        self.sending.sender = None;
    }

    pub(super) fn feed(&mut self, envelope: &str) {
        self.outgoing.push(if self.outgoing.is_empty() { '[' } else { ',' });
        json::quote_into(&mut self.outgoing, envelope);
    }

    pub(super) async fn flush(&mut self) -> anyhow::Result<()> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let mut body = std::mem::take(&mut self.outgoing);
        body.push(']');
        let path = format!("{}/xhr_send", self.session);
        let response = self.sending.post(&path, &body).await?;
        let status = response.status();
        ensure!(status == StatusCode::NO_CONTENT, "xhr_send gave {status}");
        response.into_body().collect().await.context("xhr_send broke")?;
        Ok(())
    }
}

/// The lines of a body; the prelude of a stream is none.
fn lines(body: &Bytes) -> Vec<Bytes> {
    let lines = body.split(|byte| *byte == b'\n');
    let is_prelude = |line: &[u8]| line.len() > 1 && line.iter().all(|byte| *byte == b'h');
    let wanted = lines.filter(|line| !line.is_empty() && !is_prelude(line));
    wanted.map(|line| body.slice_ref(line)).collect()
}

fn poll(mut connection: Connection, path: String) -> Polling {
    Box::pin(async move {
        let response = connection.post(&path, "").await?;
        let status = response.status();
        ensure!(status == StatusCode::OK, "xhr gave {status}");
        let body = response.into_body().collect().await.context("the poll broke")?;
        Ok((connection, body.to_bytes()))
    })
}

fn stream(mut connection: Connection, path: String) -> Pending<Incoming> {
    Box::pin(async move {
        let response = connection.post(&path, "").await?;
        let status = response.status();
        ensure!(status == StatusCode::OK, "xhr_streaming gave {status}");
        Ok((connection, response.into_body()))
    })
}

/// One HTTP connection, opened anew when the server has closed it.
struct Connection {
    authority: String,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// A server may close a connection that it has answered on, as Vert.x does after each poll, and
    /// the news may come after the next request went: that goes once more then, as in browsers.
    async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<Response<Incoming>> {
        if let Some(sender) = &mut self.sender
            && sender.ready().await.is_ok()
        {
            match sender.send_request(request(&self.authority, path, body)?).await {
                Err(error) if error.is_canceled() || error.is_incomplete_message() => {}
                answered => return answered.context("the server hung up"),
            }
        }
        let mut sender = connect(&self.authority).await?;
        let response = sender.send_request(request(&self.authority, path, body)?).await;
        self.sender = Some(sender);
        response.context("the server hung up")
    }
}

fn request(authority: &str, path: &str, body: &str) -> anyhow::Result<Request<Full<Bytes>>> {
    Ok(Request::post(path)
        .header(header::HOST, authority)
        .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
        .body(Full::from(body.to_owned()))?)
}

async fn connect(authority: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the connection, whose other end `sender` is.
    tokio::spawn(connection);
    Ok(sender)
}
