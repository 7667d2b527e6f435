//! Hostile frames, written by hand.

use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http::Connection;
use crate::support::soon;
use crate::victim::Victim;

const TEXT: u8 = 1;
const CONTINUATION: u8 = 0;
const PING: u8 = 9;
const FINAL: u8 = 0x80;

/// A WebSocket whose frames are bytes.
struct Raw(TcpStream);

impl Raw {
    async fn open(addr: SocketAddr, extensions: &str) -> (Self, Option<String>) {
        let mut connection = Connection::open(addr).await;
        let headers = format!(
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}"
        );
        connection.request("GET", "/eventbus/000/raw/websocket", &headers, "").await;
        let head = connection.head().await;
        assert_eq!(head.status, 101);
        let agreed = head.header("sec-websocket-extensions").map(str::to_owned);
        (Self(connection.stream.into_inner()), agreed)
    }

    async fn frame(&mut self, first: u8, payload: &[u8]) -> bool {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            length => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(payload);
        self.bytes(&bytes).await
    }

    /// False when the server takes no more.
    async fn bytes(&mut self, bytes: &[u8]) -> bool {
        soon(self.0.write_all(bytes)).await.is_ok()
    }

    /// The code of the close frame that ends the connection, if there is one.
    async fn end(&mut self) -> Option<u16> {
        let mut all = Vec::new();
        soon(self.0.read_to_end(&mut all)).await.ok();
        let mut rest = &all[..];
        while let [first, length, more @ ..] = rest {
            let (length, more) = match *length {
                126 => {
                    (usize::from(u16::from_be_bytes(more.get(..2)?.try_into().ok()?)), &more[2..])
                }
                length => (usize::from(length), more),
            };
            if first & 0xf == 8 {
                return Some(u16::from_be_bytes(more.get(..2)?.try_into().ok()?));
            }
            rest = more.get(length..)?;
        }
        None
    }
}

#[tokio::test]
async fn fragments_that_never_end_end_at_the_limit() {
    let mut victim = Victim::start().await;
    let (mut raw, _) = Raw::open(victim.addr, "").await;
    raw.frame(TEXT, b"[\"").await;
    let piece = [b'x'; 1024];
    let mut sent = 0;
    while sent < 1024 && raw.frame(CONTINUATION, &piece).await {
        sent += 1;
    }
    assert!(
        sent < 1024 || raw.end().await.is_some(),
        "a megabyte was taken under a limit of 32 kB"
    );
    victim.serves().await;
}

#[tokio::test]
async fn empty_fragments_without_end_cost_no_memory() {
    let mut victim = Victim::start().await;
    let (mut raw, _) = Raw::open(victim.addr, "").await;
    raw.frame(TEXT, b"").await;
    for _ in 0..10_000 {
        if !raw.frame(CONTINUATION, b"").await {
            break;
        }
    }
    victim.serves().await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_1009() {
    let mut victim = Victim::start().await;
    let (mut raw, _) = Raw::open(victim.addr, "").await;
    raw.frame(FINAL | TEXT, &[b'x'; 200 * 1024]).await;
    assert!(matches!(raw.end().await, Some(1009) | None));
    // A length alone, of what never comes.
    let (mut raw, _) = Raw::open(victim.addr, "").await;
    let mut head = vec![FINAL | TEXT, 0xff];
    head.extend_from_slice(&(1_u64 << 62).to_be_bytes());
    raw.bytes(&[&head[..], &[0; 4]].concat()).await;
    assert!(matches!(raw.end().await, Some(1009 | 1002) | None));
    victim.serves().await;
}

#[tokio::test]
async fn text_that_is_no_utf_8_is_1007() {
    let mut victim = Victim::start().await;
    let (mut raw, _) = Raw::open(victim.addr, "").await;
    raw.frame(FINAL | TEXT, b"[\"\xff\xfe\"]").await;
    assert_eq!(raw.end().await, Some(1007));
    victim.serves().await;
}

#[tokio::test]
async fn frames_against_the_rules_end_the_connection() {
    let mut victim = Victim::start().await;
    let broken: [&[u8]; 6] = [
        &[0xc1, 0x80, 0, 0, 0, 0],         // a reserved bit
        &[0x83, 0x80, 0, 0, 0, 0],         // an opcode that there is not
        &[0x80, 0x80, 0, 0, 0, 0],         // a continuation of nothing
        &[0x09, 0x80, 0, 0, 0, 0],         // a ping in pieces
        &[0x89, 0xfe, 0, 200, 0, 0, 0, 0], // a ping that is too long
        &[0x81, 0x02, b'[', b']'],         // not masked
    ];
    for bytes in broken {
        let (mut raw, _) = Raw::open(victim.addr, "").await;
        raw.bytes(bytes).await;
        raw.0.shutdown().await.ok();
        raw.end().await;
    }
    victim.serves().await;
}

#[tokio::test]
async fn a_flood_of_pings_whose_answers_nobody_reads_disturbs_nobody() {
    let mut victim = Victim::start().await;
    let (mut raw, _) = Raw::open(victim.addr, "").await;
    let ping = [&[FINAL | PING, 0x80 | 125, 0, 0, 0, 0][..], &[b'p'; 125]].concat();
    let many = ping.repeat(500);
    for _ in 0..100 {
        let sent =
            tokio::time::timeout(std::time::Duration::from_millis(50), raw.0.write_all(&many));
        // Full buffers on both sides: the server has stopped reading, as it should.
        if !matches!(sent.await, Ok(Ok(()))) {
            break;
        }
    }
    victim.serves().await;
}

#[tokio::test]
async fn a_bomb_inflates_to_the_limit_and_no_further() {
    const RSV1: u8 = 0x40;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b'x'; 50_000_000]).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 60_000, "{}", bomb.len());
    let mut victim = Victim::start().await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let mut unfinished = Vec::new();
    for _ in 0..50 {
        let (mut raw, agreed) = Raw::open(victim.addr, offer).await;
        assert!(agreed.is_some());
        raw.frame(FINAL | RSV1 | TEXT, &bomb).await;
        raw.end().await;
        // A first piece that never has a second.
        let (mut raw, _) = Raw::open(victim.addr, offer).await;
        raw.frame(RSV1 | TEXT, &bomb[..20]).await;
        unfinished.push(raw);
    }
    victim.serves().await;
}
