//! XHR polling: one frame per response.

use crate::support::http::{Connection, get, post, request};
use crate::support::server::{Server, echo};
use trolleybus::sockjs::{Options, Transport, TransportSet};

const POLL: &str = "/sockjs/000/p/xhr";
const SEND: &str = "/sockjs/000/p/xhr_send";

#[tokio::test]
async fn messages_go_round() {
    let server = Server::echo().await;
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
    let sent = post(server.addr, SEND, "[\"a\"]").await;
    assert_eq!((sent.status(), sent.body.as_str()), (204, ""));
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"a\"]\n");
}

#[tokio::test]
async fn a_poll_waits_for_a_message() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let mut waiting = Connection::open(server.addr).await;
    waiting.request("POST", POLL, "", "").await;
    post(server.addr, SEND, "[\"late\"]").await;
    assert_eq!(waiting.answer().await.body, "a[\"late\"]\n");
}

#[tokio::test]
async fn one_connection_serves_many_polls() {
    let server = Server::echo().await;
    let mut connection = Connection::open(server.addr).await;
    connection.request("POST", POLL, "", "").await;
    assert_eq!(connection.answer().await.body, "o\n");
    for _ in 0..3 {
        connection.request("POST", SEND, "", "[\"x\"]").await;
        assert_eq!(connection.answer().await.status(), 204);
        connection.request("POST", POLL, "", "").await;
        assert_eq!(connection.answer().await.body, "a[\"x\"]\n");
    }
}

#[tokio::test]
async fn the_media_type_of_an_upload_does_not_matter() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let types =
        ["text/plain", "T", "application/json", "application/xml", "", "text/plain; charset=x"];
    for media_type in types {
        let headers = format!("Content-Type: {media_type}\r\n");
        let sent = request(server.addr, "POST", SEND, &headers, "[\"m\"]").await;
        assert_eq!(sent.status(), 204, "{media_type}");
        assert_eq!(post(server.addr, POLL, "").await.body, "a[\"m\"]\n", "{media_type}");
    }
}

#[tokio::test]
async fn chunked_uploads_are_taken() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    let mut connection = Connection::open(server.addr).await;
    let head = format!("POST {SEND} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.write(head + "2\r\n[\"\r\n3\r\nc\"]\r\n0\r\n\r\n").await;
    assert_eq!(connection.answer().await.status(), 204);
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"c\"]\n");
}

#[tokio::test]
async fn an_empty_array_does_nothing() {
    let server = Server::echo().await;
    post(server.addr, POLL, "").await;
    assert_eq!(post(server.addr, SEND, "[]").await.status(), 204);
    assert_eq!(post(server.addr, SEND, "[\"x\"]").await.status(), 204);
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"x\"]\n");
}

#[tokio::test]
async fn a_switched_off_transport_is_404() {
    let disabled_transports = TransportSet::new().with(Transport::XhrPolling);
    let server = Server::start(Options { disabled_transports, ..Options::default() }, echo).await;
    assert_eq!(post(server.addr, POLL, "").await.status(), 404);
    assert_eq!(get(server.addr, "/sockjs/000/x/jsonp?c=x").await.status(), 200);
}
