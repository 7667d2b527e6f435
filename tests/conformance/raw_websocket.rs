//! WebSocket without SockJS framing.

use std::time::Duration;

use bytes::Bytes;
use yawc::{Frame, OpCode};

use crate::support::server::{Seen, Server, echo, quick};
use crate::support::soon;
use crate::support::websocket::Client;
use trolleybus::sockjs::{Options, Socket};

const PATH: &str = "/sockjs/websocket";

#[tokio::test]
async fn a_message_is_a_frame_as_it_is() {
    let server = Server::echo().await;
    let mut client = Client::open(server.addr, PATH).await;
    for message in ["Hello world!\u{0}", "", "[\"a", "\u{2028}😀"] {
        client.send(message).await;
        assert_eq!(client.text().await, message);
    }
}

#[tokio::test]
async fn the_close_code_of_the_service_travels() {
    let server = Server::closing(Options::default()).await;
    let mut client = Client::open(server.addr, PATH).await;
    assert_eq!(client.closed().await, (3000, "Go away!".to_owned()));
    assert!(client.frame().await.is_none());
}

#[tokio::test]
async fn codes_that_may_not_travel_become_1000() {
    let server =
        Server::start(quick(), |socket: Socket| async move { socket.close(1006, "") }).await;
    let mut client = Client::open(server.addr, PATH).await;
    assert_eq!(client.closed().await.0, 1000);
}

#[tokio::test]
async fn binary_in_is_text_and_out_as_configured() {
    let server = Server::start(Options { raw_binary: true, ..Options::default() }, echo).await;
    let mut client = Client::open(server.addr, PATH).await;
    client.send_frame(Frame::binary("abc")).await;
    let frame = client.frame().await.unwrap();
    assert_eq!((frame.opcode(), frame.as_str()), (OpCode::Binary, "abc"));
}

#[tokio::test]
async fn text_frames_that_are_no_text_end_the_connection() {
    let server = Server::echo().await;
    let mut client = Client::open(server.addr, PATH).await;
    client.send_frame(Frame::text(Bytes::from_static(b"\xff"))).await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn binary_frames_that_are_no_text_become_replacement_characters() {
    let server = Server::echo().await;
    let mut client = Client::open(server.addr, PATH).await;
    client.send_frame(Frame::binary(Bytes::from_static(b"a\xff"))).await;
    assert_eq!(client.text().await, "a\u{fffd}");
}

#[tokio::test]
async fn heartbeats_are_pings() {
    let options = Options { heartbeat_interval: Duration::from_millis(30), ..Options::default() };
    let server = Server::start(options, echo).await;
    let mut client = Client::open(server.addr, PATH).await;
    assert_eq!(client.frame().await.unwrap().opcode(), OpCode::Ping);
}

#[tokio::test]
async fn the_service_knows_that_it_is_raw() {
    let (server, mut log) = Server::observed(quick()).await;
    let mut client = Client::open(server.addr, PATH).await;
    client.send("x").await;
    assert_eq!(soon(log.recv()).await, Some(Seen::Opened));
    assert_eq!(soon(log.recv()).await, Some(Seen::Message("x".to_owned())));
    drop(client);
    assert_eq!(soon(log.recv()).await, Some(Seen::Closed));
}
