//! An HTTP/1 client that hides nothing: bytes go out as written, chunks come in one by one.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::soon;

/// One connection.
pub struct Connection {
    pub stream: BufReader<TcpStream>,
}

/// Status line and headers.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub head: Head,
    pub body: String,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding") == Some("chunked")
    }
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }
}

impl Connection {
    pub async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends a request; `headers` are lines with their line ends.
    pub async fn request(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}{headers}\r\n");
        self.write(head + body).await;
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        soon(self.stream.read_line(&mut line)).await.unwrap();
        line.trim_end().to_owned()
    }

    pub async fn head(&mut self) -> Head {
        let status_line = self.line().await;
        let status = status_line.split(' ').nth(1).unwrap_or_default();
        let status = status.parse().unwrap_or_else(|_| panic!("no status line: {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(": ") else {
                return Head { status, headers };
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The next chunk; `None` for the last.
    pub async fn chunk(&mut self) -> Option<String> {
        let size = self.line().await;
        let size =
            usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("no chunk size: {size:?}"));
        let data = self.exactly(size).await;
        self.line().await;
        (size > 0).then_some(data)
    }

    async fn exactly(&mut self, size: usize) -> String {
        let mut data = vec![0; size];
        soon(self.stream.read_exact(&mut data)).await.unwrap();
        String::from_utf8(data).unwrap()
    }

    /// Everything until the server ends the connection.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        soon(self.stream.read_to_end(&mut rest)).await.ok();
        String::from_utf8_lossy(&rest).into_owned()
    }

    pub async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let mut body = String::new();
        if head.is_chunked() {
            while let Some(chunk) = self.chunk().await {
                body += &chunk;
            }
        } else if let Some(length) = head.length() {
            body = self.exactly(length).await;
        }
        Answer { head, body }
    }
}

/// One request on a connection of its own.
pub async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Answer {
    let mut connection = Connection::open(addr).await;
    connection.request(method, path, headers, body).await;
    connection.answer().await
}

pub async fn get(addr: SocketAddr, path: &str) -> Answer {
    request(addr, "GET", path, "", "").await
}

pub async fn post(addr: SocketAddr, path: &str, body: &str) -> Answer {
    request(addr, "POST", path, "", body).await
}

/// Opens a streaming response and reads its head.
pub async fn stream(addr: SocketAddr, method: &str, path: &str) -> (Connection, Head) {
    let mut connection = Connection::open(addr).await;
    connection.request(method, path, "", "").await;
    let head = connection.head().await;
    (connection, head)
}
