//! A WebSocket client.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::net::TcpStream;
use yawc::{Frame, HttpRequest, OpCode, Options, WebSocket};

use super::soon;

pub struct Client {
    socket: WebSocket<TcpStream>,
}

impl Client {
    pub async fn open(addr: SocketAddr, path: &str) -> Self {
        Self::open_with(addr, path, &[]).await
    }

    /// With further headers in the request.
    pub async fn open_with(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://{addr}{path}").parse().unwrap();
        let options = Options::default().with_max_payload_read(64 << 20);
        let request = headers
            .iter()
            .fold(HttpRequest::builder(), |request, (name, value)| request.header(*name, *value));
        let handshake = WebSocket::handshake_with_request(url, stream, options, request);
        let socket = soon(handshake).await.unwrap();
        Self { socket }
    }

    pub async fn send(&mut self, text: &str) {
        self.send_frame(Frame::text(Bytes::copy_from_slice(text.as_bytes()))).await;
    }

    pub async fn send_frame(&mut self, frame: Frame) {
        soon(self.socket.send(frame)).await.unwrap();
    }

    /// Sends a frame unless the server does not take it for a while.
    pub async fn try_send_frame(&mut self, frame: Frame) -> Option<()> {
        let sent = tokio::time::timeout(Duration::from_millis(200), self.socket.send(frame)).await;
        sent.ok()?.ok()
    }

    /// The next frame; `None` once the connection is gone.
    pub async fn frame(&mut self) -> Option<Frame> {
        soon(self.socket.next_frame()).await.ok()
    }

    /// The text of the next frame, which must be a text frame.
    pub async fn text(&mut self) -> String {
        let frame = self.frame().await.expect("connection gone");
        assert_eq!(frame.opcode(), OpCode::Text);
        frame.as_str().to_owned()
    }

    /// Code and reason of the next frame, which must be a close frame.
    pub async fn closed(&mut self) -> (u16, String) {
        let frame = self.frame().await.expect("connection gone");
        assert_eq!(frame.opcode(), OpCode::Close);
        let code = frame.close_code().expect("a code").into();
        (code, frame.close_reason().unwrap().unwrap_or_default().to_owned())
    }

    /// Frames are read and thrown away until the connection ends.
    pub async fn drained(&mut self) {
        while self.frame().await.is_some() {}
    }
}
