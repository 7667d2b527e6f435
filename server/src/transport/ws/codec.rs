//! The WebSocket crate, behind a small face, so that another one could stand here.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::Sink;
use http::request::Parts;
use http::{Request, header};
use http_body_util::Empty;
use hyper::upgrade::OnUpgrade;
use tokio_util::codec::Decoder as _;
use yawc::close::CloseCode;
use yawc::codec::Decoder;
use yawc::{DeflatePool, Frame, OpCode, Options, Role, WebSocket};

use super::deflate::{AGREED, Agreed};
use super::stream::Stream;

/// Buffers of an idle connection, in bytes; they grow with what passes and shrink again.
const BUFFER: usize = 512;
/// Bytes that are collected before a write is forced.
const WRITE_BOUNDARY: usize = 16 * 1024;
/// Pongs that may wait for a peer that sends pings and does not read.
const MAX_PONGS_OWED: u32 = 64;
/// Memory for messages that are being inflated, of all connections. One more takes its own.
static INFLATING: LazyLock<DeflatePool> = LazyLock::new(|| DeflatePool::new(16));

/// What the peer sent.
pub(super) enum Incoming {
    Text(Bytes),
    Binary(Bytes),
    /// The peer closes, or broke the protocol; our answer is on its way.
    Closed,
    /// The connection is no more.
    Lost,
}

/// The connection is no more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lost;

impl From<yawc::WebSocketError> for Lost {
    fn from(_: yawc::WebSocketError) -> Self {
        Self
    }
}

/// A WebSocket connection, polled.
pub(super) struct Codec {
    socket: WebSocket<Stream>,
    pongs_owed: u32,
    deflates: Option<Agreed>,
}

/// The 101 answer, and the connection once it has been sent; `None` when the request is no
/// WebSocket handshake of version 13. Messages may be up to `limit` bytes, and be compressed if
/// `may_deflate`.
pub(super) fn accept(
    parts: &mut Parts,
    limit: usize,
    may_deflate: bool,
) -> Option<(Response<Empty<Bytes>>, Accepting)> {
    let deflates = may_deflate.then(|| Agreed::to_offers_of(&parts.headers)).flatten();
    let options = Options::default()
        .with_limits(limit + 1, limit + 1)
        .with_read_buffer_capacity(BUFFER)
        .with_write_buffer_capacity(BUFFER)
        .with_backpressure_boundary(WRITE_BOUNDARY);
    let mut request = Request::new(());
    *request.headers_mut() = std::mem::take(&mut parts.headers);
    *request.extensions_mut() = std::mem::take(&mut parts.extensions);
    // The crate checks the handshake; the connection itself goes through our own stream.
    let upgrade = request.extensions().get::<OnUpgrade>()?.clone();
    let (mut response, _) = WebSocket::upgrade_with_options(&mut request, options.clone()).ok()?;
    if let Some(agreed) = deflates {
        response.headers_mut().insert(header::SEC_WEBSOCKET_EXTENSIONS, agreed.header());
    }
    Some((response, Accepting { upgrade, options, deflates }))
}

/// Waits until the 101 answer has been sent.
pub(super) struct Accepting {
    upgrade: OnUpgrade,
    options: Options,
    deflates: Option<Agreed>,
}

impl Future for Accepting {
    type Output = Option<Codec>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Codec>> {
        let Ok(upgraded) = ready!(Pin::new(&mut self.upgrade).poll(cx)) else {
            return Poll::Ready(None);
        };
        let mut options = std::mem::take(&mut self.options);
        let deflates = self.deflates;
        if deflates.is_some() {
            // The crate inflates. What is sent is compressed by us, once for all receivers.
            options = options
                .with_low_latency_compression()
                .with_deflate_pool(INFLATING.clone())
                .with_compression_threshold(usize::MAX);
        }
        let stream = Stream::new(upgraded);
        let agreed = deflates.map(|_| AGREED);
        let socket =
            WebSocket::from_stream_with_extensions(stream, Role::Server, agreed, options).ok();
        Poll::Ready(socket.map(|socket| Codec { socket, pongs_owed: 0, deflates }))
    }
}

impl Codec {
    /// The next message. Pings are answered on the way.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if self.pongs_owed > MAX_PONGS_OWED {
                if ready!(self.poll_ready(cx)).is_err() {
                    return Poll::Ready(Incoming::Lost);
                }
                self.pongs_owed = 0;
            }
            let frame = match ready!(self.socket.poll_next_frame(cx)) {
                Ok(frame) => frame,
                Err(error) if is_lost(&error) => return Poll::Ready(Incoming::Lost),
                Err(error) => {
                    tracing::debug!(%error, "websocket protocol broken");
                    return Poll::Ready(Incoming::Closed);
                }
            };
            match frame.opcode() {
                OpCode::Text => return Poll::Ready(Incoming::Text(frame.into_payload())),
                OpCode::Binary => return Poll::Ready(Incoming::Binary(frame.into_payload())),
                OpCode::Close => return Poll::Ready(Incoming::Closed),
                OpCode::Ping => self.pongs_owed += 1,
                OpCode::Pong | OpCode::Continuation => {}
            }
        }
    }

    /// Ready when there is room for a frame.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Pin::new(&mut self.socket).poll_ready(cx).map_err(Lost::from)
    }

    /// Writes out what was sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(Lost::from)
    }

    pub(super) fn send_text(&mut self, text: Bytes) -> Result<(), Lost> {
        self.send(Frame::text(text))
    }

    pub(super) fn send_binary(&mut self, data: Bytes) -> Result<(), Lost> {
        self.send(Frame::binary(data))
    }

    /// Whether the peer takes a compressed message of so many bytes.
    pub(super) fn deflates(&self, len: usize) -> bool {
        self.deflates.is_some_and(|agreed| agreed.admits(len))
    }

    /// Sends a message that is compressed already.
    pub(super) fn send_deflated_text(&mut self, payload: Bytes) -> Result<(), Lost> {
        self.send(deflated(OpCode::Text, payload)?)
    }

    /// Sends a message that is compressed already.
    pub(super) fn send_deflated_binary(&mut self, payload: Bytes) -> Result<(), Lost> {
        self.send(deflated(OpCode::Binary, payload)?)
    }

    pub(super) fn send_ping(&mut self) -> Result<(), Lost> {
        self.send(Frame::ping(Bytes::new()))
    }

    /// Codes that may not travel become 1000.
    pub(super) fn send_close(&mut self, code: u16, reason: &str) -> Result<(), Lost> {
        let code = CloseCode::from(code);
        let code = if code.is_allowed() { code } else { CloseCode::Normal };
        self.send(Frame::close(code, reason))
    }

    fn send(&mut self, frame: Frame) -> Result<(), Lost> {
        Ok(Pin::new(&mut self.socket).start_send(frame)?)
    }
}

/// What cannot be inflated comes as an error of input and output as well, and is none.
fn is_lost(error: &yawc::WebSocketError) -> bool {
    let is_lost = |error: &io::Error| error.kind() != io::ErrorKind::InvalidInput;
    error.is_closed() || error.as_io_error().is_some_and(is_lost)
}

/// A frame with the bit that says so (RSV1). The crate has no way to set it but to read it.
fn deflated(opcode: OpCode, payload: Bytes) -> Result<Frame, Lost> {
    const FIN_AND_RSV1: u8 = 0b1100_0000;
    let mut head = BytesMut::from(&[FIN_AND_RSV1 | u8::from(opcode), 0][..]);
    let mut frame = Decoder::new(Role::Client, usize::MAX).decode(&mut head)?.ok_or(Lost)?;
    *frame.payload_mut() = payload;
    Ok(frame)
}
