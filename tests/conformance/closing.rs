//! How sockets end: slow consumers, peers that are held back, closing them all.

use tokio::sync::mpsc;
use yawc::Frame;

use crate::support::http::{post, request, stream};
use crate::support::server::{Seen, Server, echo, quick};
use crate::support::soon;
use crate::support::websocket::Client;
use std::time::Duration;
use trolleybus::sockjs::{Options, SendError, Socket, SocketSender};

const WEBSOCKET: &str = "/sockjs/000/l/websocket";
const STREAM: &str = "/sockjs/000/l/xhr_streaming";
const POLL: &str = "/sockjs/000/l/xhr";

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
            tokio::task::yield_now().await;
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
    let options = Options { close_timeout: Duration::from_secs(60), ..Options::default() };
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
    let options = Options { response_limit: usize::MAX, ..quick() };
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
async fn a_stalled_stream_does_not_keep_its_session() {
    let options = Options { response_limit: usize::MAX, ..quick() };
    let (server, mut senders) = with_senders(options).await;
    let (connection, _) = stream(server.addr, "POST", STREAM).await;
    let sender = soon(senders.recv()).await.unwrap();
    assert_eq!(soon(overflow(&sender)).await, SendError::Overflow);
    all_gone(&server).await;
    assert_eq!(post(server.addr, POLL, "").await.body, "o\n");
    drop(connection);
}

#[tokio::test]
async fn a_peer_that_pings_and_does_not_read_is_held_back() {
    let server = Server::start(quick(), echo).await;
    let mut client = Client::open(server.addr, WEBSOCKET).await;
    let mut stalled = false;
    for _ in 0..200_000 {
        let ping = client.try_send_frame(Frame::ping(vec![b'p'; 125])).await;
        if ping.is_none() {
            stalled = true;
            break;
        }
    }
    assert!(stalled, "25 MB of pings were taken from a peer that reads nothing");
}

#[tokio::test]
async fn close_all_gets_past_a_blocked_write() {
    let (server, mut senders) =
        with_senders(Options { max_outbox_size: 64 << 20, ..quick() }).await;
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
    assert_eq!(post(server.addr, "/sockjs/000/new/xhr", "").await.status(), 503);
    client.drained().await;
    soon(drained).await.unwrap();
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
