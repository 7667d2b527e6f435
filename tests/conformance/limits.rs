//! Bounds on sizes and numbers, and services that are slower than their peers.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use yawc::{Frame, OpCode};

use crate::support::http::{Connection, post, stream};
use crate::support::server::{Server, echo, quick};
use crate::support::soon;
use crate::support::websocket::Client;
use trolleybus::sockjs::{Options, Socket};

const WEBSOCKET: &str = "/sockjs/000/l/websocket";
const POLL: &str = "/sockjs/000/l/xhr";
const SEND: &str = "/sockjs/000/l/xhr_send";

/// A service that starts to receive when told to, and says what it received.
async fn gated(options: Options) -> (Server, watch::Sender<bool>, mpsc::UnboundedReceiver<String>) {
    let (go, gate) = watch::channel(false);
    let (seen, log) = mpsc::unbounded_channel();
    let server = Server::start(options, move |mut socket: Socket| {
        let (mut gate, seen) = (gate.clone(), seen.clone());
        async move {
            gate.wait_for(|open| *open).await.ok();
            while let Some(message) = socket.recv().await {
                seen.send(message.to_string()).ok();
            }
        }
    })
    .await;
    (server, go, log)
}

#[tokio::test]
async fn times_of_zero_and_for_ever_are_survived() {
    for time in [Duration::ZERO, Duration::MAX] {
        let options = Options {
            heartbeat_interval: time,
            disconnect_delay: Duration::MAX,
            body_timeout: Duration::MAX,
            close_timeout: time,
            ..Options::default()
        };
        let server = Server::start(options, echo).await;
        let mut client = Client::open(server.addr, WEBSOCKET).await;
        assert_eq!(client.text().await, "o");
        assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
        assert_eq!(post(server.addr, SEND, "[\"x\"]").await.status(), 204);
        server.service.close_all(1001, "Going away");
        client.drained().await;
    }
}

#[tokio::test]
async fn too_many_sockets_are_503() {
    let server = Server::start(Options { max_sockets: 1, ..Options::default() }, echo).await;
    assert_eq!(post(server.addr, POLL, "").await.status(), 200);
    assert_eq!(post(server.addr, "/sockjs/000/other/xhr", "").await.status(), 503);
    let (_, head) = stream(server.addr, "GET", "/sockjs/000/third/eventsource").await;
    assert_eq!(head.status, 503);
}

#[tokio::test]
async fn long_websocket_messages_close_with_1009() {
    let server =
        Server::start(Options { max_message_size: 1000, ..Options::default() }, echo).await;
    for size in [1001, 100_000] {
        for path in [WEBSOCKET, "/sockjs/websocket"] {
            let mut client = Client::open(server.addr, path).await;
            let message = format!("[\"{}\"]", "x".repeat(size));
            client.send(&message).await;
            let mut frame = client.frame().await.unwrap();
            if frame.opcode() == OpCode::Text {
                frame = client.frame().await.unwrap();
            }
            assert_eq!(frame.close_code().map(u16::from), Some(1009), "{path} {size}");
        }
    }
}

#[tokio::test]
async fn long_fragmented_messages_close_with_1009() {
    let server =
        Server::start(Options { max_message_size: 1000, ..Options::default() }, echo).await;
    let mut client = Client::open(server.addr, "/sockjs/websocket").await;
    client.send_frame(Frame::text(Bytes::from(vec![b'x'; 600])).with_fin(false)).await;
    client.send_frame(Frame::continuation(Bytes::from(vec![b'x'; 600]))).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn a_message_of_the_longest_size_passes() {
    let server =
        Server::start(Options { max_message_size: 1000, ..Options::default() }, echo).await;
    let longest = "\"".repeat(1000);
    let mut raw = Client::open(server.addr, "/sockjs/websocket").await;
    raw.send(&longest).await;
    assert_eq!(raw.text().await, longest);
    let mut framed = Client::open(server.addr, WEBSOCKET).await;
    assert_eq!(framed.text().await, "o");
    framed.send(&format!("[\"{}\"]", "\\\"".repeat(1000))).await;
    assert_eq!(framed.text().await.len(), 2005);
}

#[tokio::test]
async fn long_uploads_are_413_and_the_session_goes_on() {
    let options = Options { max_message_size: 100, max_upload_size: 1000, ..Options::default() };
    let server = Server::start(options, echo).await;
    post(server.addr, POLL, "").await;
    let message = format!("[\"{}\"]", "x".repeat(101));
    assert_eq!(post(server.addr, SEND, &message).await.status(), 413);
    let body = format!("[{}]", " ".repeat(2000));
    assert_eq!(post(server.addr, SEND, &body).await.status(), 413);
    let headers = "Transfer-Encoding: chunked\r\n";
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let mut connection = Connection::open(server.addr).await;
    connection.request("POST", SEND, headers, "").await;
    connection.write(chunked).await;
    assert_eq!(connection.head().await.status, 413);
    assert_eq!(post(server.addr, SEND, "[\"ok\"]").await.status(), 204);
    assert_eq!(post(server.addr, POLL, "").await.body, "a[\"ok\"]\n");
}

#[tokio::test]
async fn a_slow_body_is_408() {
    let server = Server::start(quick(), echo).await;
    let mut connection = Connection::open(server.addr).await;
    connection.request("POST", SEND, "Content-Length: 10\r\n", "").await;
    connection.write("[\"").await;
    assert_eq!(connection.head().await.status, 408);
}

#[tokio::test]
async fn an_upload_waits_for_a_slow_service() {
    let options = Options { max_inbox_len: 2, ..Options::default() };
    let (server, go, mut log) = gated(options).await;
    post(server.addr, POLL, "").await;
    let mut upload = Connection::open(server.addr).await;
    upload.request("POST", SEND, "", "[\"1\",\"2\",\"3\",\"4\"]").await;
    let early = tokio::time::timeout(Duration::from_millis(50), upload.head()).await;
    assert!(early.is_err(), "the upload did not wait");
    go.send(true).unwrap();
    assert_eq!(upload.answer().await.status(), 204);
    for expected in ["1", "2", "3", "4"] {
        assert_eq!(soon(log.recv()).await.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_waiting_upload_ends_with_its_session() {
    let options = Options { max_inbox_len: 1, ..quick() };
    let server = Server::start(options, |_socket| std::future::pending()).await;
    post(server.addr, POLL, "").await;
    assert_eq!(post(server.addr, SEND, "[\"1\",\"2\",\"3\"]").await.status(), 204);
}

#[tokio::test]
async fn a_websocket_waits_for_a_slow_service_and_loses_nothing() {
    let options = Options { max_inbox_len: 2, ..Options::default() };
    let (server, go, mut log) = gated(options).await;
    let mut client = Client::open(server.addr, "/sockjs/websocket").await;
    for number in 0..100 {
        client.send(&number.to_string()).await;
    }
    go.send(true).unwrap();
    for number in 0..100 {
        assert_eq!(soon(log.recv()).await, Some(number.to_string()));
    }
}

#[tokio::test]
async fn a_frame_of_very_many_messages_waits_as_it_came() {
    const MESSAGES: u64 = 50_000;
    let (server, go, mut log) = gated(Options::default()).await;
    let mut client = Client::open(server.addr, WEBSOCKET).await;
    let messages: Vec<_> = (0..MESSAGES).map(|number| format!("\"{number}\"")).collect();
    client.send(&format!("[{}]", messages.join(","))).await;
    let waiting = || server.service.stats().queues.inbox_messages;
    soon(async {
        while waiting() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(waiting(), Options::default().max_inbox_len as u64);
    go.send(true).unwrap();
    for number in 0..MESSAGES {
        assert_eq!(soon(log.recv()).await, Some(number.to_string()));
    }
}

#[tokio::test]
async fn a_service_may_receive_in_another_task() {
    let server = Server::start(Options { max_inbox_len: 2, ..quick() }, |socket: Socket| async {
        tokio::spawn(echo(socket)).await.ok();
    })
    .await;
    let mut client = Client::open(server.addr, "/sockjs/websocket").await;
    for number in 0..50 {
        client.send(&number.to_string()).await;
    }
    for number in 0..50 {
        assert_eq!(client.text().await, number.to_string());
    }
}
