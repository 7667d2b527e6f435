//! Hooks that take their time: order is kept in both directions, and nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use trolleybus::bridge::{BridgeEvent, EventKind};
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Server, open};
use crate::support::hooks::gated;
use crate::support::soon;

#[tokio::test]
async fn nothing_is_dropped_while_the_creation_is_pending() {
    let (hook, gate) = gated(EventKind::Created);
    let server = Server::hooked(hook).await;
    let mut consumer = server.bus.consumer("a");
    let mut client = server.client().await;
    for number in 0..50 {
        client.send(json!({"type": "publish", "address": "a", "body": number})).await;
    }
    tokio::task::yield_now().await;
    gate.add_permits(1);
    for number in 0..50 {
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
}

#[tokio::test]
async fn envelopes_wait_behind_a_pending_hook_in_order() {
    let (hook, gate) = gated(EventKind::Publish);
    let server = Server::hooked(hook).await;
    let (mut slow, mut fast) = (server.bus.consumer("slow"), server.bus.consumer("fast"));
    let mut client = server.client().await;
    client.register("other").await;
    client.send(json!({"type": "publish", "address": "slow", "body": 1})).await;
    client.send(json!({"type": "publish", "address": "fast", "body": 2})).await;
    client.send(json!({"type": "register", "address": "late"})).await;
    // What others send to the client does not wait.
    server.bus.publish("other", "meanwhile").unwrap();
    assert_eq!(client.receive().await["body"], "meanwhile");
    assert_eq!(fast.buffered(), 0);
    gate.add_permits(1);
    assert_eq!(soon(slow.recv()).await.unwrap().body().as_json(), "1");
    assert_eq!(soon(fast.recv()).await.unwrap().body().as_json(), "2");
    client.settle().await;
    server.bus.publish("late", &3).unwrap();
    assert_eq!(client.receive().await["body"], 3);
}

#[tokio::test]
async fn other_sockets_do_not_wait() {
    let (hook, gate) = gated(EventKind::Publish);
    let server = Server::hooked(hook).await;
    let mut consumer = server.bus.consumer("fast");
    let (mut waiting, mut other) = (server.client().await, server.client_with("?other").await);
    waiting.send(json!({"type": "publish", "address": "slow"})).await;
    other.send(json!({"type": "publish", "address": "fast", "body": 1})).await;
    assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), "1");
    gate.add_permits(1);
    waiting.settle().await;
}

#[tokio::test]
async fn messages_to_the_client_wait_behind_a_pending_hook_in_order() {
    let (hook, gate) = gated(EventKind::Receive);
    let server = Server::hooked(hook).await;
    let mut consumer = server.bus.consumer("up");
    let mut client = server.client().await;
    client.register("slow").await;
    client.register("fast").await;
    for number in 0..5 {
        server.bus.publish("slow", &number).unwrap();
        server.bus.publish("fast", &number).unwrap();
    }
    // What the client sends does not wait.
    client.send(json!({"type": "publish", "address": "up", "body": 1})).await;
    soon(consumer.recv()).await.unwrap();
    gate.add_permits(5);
    for number in 0..5 {
        for address in ["slow", "fast"] {
            let expected = json!({"type": "rec", "address": address, "body": number});
            assert_eq!(client.receive().await, expected);
        }
    }
}

#[tokio::test]
async fn a_hook_may_ask_the_very_client_that_waits_for_it() {
    let bus = Arc::new(std::sync::OnceLock::<trolleybus::Bus>::new());
    let inner = Arc::clone(&bus);
    let server = Server::hooked(move |event: BridgeEvent| {
        let bus = Arc::clone(&inner);
        async move {
            if event.kind() == EventKind::Publish {
                // It is asked; its answer would wait behind this hook, so none is awaited.
                bus.get().unwrap().send("client", "are you sure?").unwrap();
            }
            event.accept()
        }
    })
    .await;
    bus.set(server.bus.clone()).unwrap();
    let mut client = server.client().await;
    client.register("client").await;
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(client.receive().await["body"], "are you sure?");
}

#[tokio::test]
async fn requests_run_out_of_time_while_a_hook_is_pending() {
    let (hook, _gate) = gated(EventKind::Publish);
    let server = Server::hooked(hook).await;
    let _silent = server.bus.consumer("silent");
    let mut client = server.client().await;
    let request = json!({"type": "send", "address": "silent", "replyAddress": "r", "timeout": 50});
    client.send(request).await;
    client.send(json!({"type": "publish", "address": "slow"})).await;
    let failed = client.receive().await;
    assert_eq!((&failed["address"], &failed["failureType"]), (&json!("r"), &json!("TIMEOUT")));
}

#[tokio::test]
async fn a_hook_that_never_decides_counts_as_one_that_rejects() {
    let (hook, _gate) = gated(EventKind::Send);
    let patience = Duration::from_millis(50);
    let server = Server::build(open(), |builder| builder.hook(hook).hook_timeout(patience)).await;
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "slow", "replyAddress": "r"})).await;
    let refused = client.receive().await;
    assert_eq!((&refused["body"], &refused["address"]), (&json!("rejected"), &json!("r")));
}

#[tokio::test]
async fn more_than_the_hook_keeps_up_with_closes_the_socket() {
    let (hook, _gate) = gated(EventKind::Receive);
    let server = Server::hooked(hook).await;
    let mut client = server.client().await;
    client.register("slow").await;
    for number in 0..1100 {
        server.bus.publish("slow", &number).unwrap();
    }
    assert_eq!(client.socket.text().await, "c[3001,\"Slow consumer\"]");
}

#[tokio::test]
async fn a_queue_that_is_never_empty_leaves_time_to_write() {
    let bus = Arc::new(std::sync::OnceLock::<trolleybus::Bus>::new());
    let inner = Arc::clone(&bus);
    let hook = move |event: BridgeEvent| {
        if event.kind() == EventKind::Receive {
            let number: u32 = event.message().unwrap().body.as_json().parse().unwrap();
            inner.get().unwrap().publish("a", &(number + 1)).unwrap();
        }
        std::future::ready(event.accept())
    };
    let sockjs = trolleybus::sockjs::Options { max_outbox_size: 64 * 1024, ..Default::default() };
    let server = Server::build(open(), |builder| builder.sockjs(sockjs).hook(hook)).await;
    bus.set(server.bus.clone()).unwrap();
    let mut client = server.client().await;
    client.register("a").await;
    server.bus.publish("a", &0).unwrap();
    let mut received = 0;
    while received < 5000 {
        let frame = client.socket.text().await;
        let array = frame.strip_prefix('a').unwrap_or_else(|| panic!("not messages: {frame}"));
        for text in serde_json::from_str::<Vec<String>>(array).unwrap() {
            let envelope: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(envelope["body"], received);
            received += 1;
        }
    }
}
