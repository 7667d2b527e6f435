//! Sockets that do not ping.

use std::time::Duration;

use serde_json::json;
use trolleybus::bridge::BridgeOptions;

use crate::client::{Server, open};
use crate::support::websocket::Client as WebSocket;

fn impatient() -> BridgeOptions {
    BridgeOptions { ping_timeout: Duration::from_millis(150), ..open() }
}

#[tokio::test]
async fn a_socket_without_ping_is_told_to_go_away() {
    let server = Server::start(impatient()).await;
    let mut client = server.client().await;
    assert_eq!(client.socket.text().await, "c[3000,\"Go away!\"]");
}

#[tokio::test]
async fn a_raw_websocket_without_ping_gets_its_own_close() {
    let server = Server::start(impatient()).await;
    let mut socket = WebSocket::open(server.addr, "/eventbus/websocket").await;
    assert_eq!(socket.closed().await, (1001, "Session expired".to_owned()));
}

#[tokio::test]
async fn pings_keep_a_socket_and_other_envelopes_do_not() {
    let server = Server::start(impatient()).await;
    let (mut pinging, mut talking) = (server.client().await, server.client().await);
    let mut ticks = tokio::time::interval(Duration::from_millis(30));
    let mut closed = None;
    for tick in 0..14 {
        ticks.tick().await;
        pinging.send(json!({"type": "ping"})).await;
        if closed.is_none() {
            talking.send(json!({"type": "settle", "address": ""})).await;
            let frame = talking.socket.text().await;
            closed = frame.starts_with('c').then_some(tick);
        }
    }
    assert!(closed.is_some(), "talking alone kept the socket open");
    pinging.settle().await;
}
