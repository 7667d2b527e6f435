//! Frames of a WebSocket, in the forms that put messages there.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::net::TcpStream;
use trolleybus_protocol::json;
use yawc::{Frame, OpCode, WebSocket};

use super::Form;

pub(super) struct Carrier {
    socket: WebSocket<TcpStream>,
    form: Form,
}

impl Carrier {
    /// Connects to a `ws:` URL; SockJS sessions and Socket.IO namespaces are open afterwards.
    pub(super) async fn open(base: &str, form: Form) -> anyhow::Result<Self> {
        let url = match form {
            Form::Raw => format!("{base}/websocket"),
            Form::Bare => base.to_owned(),
            Form::SocketIo => format!("{base}/?EIO=4&transport=websocket"),
            _ => format!("{base}/000/bench/websocket"),
        };
        let url: url::Url = url.parse().with_context(|| format!("`{url}` is no URL"))?;
        let host = url.host_str().context("the URL has no host")?;
        let port = url.port_or_known_default().context("the URL has no port")?;
        let stream = TcpStream::connect((host, port)).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let socket = WebSocket::handshake(url, stream, yawc::Options::default())
            .await
            .context("no WebSocket there")?;
        let mut carrier = Self { socket, form };
        match form {
            Form::Sockjs => drop(carrier.frame().await?),
            Form::SocketIo => {
                // Engine.IO opens, then the default namespace.
                carrier.frame().await?;
                carrier.put("40".to_owned()).await?;
                carrier.flush().await?;
                carrier.frame().await?;
            }
            _ => {}
        }
        Ok(carrier)
    }

    pub(super) async fn frame(&mut self) -> anyhow::Result<Bytes> {
        loop {
            let frame = self.socket.next_frame().await.context("the server hung up")?;
            match frame.opcode() {
                OpCode::Text | OpCode::Binary => {
                    if self.form == Form::SocketIo && frame.payload()[..] == b"2"[..] {
                        self.put("3".to_owned()).await?;
                        self.flush().await?;
                        continue;
                    }
                    return Ok(frame.into_payload());
                }
                OpCode::Close => bail!("the server closed the connection"),
                _ => {}
            }
        }
    }

    pub(super) async fn feed(&mut self, envelope: &str) -> anyhow::Result<()> {
        let frame = match self.form {
            Form::Sockjs => {
                let mut frame = String::with_capacity(envelope.len() + 32);
                frame.push('[');
                json::quote_into(&mut frame, envelope);
                frame.push(']');
                frame
            }
            Form::SocketIo => format!(r#"42["m",{envelope}]"#),
            _ => envelope.to_owned(),
        };
        self.put(frame).await
    }

    async fn put(&mut self, frame: String) -> anyhow::Result<()> {
        self.socket.feed(Frame::text(Bytes::from(frame))).await.context("the server hung up")
    }

    pub(super) async fn flush(&mut self) -> anyhow::Result<()> {
        self.socket.flush().await.context("the server hung up")
    }

    pub(super) async fn close(&mut self) -> anyhow::Result<()> {
        self.socket.close().await.context("the server hung up")
    }
}
