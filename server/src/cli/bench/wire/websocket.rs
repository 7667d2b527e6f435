//! Frames of a WebSocket, in the forms that put messages there.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::net::TcpStream;
use trolleybus_protocol::json;
use yawc::{Frame, OpCode, WebSocket};

use super::nats::{CONNECT, Reader, Said};
use super::{Form, NOBODY};

pub(super) struct Carrier {
    socket: WebSocket<TcpStream>,
    form: Form,
    nats: Reader,
    /// NATS is a stream: what goes out together is one frame.
    outgoing: String,
}

impl Carrier {
    /// Connects to a `ws:` URL; SockJS sessions, Socket.IO namespaces and NATS are open afterwards.
    pub(super) async fn open(base: &str, form: Form) -> anyhow::Result<Self> {
        let url = match form {
            Form::Raw => format!("{base}/websocket"),
            Form::Bare | Form::Nats => base.to_owned(),
            Form::SocketIo => format!("{base}/?EIO=4&transport=websocket"),
            _ => format!("{base}/000/bench/websocket"),
        };
        let url: url::Url = url.parse().with_context(|| format!("`{url}` is no URL"))?;
        let host = url.host_str().context("the URL has no host")?;
        let port = url.port_or_known_default().context("the URL has no port")?;
        let stream = TcpStream::connect((host, port)).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let options = match form {
            Form::SockjsDeflate => yawc::Options::default().with_low_latency_compression(),
            _ => yawc::Options::default(),
        };
        let socket =
            WebSocket::handshake(url, stream, options).await.context("no WebSocket there")?;
        let mut carrier = Self { socket, form, nats: Reader::default(), outgoing: String::new() };
        carrier.greet().await?;
        Ok(carrier)
    }

    async fn greet(&mut self) -> anyhow::Result<()> {
        match self.form {
            Form::Sockjs | Form::SockjsDeflate => drop(self.frame().await?),
            Form::SocketIo => {
                // Engine.IO opens, then the default namespace.
                self.frame().await?;
                self.put("40".to_owned()).await?;
                self.flush().await?;
                self.frame().await?;
            }
            Form::Nats => {
                self.outgoing.push_str(CONNECT);
                self.outgoing.push_str("PING\r\n");
                self.flush().await?;
                self.frame().await?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn frame(&mut self) -> anyhow::Result<Bytes> {
        loop {
            if self.form == Form::Nats
                && let Some(message) = self.nats_message().await?
            {
                return Ok(message);
            }
            let frame = self.socket.next_frame().await.context("the server hung up")?;
            match frame.opcode() {
                OpCode::Text | OpCode::Binary if self.form == Form::Nats => {
                    self.nats.push(frame.payload());
                }
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

    /// The next message that is here already; a pong is one without a number.
    async fn nats_message(&mut self) -> anyhow::Result<Option<Bytes>> {
        while let Some(said) = self.nats.next()? {
            match said {
                Said::Message(body) => return Ok(Some(body)),
                Said::Pong => return Ok(Some(Bytes::from_static(NOBODY.as_bytes()))),
                Said::Ping => {
                    self.outgoing.push_str("PONG\r\n");
                    self.flush().await?;
                }
                Said::Info => {}
            }
        }
        Ok(None)
    }

    pub(super) async fn feed(&mut self, text: &str) -> anyhow::Result<()> {
        let frame = match self.form {
            Form::Nats => {
                self.outgoing.push_str(text);
                return Ok(());
            }
            Form::Sockjs | Form::SockjsDeflate => {
                let mut frame = String::with_capacity(text.len() + 32);
                frame.push('[');
                json::quote_into(&mut frame, text);
                frame.push(']');
                frame
            }
            Form::SocketIo => format!(r#"42["m",{text}]"#),
            _ => text.to_owned(),
        };
        self.put(frame).await
    }

    async fn put(&mut self, frame: String) -> anyhow::Result<()> {
        self.socket.feed(Frame::text(Bytes::from(frame))).await.context("the server hung up")
    }

    pub(super) async fn flush(&mut self) -> anyhow::Result<()> {
        if !self.outgoing.is_empty() {
            let bytes = Bytes::from(std::mem::take(&mut self.outgoing));
            self.socket.feed(Frame::binary(bytes)).await.context("the server hung up")?;
        }
        self.socket.flush().await.context("the server hung up")
    }

    pub(super) async fn close(&mut self) -> anyhow::Result<()> {
        self.socket.close().await.context("the server hung up")
    }
}
