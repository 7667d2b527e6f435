//! The life of HTTP sessions.

use std::time::Duration;

use crate::support::http::{Connection, get, post, stream};
use crate::support::server::{Seen, Server, echo, quick};
use crate::support::soon;
use trolleybus::sockjs::{Options, Socket};

const POLL: &str = "/sockjs/000/s/xhr";
const STREAM: &str = "/sockjs/000/s/xhr_streaming";
const SEND: &str = "/sockjs/000/s/xhr_send";
const BUSY: &str = "c[2010,\"Another connection still open\"]\n";
const GO_AWAY: &str = "c[3000,\"Go away!\"]\n";

async fn opened_stream(server: &Server) -> Connection {
    let (mut stream, _) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(stream.chunk().await.unwrap().len(), 2049);
    assert_eq!(stream.chunk().await.unwrap(), "o\n");
    stream
}

#[tokio::test]
async fn second_receiver_gets_2010_and_the_first_goes_on() {
    let server = Server::echo().await;
    let mut first = opened_stream(&server).await;
    assert_eq!(post(server.addr, POLL, "").await.body, BUSY);
    let (mut second, _) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(second.chunk().await.unwrap().len(), 2049);
    assert_eq!(second.chunk().await.unwrap(), BUSY);
    assert_eq!(second.chunk().await, None);
    post(server.addr, SEND, "[\"x\"]").await;
    assert_eq!(first.chunk().await.unwrap(), "a[\"x\"]\n");
}

#[tokio::test]
async fn a_closed_session_tells_its_code_again_and_again() {
    let server = Server::closing(Options::default()).await;
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
    for _ in 0..3 {
        assert_eq!(post(server.addr, POLL, "").await.body, GO_AWAY);
    }
    let (mut stream, _) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(stream.chunk().await.unwrap().len(), 2049);
    assert_eq!(stream.chunk().await.unwrap(), GO_AWAY);
    assert_eq!(stream.chunk().await, None);
    assert_eq!(post(server.addr, SEND, "[\"dropped\"]").await.status(), 204);
}

#[tokio::test]
async fn a_closed_session_is_forgotten_after_the_delay() {
    let server = Server::closing(quick()).await;
    post(server.addr, POLL, "").await;
    assert_eq!(post(server.addr, POLL, "").await.body, GO_AWAY);
    soon(async {
        while server.service.open_sockets() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(post(server.addr, SEND, "[]").await.status(), 404);
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
}

#[tokio::test]
async fn queued_messages_come_before_the_close() {
    let server = Server::start(Options::default(), |socket: Socket| async move {
        socket.send("last words").unwrap();
    })
    .await;
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"last words\"]\n");
    assert_eq!(post(server.addr, POLL, "").await.body, "c[1000,\"Normal closure\"]\n");
}

#[tokio::test]
async fn without_receiver_the_service_sees_the_close_after_the_delay() {
    let (server, mut log) = Server::observed(quick()).await;
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
    assert_eq!(post(server.addr, SEND, "[\"x\"]").await.status(), 404);
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
}

#[tokio::test]
async fn uploads_do_not_prolong_a_session() {
    let (server, mut log) = Server::observed(quick()).await;
    post(server.addr, POLL, "").await;
    let uploads = async { while post(server.addr, SEND, "[]").await.status() == 204 {} };
    soon(uploads).await;
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
}

#[tokio::test]
async fn a_lost_receiver_closes_the_session_at_once() {
    let options = Options { disconnect_delay: Duration::from_secs(3600), ..Options::default() };
    let (server, mut log) = Server::observed(options).await;
    let stream = opened_stream(&server).await;
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    drop(stream);
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
}

#[tokio::test]
async fn a_lost_poll_closes_the_session_at_once() {
    let options = Options { disconnect_delay: Duration::from_secs(3600), ..Options::default() };
    let (server, mut log) = Server::observed(options).await;
    post(server.addr, POLL, "").await;
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    let mut waiting = Connection::open(server.addr).await;
    waiting.request("POST", POLL, "", "").await;
    soon(async { while post(server.addr, POLL, "").await.body != BUSY {} }).await;
    drop(waiting);
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
}

#[tokio::test]
async fn heartbeats_come_while_a_receiver_waits() {
    let options = Options { heartbeat_interval: Duration::from_millis(30), ..Options::default() };
    let server = Server::start(options, echo).await;
    let mut stream = opened_stream(&server).await;
    assert_eq!(stream.chunk().await.unwrap(), "h\n");
    assert_eq!(stream.chunk().await.unwrap(), "h\n");
    assert_eq!(post(server.addr, "/sockjs/000/poll/xhr", "").await.body, "o\n");
    assert_eq!(post(server.addr, "/sockjs/000/poll/xhr", "").await.body, "h\n");
}

#[tokio::test]
async fn transports_may_be_mixed_on_one_session() {
    let server = Server::echo().await;
    assert!(get(server.addr, "/sockjs/000/s/jsonp?c=x").await.body.contains("\"o\""));
    post(server.addr, SEND, "[\"a\"]").await;
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"a\"]\n");
    let (mut events, _) = stream(server.addr, "GET", "/sockjs/000/s/eventsource").await;
    assert_eq!(events.chunk().await.unwrap(), "\r\n");
    post(server.addr, "/sockjs/000/s/jsonp_send", "[\"b\"]").await;
    assert_eq!(events.chunk().await.unwrap(), "data: a[\"b\"]\r\n\r\n");
}

#[tokio::test]
async fn a_waiting_poll_keeps_its_session_beyond_the_delay() {
    let server = Server::start(quick(), echo).await;
    post(server.addr, POLL, "").await;
    let mut waiting = Connection::open(server.addr).await;
    waiting.request("POST", POLL, "", "").await;
    let longer = quick().disconnect_delay * 2;
    let nothing = tokio::time::timeout(longer, waiting.head()).await;
    assert!(nothing.is_err(), "the poll was answered");
    post(server.addr, SEND, "[\"still here\"]").await;
    assert_eq!(waiting.answer().await.body, "a[\"still here\"]\n");
}

#[tokio::test]
async fn a_panic_closes_the_session() {
    let server = Server::start(Options::default(), |mut socket: Socket| async move {
        socket.recv().await;
        panic!("on purpose");
    })
    .await;
    let mut stream = opened_stream(&server).await;
    post(server.addr, SEND, "[\"x\"]").await;
    assert_eq!(stream.chunk().await.unwrap(), "c[1011,\"Internal error\"]\n");
    assert_eq!(stream.chunk().await, None);
}
