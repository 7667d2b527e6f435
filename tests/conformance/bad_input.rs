//! Bad input: a named error or a closed connection, and the server goes on.

use tokio::io::AsyncWriteExt;

use crate::support::http::{Connection, get, post};
use crate::support::server::{Seen, Server, echo, quick};
use crate::support::soon;
use crate::support::websocket::Client;

const POLL: &str = "/sockjs/000/b/xhr";
const SEND: &str = "/sockjs/000/b/xhr_send";

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn broken_uploads_are_named_and_the_session_goes_on() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let cases = [
        ("", "Payload expected."),
        ("{}", "Payload expected."),
        ("\"x\"", "Payload expected."),
        ("1", "Payload expected."),
        ("[\"x", "Broken JSON encoding."),
        ("[\"x\"", "Broken JSON encoding."),
        ("[\"x\"]]", "Broken JSON encoding."),
        ("x", "Broken JSON encoding."),
        ("[1]", "Broken JSON encoding."),
        ("[\"a\",null]", "Broken JSON encoding."),
        ("[\"\\x\"]", "Broken JSON encoding."),
    ];
    for (body, reason) in cases {
        let answer = post(server.addr, SEND, body).await;
        assert_eq!(answer.status(), 500, "{body}");
        assert!(answer.body.contains(reason), "{body}: {}", answer.body);
    }
    assert_eq!(post(server.addr, SEND, "[\"a\"]").await.status(), 204);
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"a\"]\n");
}

#[tokio::test]
async fn nonsense_to_nowhere_is_still_nonsense() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, "/sockjs/000/none/xhr_send", "").await.status(), 500);
    assert_eq!(post(server.addr, "/sockjs/000/none/xhr_send", "[]").await.status(), 404);
}

#[tokio::test]
async fn bytes_that_are_no_text_become_replacement_characters() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let mut connection = Connection::open(server.addr).await;
    connection.request("POST", SEND, "Content-Length: 5\r\n", "").await;
    connection.write(b"[\"\xff\"]").await;
    assert_eq!(connection.answer().await.status(), 204);
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"\\ufffd\"]\n");
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let deep = "[".repeat(100_000);
    assert_eq!(post(server.addr, SEND, &deep).await.status(), 500);
}

#[tokio::test]
async fn an_upload_cut_short_leaves_the_session_alone() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let mut connection = Connection::open(server.addr).await;
    connection.request("POST", SEND, "Content-Length: 100\r\n", "").await;
    connection.write("[\"x").await;
    drop(connection);
    assert_eq!(post(server.addr, SEND, "[\"a\"]").await.status(), 204);
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"a\"]\n");
}

/// A connection behind a finished WebSocket handshake, to write bytes of one's own.
async fn upgraded(server: &Server) -> Connection {
    let mut connection = Connection::open(server.addr).await;
    connection.request("GET", "/sockjs/000/b/websocket", UPGRADE, "").await;
    assert_eq!(connection.head().await.status, 101);
    connection
}

#[tokio::test]
async fn broken_websocket_frames_end_the_connection() {
    let cases: [&[u8]; 8] = [
        b"\x81\x05[\"a\"]",                                  // not masked
        b"\xf1\x80\0\0\0\0",                                 // reserved bits
        b"\x83\x80\0\0\0\0",                                 // unknown opcode
        b"\x80\x80\0\0\0\0",                                 // continuation of nothing
        b"\x09\x80\0\0\0\0",                                 // fragmented ping
        b"\x88\x81\0\0\0\0x",                                // close with half a code
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", // longer than anything
        b"\xc1\x80\0\0\0\0",                                 // compressed, not negotiated
    ];
    for bytes in cases {
        let (server, mut log) = Server::observed(quick()).await;
        let mut connection = upgraded(&server).await;
        connection.write(bytes).await;
        connection.rest().await;
        assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
        assert_eq!(soon(log.recv()).await, Some(Seen::Closed), "{bytes:?}");
    }
}

#[tokio::test]
async fn frames_may_come_byte_by_byte() {
    let server = Server::echo().await;
    let mut connection = upgraded(&server).await;
    for byte in b"\x81\x85\0\0\0\0[\"a\"]" {
        connection.write([*byte]).await;
        tokio::task::yield_now().await;
    }
    let mut answer = [0; 11];
    let read = tokio::io::AsyncReadExt::read_exact(&mut connection.stream, &mut answer);
    soon(read).await.unwrap();
    assert_eq!(&answer, b"\x81\x01o\x81\x06a[\"a\"]");
}

#[tokio::test]
async fn a_half_closed_websocket_is_gone() {
    let (server, mut log) = Server::observed(quick()).await;
    let mut connection = upgraded(&server).await;
    connection.stream.shutdown().await.unwrap();
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
}

#[tokio::test]
async fn a_handshake_that_is_dropped_leaves_nothing() {
    let server = Server::start(quick(), echo).await;
    for _ in 0..20 {
        let mut connection = Connection::open(server.addr).await;
        connection.request("GET", "/sockjs/000/b/websocket", UPGRADE, "").await;
        drop(connection);
    }
    assert_eq!(get(server.addr, "/sockjs").await.status(), 200);
    soon(async {
        while server.service.open_sockets() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn odd_paths_and_queries_are_survived() {
    let server = Server::echo().await;
    for path in ["/sockjs/%", "/sockjs/%ff%00/%/xhr", "/sockjs/a/b/jsonp?c=%", "/sockjs?%%&=&"] {
        get(server.addr, path).await;
    }
    assert_eq!(get(server.addr, "/sockjs").await.status(), 200);
}

#[tokio::test]
async fn one_bad_socket_does_not_disturb_another() {
    let server = Server::echo().await;
    let mut good = Client::open(server.addr, "/sockjs/000/g/websocket").await;
    assert_eq!(good.text().await, "o");
    let mut bad = upgraded(&server).await;
    bad.write(b"\xff\xff\xff\xff").await;
    bad.rest().await;
    good.send("[\"fine\"]").await;
    assert_eq!(good.text().await, "a[\"fine\"]");
}
