//! XHR streaming: a prelude, then one chunk per frame, up to the limit.

use crate::support::http::{Connection, post, stream};
use crate::support::server::{Server, echo};
use trolleybus::sockjs::Options;

const STREAM: &str = "/sockjs/000/s/xhr_streaming";
const SEND: &str = "/sockjs/000/s/xhr_send";

#[tokio::test]
async fn prelude_and_each_frame_are_chunks() {
    let server = Server::echo().await;
    let (mut stream, head) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(head.header("content-type"), Some("application/javascript; charset=UTF-8"));
    assert_eq!(head.header("content-length"), None);
    assert_eq!(stream.chunk().await.unwrap(), "h".repeat(2048) + "\n");
    assert_eq!(stream.chunk().await.unwrap(), "o\n");
    for message in ["[\"a\"]", "[\"b\"]"] {
        post(server.addr, SEND, message).await;
        assert_eq!(stream.chunk().await.unwrap(), format!("a{message}\n"));
    }
}

#[tokio::test]
async fn the_response_ends_at_the_limit_and_the_session_goes_on() {
    let options = Options { response_limit: 4096, ..Options::default() };
    let server = Server::start(options, echo).await;
    let (mut first, _) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(first.chunk().await.unwrap().len(), 2049);
    assert_eq!(first.chunk().await.unwrap(), "o\n");
    let message = format!("[\"{}\"]", "x".repeat(128));
    for _ in 0..31 {
        post(server.addr, SEND, &message).await;
        assert_eq!(first.chunk().await.unwrap(), format!("a{message}\n"));
    }
    assert_eq!(first.chunk().await, None);
    post(server.addr, SEND, "[\"next\"]").await;
    let (mut second, _) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(second.chunk().await.unwrap().len(), 2049);
    assert_eq!(second.chunk().await.unwrap(), "a[\"next\"]\n");
}

#[tokio::test]
async fn http_1_0_is_streamed_without_chunks() {
    let server = Server::closing(Options::default()).await;
    let mut connection = Connection::open(server.addr).await;
    connection.write(format!("POST {STREAM} HTTP/1.0\r\nHost: x\r\n\r\n")).await;
    let head = connection.head().await;
    assert_eq!(head.header("transfer-encoding"), None);
    assert_eq!(head.header("content-length"), None);
    let body = connection.rest().await;
    assert_eq!(&body[2049..], "o\nc[3000,\"Go away!\"]\n");
}

#[tokio::test]
async fn a_connection_is_kept_after_the_limit() {
    let options = Options { response_limit: 1, ..Options::default() };
    let server = Server::start(options, echo).await;
    let (mut connection, _) = stream(server.addr, "POST", STREAM).await;
    while connection.chunk().await.is_some() {}
    connection.request("POST", SEND, "", "[\"x\"]").await;
    assert_eq!(connection.answer().await.status(), 204);
}
