//! What bounds a connection over TCP.

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use trolleybus::gateway::TcpOptions;
use trolleybus::{ErrorKind, EventBus as _};
use trolleybus_tests::support::soon;

use super::client::{Bridge, open_policy};

#[tokio::test]
async fn registrations_and_requests_under_way_are_counted_together() {
    let options = TcpOptions { max_handlers_per_socket: 2, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let mut consumer = bridge.bus.consumer("svc");
    let mut client = bridge.client().await;
    client.register("a").await;
    client.send(json!({"type": "send", "address": "svc", "replyAddress": "r"})).await;
    let held = soon(consumer.recv()).await.unwrap();
    client.send(json!({"type": "register", "address": "b"})).await;
    assert_eq!(client.refusal().await, "max_handlers_reached");
    drop(held);
    assert_eq!(client.next().await["failureType"], "TIMEOUT");
    client.register("b").await;
}

#[tokio::test]
async fn addresses_have_a_length() {
    let options = TcpOptions { max_address_length: 5, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let mut client = bridge.client().await;
    client.register("ééééé").await;
    client.send(json!({"type": "register", "address": "éééééé"})).await;
    assert_eq!(client.refusal().await, "max_address_length_reached");
    let refused =
        client.ask(json!({"type": "send", "address": "a", "replyAddress": "longer"})).await;
    assert_eq!(
        (&refused["message"], &refused["address"]),
        (&json!("invalid_reply_address"), &json!(null))
    );
}

#[tokio::test]
async fn requests_to_answer_are_bounded() {
    let options = TcpOptions { max_awaited_replies: 1, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let mut client = bridge.client().await;
    client.register("svc").await;
    let _first = bridge.bus.request("svc", "1");
    let second = bridge.bus.request("svc", "2");
    assert_eq!(soon(second).await.unwrap_err().kind(), ErrorKind::NoHandlers);
    assert_eq!(client.next().await["body"], "1");
    client.settle().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_others_are_not() {
    let options = TcpOptions { max_outbox_size: 64 * 1024, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let (mut stalled, mut honest) = (bridge.client().await, bridge.client().await);
    stalled.register("flood").await;
    honest.register("news").await;
    let body = "x".repeat(16 * 1024);
    let flood = async {
        while bridge.bus.stats().registrations == 2 {
            bridge.bus.publish("flood", body.as_str()).unwrap();
            tokio::task::yield_now().await;
        }
    };
    soon(flood).await;
    bridge.bus.publish("news", "still here").unwrap();
    assert_eq!(honest.next().await["body"], "still here");
    let mut rest = Vec::new();
    // Either way it is over: an end, or a reset.
    soon(stalled.stream.read_to_end(&mut rest)).await.ok();
}

#[tokio::test]
async fn a_silent_connection_is_closed_and_a_talking_one_is_not() {
    let options = TcpOptions { idle_timeout_ms: 1000, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let (mut silent, mut talking) = (bridge.client().await, bridge.client().await);
    let talk = async {
        loop {
            talking.settle().await;
        }
    };
    tokio::select! {
        () = silent.ended() => {}
        () = talk => {}
    }
    talking.settle().await;
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_at_once() {
    let options = TcpOptions { max_connections: 1, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let mut first = bridge.client().await;
    first.settle().await;
    bridge.client().await.ended().await;
    drop(first);
    let again = async {
        loop {
            let mut next = bridge.client().await;
            let mut answer = [0; 4];
            let ping = super::client::frame(r#"{"type":"ping"}"#);
            if tokio::io::AsyncWriteExt::write_all(&mut next.stream, &ping).await.is_ok()
                && next.stream.read_exact(&mut answer).await.is_ok()
            {
                break;
            }
        }
    };
    soon(again).await;
}

#[tokio::test]
async fn stopping_ends_every_connection_after_what_was_said() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("news").await;
    bridge.bus.publish("news", "last").unwrap();
    bridge.stop.cancel();
    assert_eq!(client.next().await["body"], "last");
    client.ended().await;
    drop(client);
    bridge.tasks.close();
    soon(bridge.tasks.wait()).await;
    assert_eq!(bridge.bus.stats().registrations, 0);
}
