//! One connection: SockJS frames over a WebSocket, the raw WebSocket, or bare echoes.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::net::TcpStream;
use trolleybus_protocol::json;
use yawc::{Frame, OpCode, WebSocket};

/// How many digits a sequence number has on the wire.
const DIGITS: usize = 12;

/// In which form messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// Envelopes in SockJS frames.
    Sockjs,
    /// Envelopes on the raw WebSocket.
    Raw,
    /// Bodies alone, to a server that sends every frame back.
    Bare,
}

/// One connection.
pub(super) struct Wire {
    socket: WebSocket<TcpStream>,
    form: Form,
    padding: String,
}

impl Wire {
    pub(super) async fn open(url: &str, form: Form, size: usize) -> anyhow::Result<Self> {
        let base = url.trim_end_matches('/').replacen("http", "ws", 1);
        let url = match form {
            Form::Sockjs => format!("{base}/000/bench/websocket"),
            Form::Raw => format!("{base}/websocket"),
            Form::Bare => base,
        };
        let url: url::Url = url.parse().with_context(|| format!("`{url}` is no URL"))?;
        let host = url.host_str().context("the URL has no host")?;
        let port = url.port_or_known_default().context("the URL has no port")?;
        let stream = TcpStream::connect((host, port)).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let socket = WebSocket::handshake(url, stream, yawc::Options::default())
            .await
            .context("no WebSocket there")?;
        let padding = "x".repeat(size.saturating_sub(DIGITS + 2));
        let mut wire = Self { socket, form, padding };
        if form == Form::Sockjs {
            wire.frame().await?;
        }
        Ok(wire)
    }

    async fn frame(&mut self) -> anyhow::Result<Bytes> {
        loop {
            let frame = self.socket.next_frame().await.context("the server hung up")?;
            match frame.opcode() {
                OpCode::Text | OpCode::Binary => return Ok(frame.into_payload()),
                OpCode::Close => bail!("the server closed the connection"),
                _ => {}
            }
        }
    }

    /// The sequence number in the next message.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub(super) async fn receive(&mut self) -> anyhow::Result<u64> {
        loop {
            let frame = self.frame().await?;
            if &frame[..] == b"h" {
                continue;
            }
            if frame.starts_with(b"c") {
                bail!("the server closed the socket: {}", String::from_utf8_lossy(&frame));
            }
            let digits = frame.chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit());
            let number = digits.into_iter().find(|run| run.len() == DIGITS);
            let number = number.and_then(|run| std::str::from_utf8(run).ok()?.parse().ok());
            return number.with_context(|| {
                format!("no sequence number in {}", String::from_utf8_lossy(&frame))
            });
        }
    }

    /// Puts a request to `echo`, or a bare message, into the write buffer.
    pub(super) async fn feed_request(&mut self, number: u64) -> anyhow::Result<()> {
        let body = self.body(number);
        let envelope = format!(
            r#"{{"type":"send","address":"echo","headers":{{}},"body":{body},"replyAddress":"{number:012}"}}"#
        );
        let text = if self.form == Form::Bare { body } else { envelope };
        self.feed(&text).await
    }

    /// Puts a publish into the write buffer.
    pub(super) async fn feed_publish(&mut self, address: &str, number: u64) -> anyhow::Result<()> {
        let body = self.body(number);
        let envelope =
            format!(r#"{{"type":"publish","address":"{address}","headers":{{}},"body":{body}}}"#);
        self.feed(&envelope).await
    }

    /// Registers, and waits until the server has done so.
    pub(super) async fn register(&mut self, address: &str) -> anyhow::Result<()> {
        self.feed(&format!(r#"{{"type":"register","address":"{address}"}}"#)).await?;
        self.feed(r#"{"type":"send","address":"bench.nobody","replyAddress":"000000000000"}"#)
            .await?;
        self.flush().await?;
        self.receive().await.map(drop)
    }

    pub(super) async fn ping(&mut self) -> anyhow::Result<()> {
        if self.form != Form::Bare {
            self.feed(r#"{"type":"ping"}"#).await?;
            self.flush().await?;
        }
        Ok(())
    }

    fn body(&self, number: u64) -> String {
        let mut body = String::with_capacity(self.padding.len() + DIGITS + 2);
        let _ = write!(body, "\"{number:012}{}\"", self.padding);
        body
    }

    async fn feed(&mut self, text: &str) -> anyhow::Result<()> {
        let frame = match self.form {
            Form::Sockjs => {
                let mut frame = String::with_capacity(text.len() + 32);
                frame.push('[');
                json::quote_into(&mut frame, text);
                frame.push(']');
                frame
            }
            Form::Raw | Form::Bare => text.to_owned(),
        };
        self.socket.feed(Frame::text(Bytes::from(frame))).await.context("the server hung up")
    }

    pub(super) async fn flush(&mut self) -> anyhow::Result<()> {
        self.socket.flush().await.context("the server hung up")
    }
}
