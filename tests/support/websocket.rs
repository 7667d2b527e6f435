//! A WebSocket client.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio::net::TcpStream;
use yawc::{Frame, OpCode, Options, WebSocket};

use super::soon;

pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
}

impl Client {
    pub(crate) async fn open(addr: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let url = format!("ws://{addr}{path}").parse().unwrap();
        let options = Options::default().with_max_payload_read(64 << 20);
        let socket = soon(WebSocket::handshake(url, stream, options))
            .await
            .unwrap();
        Self { socket }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_frame(Frame::text(Bytes::copy_from_slice(text.as_bytes())))
            .await;
    }

    pub(crate) async fn send_frame(&mut self, frame: Frame) {
        soon(self.socket.send(frame)).await.unwrap();
    }

    /// The next frame; `None` once the connection is gone.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        soon(self.socket.next_frame()).await.ok()
    }

    /// The text of the next frame, which must be a text frame.
    pub(crate) async fn text(&mut self) -> String {
        let frame = self.frame().await.expect("connection gone");
        assert_eq!(frame.opcode(), OpCode::Text);
        frame.as_str().to_owned()
    }

    /// Code and reason of the next frame, which must be a close frame.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let frame = self.frame().await.expect("connection gone");
        assert_eq!(frame.opcode(), OpCode::Close);
        let code = frame.close_code().expect("a code").into();
        (
            code,
            frame.close_reason().unwrap().unwrap_or_default().to_owned(),
        )
    }

    /// Frames are read and thrown away until the connection ends.
    pub(crate) async fn drained(&mut self) {
        while self.frame().await.is_some() {}
    }
}
