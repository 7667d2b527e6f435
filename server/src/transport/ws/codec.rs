//! The WebSocket crate, behind a small face, so that another one could stand here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use bytes::Bytes;
use futures_util::Sink;
use http::Request;
use http::request::Parts;
use http_body_util::Empty;
use hyper::upgrade::OnUpgrade;
use yawc::close::CloseCode;
use yawc::{Frame, OpCode, Options, Role, WebSocket};

use super::stream::Stream;

/// Buffers of an idle connection, in bytes; they grow with what passes and shrink again.
const BUFFER: usize = 512;
/// Bytes that are collected before a write is forced.
const WRITE_BOUNDARY: usize = 16 * 1024;
/// Pongs that may wait for a peer that sends pings and does not read.
const MAX_PONGS_OWED: usize = 64;

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
    pongs_owed: usize,
}

/// The 101 answer, and the connection once it has been sent; `None` when the request is no
/// WebSocket handshake of version 13. Messages may be up to `limit` bytes.
pub(super) fn accept(
    parts: &mut Parts,
    limit: usize,
) -> Option<(Response<Empty<Bytes>>, Accepting)> {
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
    let (response, _) = WebSocket::upgrade_with_options(&mut request, options.clone()).ok()?;
    Some((response, Accepting { upgrade, options }))
}

/// Waits until the 101 answer has been sent.
pub(super) struct Accepting {
    upgrade: OnUpgrade,
    options: Options,
}

impl Future for Accepting {
    type Output = Option<Codec>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Codec>> {
        let Ok(upgraded) = ready!(Pin::new(&mut self.upgrade).poll(cx)) else {
            return Poll::Ready(None);
        };
        let options = std::mem::take(&mut self.options);
        let socket = WebSocket::from_stream(Stream::new(upgraded), Role::Server, options).ok();
        Poll::Ready(socket.map(|socket| Codec { socket, pongs_owed: 0 }))
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
                Err(error) if error.is_closed() || error.is_io_error() => {
                    return Poll::Ready(Incoming::Lost);
                }
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
