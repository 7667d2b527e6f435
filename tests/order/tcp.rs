//! The TCP bridge's wire: frames with their length in front.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trolleybus_tests::support::soon;

pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Writes some frames at once.
    pub(crate) async fn say(&mut self, texts: &[impl AsRef<str>]) {
        let mut frames = Vec::new();
        for text in texts.iter().map(AsRef::as_ref) {
            frames.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
            frames.extend_from_slice(text.as_bytes());
        }
        soon(self.0.write_all(&frames)).await.unwrap();
    }

    pub(crate) async fn frame(&mut self) -> String {
        let len = soon(self.0.read_u32()).await.expect("connection gone");
        let mut text = vec![0; len.try_into().unwrap()];
        soon(self.0.read_exact(&mut text)).await.unwrap();
        String::from_utf8(text).unwrap()
    }
}
