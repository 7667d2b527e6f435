//! The one socket of a client at a time: connecting, open, or none.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, SinkExt};
use tokio::net::TcpStream;
use yawc::frame::{Frame, OpCode};
use yawc::{HttpRequestBuilder, MaybeTlsStream, Options, WebSocket, WebSocketBuilder};

use crate::core::{Link, Opening};

/// Longest frame that is read.
const FRAME_BYTES_MAX: usize = 16 << 20;
/// Shortest message that is compressed, if the server agrees to it: shorter ones fit into a packet.
const COMPRESSED_BYTES_MIN: usize = 1024;

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// What the socket has to say.
pub(super) enum Input {
    Opened,
    Frame(String),
    Sent,
    /// No connection came about, and this is why.
    Refused(String),
    /// The other side closed it, with this code and reason.
    Closed(u16, String),
    Failed,
}

/// The socket.
#[derive(Default)]
pub(super) struct Line {
    link: Link,
    stage: Stage,
    /// Texts to write; the machine gives one at a time, and several only before it closes.
    outgoing: VecDeque<String>,
    flushing: bool,
    closing: bool,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    /// The URL was none.
    Hopeless,
    Connecting(Box<WebSocketBuilder>),
    Open(Box<Socket>),
}

impl Line {
    pub(super) fn link(&self) -> Link {
        self.link
    }

    /// Connects.
    pub(super) fn open(&mut self, link: Link, url: &str, opening: Opening<'_>) {
        let options = Options::default()
            .with_max_payload_read(FRAME_BYTES_MAX)
            .with_max_read_buffer(2 * FRAME_BYTES_MAX)
            .with_low_latency_compression()
            .with_compression_threshold(COMPRESSED_BYTES_MIN);
        *self = Self {
            link,
            stage: match url.parse() {
                Ok(url) => {
                    let mut builder = WebSocket::connect(url).with_options(options);
                    #[cfg(feature = "tls")]
                    if let Some(trust) = opening.trust {
                        builder = builder.with_connector(trust.connector());
                    }
                    if let Some(token) = opening.token {
                        let request = HttpRequestBuilder::new();
                        let value = ["Bearer ", token].concat();
                        builder = builder.with_request(request.header("authorization", value));
                    }
                    Stage::Connecting(Box::new(builder))
                }
                Err(_) => Stage::Hopeless,
            },
            ..Self::default()
        };
    }

    pub(super) fn send(&mut self, link: Link, text: String) {
        if link == self.link {
            self.outgoing.push_back(text);
        }
    }

    /// Marks the socket as one to be closed. The next `open` drops it, or `farewell` closes it.
    pub(super) fn close(&mut self, link: Link) {
        if link == self.link {
            self.closing = true;
        }
    }

    /// What comes next; waits for ever when there is no socket.
    pub(super) async fn next(&mut self) -> Input {
        if self.closing {
            self.stage = Stage::Idle;
        }
        poll_fn(|context| self.poll(context)).await
    }

    /// Writes what is left, then the close frame.
    pub(super) async fn farewell(mut self) {
        let Stage::Open(socket) = &mut self.stage else {
            return;
        };
        for text in self.outgoing {
            if socket.feed(Frame::text(text)).await.is_err() {
                return;
            }
        }
        // The peer may be gone; nothing depends on it any more.
        let _ = socket.send(Frame::close(yawc::close::CloseCode::Normal, "")).await;
        let _ = socket.close().await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Input> {
        let input = ready!(self.poll_stage(context));
        if let Input::Failed | Input::Refused(_) | Input::Closed(..) = input {
            self.stage = Stage::Idle;
        }
        Poll::Ready(input)
    }

    fn poll_stage(&mut self, context: &mut Context<'_>) -> Poll<Input> {
        match &mut self.stage {
            Stage::Idle => Poll::Pending,
            Stage::Hopeless => Poll::Ready(Input::Refused("the URL is none".to_owned())),
            Stage::Connecting(builder) => match ready!(Pin::new(builder).poll(context)) {
                Ok(socket) => {
                    self.stage = Stage::Open(Box::new(socket));
                    Poll::Ready(Input::Opened)
                }
                Err(error) => Poll::Ready(Input::Refused(error.to_string())),
            },
            Stage::Open(socket) => {
                match poll_write(socket, &mut self.outgoing, &mut self.flushing, context) {
                    Poll::Pending => poll_read(socket, context),
                    ready => ready,
                }
            }
        }
    }
}

/// Ready when the last text has left; pending when there is none.
fn poll_write(
    socket: &mut Socket,
    outgoing: &mut VecDeque<String>,
    flushing: &mut bool,
    context: &mut Context<'_>,
) -> Poll<Input> {
    let mut socket = Pin::new(socket);
    while !outgoing.is_empty() {
        if ready!(socket.as_mut().poll_ready(context)).is_err() {
            return Poll::Ready(Input::Failed);
        }
        if let Some(text) = outgoing.pop_front()
            && socket.as_mut().start_send(Frame::text(text)).is_err()
        {
            return Poll::Ready(Input::Failed);
        }
        *flushing = true;
    }
    if !*flushing {
        return Poll::Pending;
    }
    let flushed = ready!(socket.poll_flush(context));
    *flushing = false;
    Poll::Ready(if flushed.is_ok() { Input::Sent } else { Input::Failed })
}

fn poll_read(socket: &mut Socket, context: &mut Context<'_>) -> Poll<Input> {
    loop {
        let Ok(frame) = ready!(socket.poll_next_frame(context)) else {
            return Poll::Ready(Input::Failed);
        };
        match frame.opcode() {
            OpCode::Text => {
                let text = String::from_utf8(frame.into_payload().into());
                return Poll::Ready(text.map_or(Input::Failed, Input::Frame));
            }
            OpCode::Close => return Poll::Ready(closed(&frame)),
            _ => {}
        }
    }
}

/// What a close frame says; 1005 stands for nothing.
fn closed(frame: &Frame) -> Input {
    let code = frame.close_code().map_or(1005, u16::from);
    let reason = frame.close_reason().ok().flatten().unwrap_or_default();
    Input::Closed(code, reason.to_owned())
}
