//! Clients that carry envelopes: SockJS on a WebSocket, the raw WebSocket, and TCP.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use yawc::{Frame, OpCode};

use crate::support::websocket::Client as WebSocket;

/// Longer than any message takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    WebSocket,
    Raw,
    Tcp,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Raw => "raw",
            Self::Tcp => "tcp",
        }
    }

    /// The file of the conversations that are held over it.
    pub(crate) fn conversations(self) -> &'static str {
        if self == Self::Tcp { "tcp.json" } else { "conversations.json" }
    }

    /// An envelope that is answered at once and does nothing, and the word in its answer.
    pub(crate) fn barrier(self) -> (&'static str, &'static str) {
        match self {
            Self::WebSocket | Self::Raw => (r#"{"type":"barrier","address":""}"#, "invalid_type"),
            Self::Tcp => (r#"{"type":"ping"}"#, "pong"),
        }
    }
}

pub(crate) enum Carrier {
    Sockjs { socket: WebSocket, waiting: Vec<String> },
    Raw(WebSocket),
    Tcp(TcpStream),
}

/// What a client hears.
pub(crate) enum Heard {
    Text(String),
    Closed(Value),
}

impl Carrier {
    pub(crate) async fn open(kind: Kind, addr: SocketAddr, path: &str) -> Self {
        match kind {
            Kind::WebSocket => {
                let mut socket = WebSocket::open(addr, &format!("{path}/000/s/websocket")).await;
                assert_eq!(socket.text().await, "o");
                Self::Sockjs { socket, waiting: Vec::new() }
            }
            Kind::Raw => Self::Raw(WebSocket::open(addr, &format!("{path}/websocket")).await),
            Kind::Tcp => Self::Tcp(TcpStream::connect(addr).await.unwrap()),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        match self {
            Self::Sockjs { socket, .. } => socket.send(&json!([text]).to_string()).await,
            Self::Raw(socket) => socket.send(text).await,
            Self::Tcp(_) => {
                let length = u32::try_from(text.len()).unwrap().to_be_bytes();
                self.bytes(&[&length, text.as_bytes()].concat()).await;
            }
        }
    }

    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        match self {
            Self::Sockjs { .. } => {}
            Self::Raw(socket) => socket.send_frame(Frame::binary(bytes.to_vec())).await,
            Self::Tcp(stream) => stream.write_all(bytes).await.unwrap(),
        }
    }

    /// The next message; `None` when nothing comes.
    pub(crate) async fn hear(&mut self) -> Option<Heard> {
        timeout(PATIENCE, async {
            match self {
                Self::Sockjs { socket, waiting } => sockjs(socket, waiting).await,
                Self::Raw(socket) => raw(socket).await,
                Self::Tcp(stream) => tcp(stream).await,
            }
        })
        .await
        .ok()
    }

    pub(crate) async fn close(self) {
        if let Self::Sockjs { mut socket, .. } | Self::Raw(mut socket) = self {
            socket.try_send_frame(Frame::close(yawc::close::CloseCode::Normal, "")).await;
            timeout(PATIENCE, socket.drained()).await.ok();
        }
    }
}

async fn sockjs(socket: &mut WebSocket, waiting: &mut Vec<String>) -> Heard {
    while waiting.is_empty() {
        let Some(frame) = socket.frame().await else { return Heard::Closed(Value::Null) };
        if frame.opcode() == OpCode::Close {
            return Heard::Closed(json!([frame.close_code().map(u16::from)]));
        }
        let text = frame.as_str();
        match text.split_at_checked(1) {
            Some(("a", array)) => *waiting = serde_json::from_str(array).unwrap(),
            Some(("c", array)) => return Heard::Closed(serde_json::from_str(array).unwrap()),
            _ => assert_eq!(text, "h"),
        }
    }
    Heard::Text(waiting.remove(0))
}

async fn raw(socket: &mut WebSocket) -> Heard {
    let Some(frame) = socket.frame().await else { return Heard::Closed(Value::Null) };
    match frame.opcode() {
        OpCode::Binary => Heard::Text(String::from_utf8(frame.payload().to_vec()).unwrap()),
        OpCode::Close => {
            let reason = frame.close_reason().unwrap().unwrap_or_default();
            Heard::Closed(json!([frame.close_code().map(u16::from), reason]))
        }
        other => panic!("the raw WebSocket says everything in binary frames, not {other:?}"),
    }
}

async fn tcp(stream: &mut TcpStream) -> Heard {
    let Ok(length) = stream.read_u32().await else { return Heard::Closed(Value::Null) };
    let mut text = vec![0; usize::try_from(length).unwrap()];
    match stream.read_exact(&mut text).await {
        Ok(_) => Heard::Text(String::from_utf8(text).unwrap()),
        Err(_) => Heard::Closed(Value::Null),
    }
}
