//! permessage-deflate on WebSockets (RFC 7692), looked at byte by byte.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateDecoder, DeflateEncoder};
use tokio::io::AsyncReadExt as _;
use trolleybus::sockjs::Options;

use crate::support::http::Connection;
use crate::support::server::{Server, echo};
use crate::support::soon;

const FRAMED: &str = "/sockjs/000/w/websocket";
const RAW: &str = "/sockjs/websocket";
const OFFER: &str = "permessage-deflate; client_max_window_bits";
const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

struct Client {
    connection: Connection,
    agreed: Option<String>,
}

impl Client {
    async fn open(server: &Server, path: &str, offer: Option<&str>) -> Self {
        let mut connection = Connection::open(server.addr).await;
        let offer = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        let headers = format!(
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}",
            offer.unwrap_or_default()
        );
        connection.request("GET", path, &headers, "").await;
        let head = connection.head().await;
        assert_eq!(head.status, 101);
        let agreed = head.header("sec-websocket-extensions").map(str::to_owned);
        let mut client = Self { connection, agreed };
        if path == FRAMED {
            assert_eq!(client.frame().await, (FIN | TEXT, b"o".to_vec()));
        }
        client
    }

    /// Sends a frame, masked with zeros.
    async fn send(&mut self, head: u8, payload: &[u8]) {
        let mut frame = vec![head];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..126) => frame.push(0x80 | u8::try_from(length).unwrap()),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => panic!("too long for this client"),
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        soon(self.connection.write(frame)).await;
    }

    /// The first byte of the next frame, and its payload.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        soon(async {
            let stream = &mut self.connection.stream;
            let head = stream.read_u8().await.unwrap();
            let length = match stream.read_u8().await.unwrap() {
                126 => usize::from(stream.read_u16().await.unwrap()),
                127 => usize::try_from(stream.read_u64().await.unwrap()).unwrap(),
                length => usize::from(length),
            };
            let mut payload = vec![0; length];
            stream.read_exact(&mut payload).await.unwrap();
            (head, payload)
        })
        .await
    }
}

/// As RFC 7692, 7.2.1 has it.
fn deflated(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.flush().unwrap();
    let mut bytes = encoder.get_ref().clone();
    bytes.truncate(bytes.len() - 4);
    bytes
}

fn inflated(payload: &[u8]) -> String {
    let mut decoder = DeflateDecoder::new(Vec::new());
    decoder.write_all(payload).unwrap();
    decoder.write_all(&[0, 0, 0xff, 0xff]).unwrap();
    decoder.flush().unwrap();
    String::from_utf8(decoder.get_ref().clone()).unwrap()
}

fn large(letter: char) -> String {
    format!("\"{}\"", letter.to_string().repeat(5_000))
}

#[tokio::test]
async fn an_offer_is_answered_and_none_is_not() {
    let server = Server::echo().await;
    for path in [FRAMED, RAW] {
        assert_eq!(Client::open(&server, path, Some(OFFER)).await.agreed.as_deref(), Some(AGREED));
        assert_eq!(Client::open(&server, path, None).await.agreed, None);
        let unknown = "permessage-deflate; server_max_window_bits=16";
        assert_eq!(Client::open(&server, path, Some(unknown)).await.agreed, None);
    }
    let options = Options { compression_threshold: None, ..Options::default() };
    let server = Server::start(options, echo).await;
    assert_eq!(Client::open(&server, FRAMED, Some(OFFER)).await.agreed, None);
}

#[tokio::test]
async fn what_pays_is_compressed_and_in_order_with_what_does_not() {
    let server = Server::echo().await;
    let mut client = Client::open(&server, FRAMED, Some(OFFER)).await;
    let texts = [large('a'), "\"b\"".to_owned(), large('c'), large('d'), "\"e\"".to_owned()];
    for text in &texts {
        client.send(FIN | TEXT, format!("[{text}]").as_bytes()).await;
    }
    for text in &texts {
        let (head, payload) = client.frame().await;
        if text.len() < 1024 {
            assert_eq!((head, payload), (FIN | TEXT, format!("a[{text}]").into_bytes()));
        } else {
            assert_eq!(head, FIN | RSV1 | TEXT);
            assert!(payload.len() < 100, "{}", payload.len());
            assert_eq!(inflated(&payload), format!("a[{text}]"));
        }
    }
}

#[tokio::test]
async fn a_client_with_a_small_window_gets_long_messages_as_they_are() {
    let server = Server::echo().await;
    // As clients do that are short of memory. No frame of up to 4,096 bytes looks back further.
    let offer = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12";
    let mut client = Client::open(&server, FRAMED, Some(offer)).await;
    assert_eq!(client.agreed, Some(format!("{AGREED}; server_max_window_bits=12")));
    let around = "a[\"\"]".len();
    for (length, is_compressed) in [(1024, true), (4096 - around, true), (4097 - around, false)] {
        let text = "x".repeat(length);
        client.send(FIN | TEXT, format!("[\"{text}\"]").as_bytes()).await;
        let (head, payload) = client.frame().await;
        assert_eq!(head & RSV1 != 0, is_compressed, "{length}");
        let frame =
            if is_compressed { inflated(&payload) } else { String::from_utf8(payload).unwrap() };
        assert_eq!(frame, format!("a[\"{text}\"]"));
    }
}

#[tokio::test]
async fn each_message_stands_for_itself() {
    let server = Server::echo().await;
    let mut client = Client::open(&server, RAW, Some(OFFER)).await;
    client.send(FIN | TEXT, large('a').as_bytes()).await;
    client.send(FIN | TEXT, large('a').as_bytes()).await;
    let first = client.frame().await;
    assert_eq!(first, client.frame().await);
    assert_eq!(inflated(&first.1), large('a'));
}

#[tokio::test]
async fn a_raw_binary_message_is_compressed_as_that() {
    let options =
        Options { raw_binary: true, compression_threshold: Some(10), ..Options::default() };
    let server = Server::start(options, echo).await;
    let mut client = Client::open(&server, RAW, Some(OFFER)).await;
    client.send(FIN | TEXT, large('a').as_bytes()).await;
    let (head, payload) = client.frame().await;
    assert_eq!((head, inflated(&payload)), (FIN | RSV1 | BINARY, large('a')));
    client.send(FIN | TEXT, b"short").await;
    assert_eq!(client.frame().await, (FIN | BINARY, b"short".to_vec()));
}

#[tokio::test]
async fn nothing_is_compressed_for_those_who_did_not_offer() {
    let server = Server::echo().await;
    let mut client = Client::open(&server, RAW, None).await;
    client.send(FIN | TEXT, large('a').as_bytes()).await;
    assert_eq!(client.frame().await, (FIN | TEXT, large('a').into_bytes()));
}

#[tokio::test]
async fn compressed_messages_of_clients_are_read() {
    let server = Server::echo().await;
    let mut client = Client::open(&server, RAW, Some(OFFER)).await;
    client.send(FIN | RSV1 | TEXT, &deflated("one")).await;
    assert_eq!(client.frame().await, (FIN | TEXT, b"one".to_vec()));
    // In pieces, of which the first says that all are, with a ping between them.
    let two = deflated("two and more");
    client.send(RSV1 | TEXT, &two[..4]).await;
    client.send(FIN | 9, b"ping").await;
    client.send(FIN, &two[4..]).await;
    assert_eq!(client.frame().await, (FIN | 10, b"ping".to_vec()));
    assert_eq!(client.frame().await, (FIN | TEXT, b"two and more".to_vec()));
    client.send(FIN | TEXT, b"three").await;
    assert_eq!(client.frame().await, (FIN | TEXT, b"three".to_vec()));
}

#[tokio::test]
async fn what_inflates_beyond_the_limit_closes_with_1009() {
    let options = Options { max_message_size: 1000, ..Options::default() };
    let server = Server::start(options, echo).await;
    for path in [FRAMED, RAW] {
        let mut client = Client::open(&server, path, Some(OFFER)).await;
        let bomb = deflated(&"x".repeat(10_000_000));
        assert!(bomb.len() < 60_000, "{}", bomb.len());
        client.send(FIN | RSV1 | TEXT, &bomb).await;
        let (head, reason) = client.frame().await;
        assert_eq!((head, &reason[..2]), (FIN | CLOSE, &1009_u16.to_be_bytes()[..]), "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_inflated_or_was_not_agreed_to_ends_the_connection() {
    let server = Server::echo().await;
    for (offer, code) in [(Some(OFFER), 1011_u16), (None, 1002)] {
        let mut client = Client::open(&server, RAW, offer).await;
        client.send(FIN | RSV1 | TEXT, b"\xff\xff\xff\xff").await;
        let (head, reason) = client.frame().await;
        assert_eq!((head, &reason[..2]), (FIN | CLOSE, &code.to_be_bytes()[..]));
    }
}
