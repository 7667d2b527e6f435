//! Bounds: sizes, slow peers, slow services, and closing them all.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use yawc::{Frame, OpCode};

use crate::support::http::{Connection, post, request, stream};
use crate::support::server::{Seen, Server, echo, quick};
use crate::support::soon;
use crate::support::websocket::Client;
use trolleybus::sockjs::{Options, SendError, Socket, SocketSender};

const WEBSOCKET: &str = "/sockjs/000/l/websocket";
const STREAM: &str = "/sockjs/000/l/xhr_streaming";
const POLL: &str = "/sockjs/000/l/xhr";
const SEND: &str = "/sockjs/000/l/xhr_send";

/// A service that hands its senders over and takes whatever comes.
async fn with_senders(options: Options) -> (Server, mpsc::UnboundedReceiver<SocketSender>) {
    let (hand_over, senders) = mpsc::unbounded_channel();
    let server = Server::start(options, move |mut socket: Socket| {
        hand_over.send(socket.sender()).ok();
        async move { while socket.recv().await.is_some() {} }
    })
    .await;
    (server, senders)
}

/// Sends to a peer that does not read until the outbox is full.
async fn overflow(sender: &SocketSender) -> SendError {
    let message = "x".repeat(64 * 1024);
    loop {
        if let Err(error) = sender.send(message.clone()) {
            return error;
        }
        tokio::task::yield_now().await;
    }
}

async fn all_gone(server: &Server) {
    soon(async {
        while server.service.open_sockets() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_stalled_websocket_is_closed_as_slow() {
    let (server, mut senders) = with_senders(quick()).await;
    let client = Client::open(server.addr, WEBSOCKET).await;
    let sender = soon(senders.recv()).await.unwrap();
    assert_eq!(soon(overflow(&sender)).await, SendError::Overflow);
    assert_eq!(sender.send("x"), Err(SendError::Closed));
    all_gone(&server).await;
    drop(client);
}

#[tokio::test]
async fn a_slow_websocket_that_reads_again_learns_why() {
    let options = Options {
        close_timeout: Duration::from_secs(60),
        ..Options::default()
    };
    let (server, mut senders) = with_senders(options).await;
    let mut client = Client::open(server.addr, WEBSOCKET).await;
    let sender = soon(senders.recv()).await.unwrap();
    assert_eq!(soon(overflow(&sender)).await, SendError::Overflow);
    let mut last = String::new();
    while !last.starts_with('c') {
        last = client.text().await;
    }
    assert_eq!(last, "c[3001,\"Slow consumer\"]");
}

#[tokio::test]
async fn a_stalled_stream_is_closed_as_slow() {
    let options = Options {
        response_limit: usize::MAX,
        ..quick()
    };
    let (server, mut senders) = with_senders(options).await;
    let (mut connection, _) = stream(server.addr, "POST", STREAM).await;
    let sender = soon(senders.recv()).await.unwrap();
    assert_eq!(soon(overflow(&sender)).await, SendError::Overflow);
    let mut last = String::new();
    while let Some(chunk) = connection.chunk().await {
        last = chunk;
    }
    assert_eq!(last, "c[3001,\"Slow consumer\"]\n");
}

#[tokio::test]
async fn close_all_gets_past_a_blocked_write() {
    let (server, mut senders) = with_senders(Options {
        max_outbox_size: 64 << 20,
        ..quick()
    })
    .await;
    let client = Client::open(server.addr, WEBSOCKET).await;
    let sender = soon(senders.recv()).await.unwrap();
    for _ in 0..500 {
        sender.send("x".repeat(64 * 1024)).unwrap();
        tokio::task::yield_now().await;
    }
    server.service.close_all(1001, "Going away");
    all_gone(&server).await;
    drop(client);
}

#[tokio::test]
async fn close_all_reaches_every_transport() {
    let (server, _senders) = with_senders(quick()).await;
    let mut client = Client::open(server.addr, WEBSOCKET).await;
    let mut raw = Client::open(server.addr, "/sockjs/websocket").await;
    let (mut stream, _) = stream(server.addr, "POST", STREAM).await;
    assert_eq!(client.text().await, "o");
    stream.chunk().await;
    assert_eq!(stream.chunk().await.unwrap(), "o\n");
    assert_eq!(server.service.open_sockets(), 3);
    server.service.close_all(3999, "bye");
    assert_eq!(client.text().await, "c[3999,\"bye\"]");
    assert_eq!(raw.closed().await, (3999, "bye".to_owned()));
    assert_eq!(stream.chunk().await.unwrap(), "c[3999,\"bye\"]\n");
    client.drained().await;
    all_gone(&server).await;
}

#[tokio::test]
async fn a_draining_service_takes_no_sockets_and_ends() {
    let server = Server::start(quick(), echo).await;
    let mut client = Client::open(server.addr, WEBSOCKET).await;
    assert_eq!(client.text().await, "o");
    post(server.addr, POLL, "").await;
    let service = server.service.clone();
    let drained = tokio::spawn(async move { service.drain(1001, "Going away").await });
    assert_eq!(client.text().await, "c[1001,\"Going away\"]");
    assert_eq!(
        post(server.addr, "/sockjs/000/new/xhr", "").await.status(),
        503
    );
    client.drained().await;
    soon(drained).await.unwrap();
}

#[tokio::test]
async fn too_many_sockets_are_503() {
    let server = Server::start(
        Options {
            max_sockets: 1,
            ..Options::default()
        },
        echo,
    )
    .await;
    assert_eq!(post(server.addr, POLL, "").await.status(), 200);
    assert_eq!(
        post(server.addr, "/sockjs/000/other/xhr", "")
            .await
            .status(),
        503
    );
    let (_, head) = stream(server.addr, "GET", "/sockjs/000/third/eventsource").await;
    assert_eq!(head.status, 503);
}

#[tokio::test]
async fn long_websocket_messages_close_with_1009() {
    let server = Server::start(
        Options {
            max_message_size: 1000,
            ..Options::default()
        },
        echo,
    )
    .await;
    for size in [1001, 100_000] {
        for path in [WEBSOCKET, "/sockjs/websocket"] {
            let mut client = Client::open(server.addr, path).await;
            let message = format!("[\"{}\"]", "x".repeat(size));
            client.send(&message).await;
            let mut frame = client.frame().await.unwrap();
            if frame.opcode() == OpCode::Text {
                frame = client.frame().await.unwrap();
            }
            assert_eq!(
                frame.close_code().map(u16::from),
                Some(1009),
                "{path} {size}"
            );
        }
    }
}

#[tokio::test]
async fn long_fragmented_messages_close_with_1009() {
    let server = Server::start(
        Options {
            max_message_size: 1000,
            ..Options::default()
        },
        echo,
    )
    .await;
    let mut client = Client::open(server.addr, "/sockjs/websocket").await;
    client
        .send_frame(Frame::text(Bytes::from(vec![b'x'; 600])).with_fin(false))
        .await;
    client
        .send_frame(Frame::continuation(Bytes::from(vec![b'x'; 600])))
        .await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn a_message_of_the_longest_size_passes() {
    let server = Server::start(
        Options {
            max_message_size: 1000,
            ..Options::default()
        },
        echo,
    )
    .await;
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
    let options = Options {
        max_message_size: 100,
        max_upload_size: 1000,
        ..Options::default()
    };
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
    connection
        .request("POST", SEND, "Content-Length: 10\r\n", "")
        .await;
    connection.write("[\"").await;
    assert_eq!(connection.head().await.status, 408);
}

#[tokio::test]
async fn an_upload_waits_for_a_slow_service() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let (seen, mut log) = mpsc::unbounded_channel();
    let options = Options {
        max_inbox_len: 2,
        ..Options::default()
    };
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
    post(server.addr, POLL, "").await;
    let mut upload = Connection::open(server.addr).await;
    upload
        .request("POST", SEND, "", "[\"1\",\"2\",\"3\",\"4\"]")
        .await;
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
    let options = Options {
        max_inbox_len: 1,
        ..quick()
    };
    let server = Server::start(options, |_socket| std::future::pending()).await;
    post(server.addr, POLL, "").await;
    assert_eq!(
        post(server.addr, SEND, "[\"1\",\"2\",\"3\"]")
            .await
            .status(),
        204
    );
}

#[tokio::test]
async fn a_websocket_waits_for_a_slow_service_and_loses_nothing() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let (seen, mut log) = mpsc::unbounded_channel();
    let options = Options {
        max_inbox_len: 2,
        ..Options::default()
    };
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
async fn a_service_may_receive_in_another_task() {
    let server = Server::start(
        Options {
            max_inbox_len: 2,
            ..quick()
        },
        |socket: Socket| async {
            tokio::spawn(echo(socket)).await.ok();
        },
    )
    .await;
    let mut client = Client::open(server.addr, "/sockjs/websocket").await;
    for number in 0..50 {
        client.send(&number.to_string()).await;
    }
    for number in 0..50 {
        assert_eq!(client.text().await, number.to_string());
    }
}

#[tokio::test]
async fn a_service_may_outlive_its_socket() {
    let (done, mut log) = mpsc::unbounded_channel();
    let server = Server::start(quick(), move |mut socket: Socket| {
        let done = done.clone();
        async move {
            while socket.recv().await.is_some() {}
            tokio::task::yield_now().await;
            done.send(socket.send("too late")).ok();
        }
    })
    .await;
    drop(Client::open(server.addr, WEBSOCKET).await);
    assert_eq!(soon(log.recv()).await, Some(Err(SendError::Closed)));
}

#[tokio::test]
async fn a_session_without_anyone_is_not_kept() {
    let (server, mut log) = Server::observed(quick()).await;
    request(server.addr, "POST", POLL, "Connection: close\r\n", "").await;
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    all_gone(&server).await;
}
