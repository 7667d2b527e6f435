//! Hooks that take their time over clients of the TCP bridge: order is kept in both directions, and
//! nothing is lost.

use std::future::ready;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use trolleybus::bridge::{BridgeEvent, EventKind};
use trolleybus::gateway::TcpOptions;
use trolleybus::{Bus, BusMessage as _, ErrorKind, EventBus as _};
use trolleybus_tests::support::hooks::{expect, gated, noting};
use trolleybus_tests::support::soon;

use super::client::Bridge;
use super::tokens::believing;

#[tokio::test]
async fn nothing_is_dropped_while_the_creation_is_pending() {
    let (hook, gate) = gated(EventKind::Created);
    let bridge = Bridge::hooked(hook).await;
    let mut consumer = bridge.bus.consumer("a");
    let mut client = bridge.client().await;
    for number in 0..50 {
        client.send(json!({"type": "publish", "address": "a", "body": number})).await;
    }
    assert_eq!(consumer.buffered(), 0);
    gate.add_permits(1);
    for number in 0..50 {
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
}

#[tokio::test]
async fn envelopes_wait_behind_a_pending_hook_in_order() {
    let (hook, gate) = gated(EventKind::Publish);
    let bridge = Bridge::hooked(hook).await;
    let (mut slow, mut fast) = (bridge.bus.consumer("slow"), bridge.bus.consumer("fast"));
    let mut client = bridge.client().await;
    client.register("other").await;
    client.send(json!({"type": "publish", "address": "slow", "body": 1})).await;
    client.send(json!({"type": "publish", "address": "fast", "body": 2})).await;
    client.send(json!({"type": "register", "address": "late"})).await;
    // What others send to the client does not wait.
    bridge.bus.publish("other", "meanwhile").unwrap();
    assert_eq!(client.next().await["body"], "meanwhile");
    assert_eq!(fast.buffered(), 0);
    gate.add_permits(1);
    assert_eq!(soon(slow.recv()).await.unwrap().body().as_json(), "1");
    assert_eq!(soon(fast.recv()).await.unwrap().body().as_json(), "2");
    client.settle().await;
    bridge.bus.publish("late", &3).unwrap();
    assert_eq!(client.next().await["body"], 3);
}

#[tokio::test]
async fn other_clients_do_not_wait() {
    let (hook, gate) = gated(EventKind::Publish);
    let bridge = Bridge::hooked(hook).await;
    let mut consumer = bridge.bus.consumer("fast");
    let (mut waiting, mut other) = (bridge.client().await, bridge.client().await);
    waiting.send(json!({"type": "publish", "address": "slow"})).await;
    other.send(json!({"type": "publish", "address": "fast", "body": 1})).await;
    assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), "1");
    gate.add_permits(1);
    waiting.settle().await;
}

#[tokio::test]
async fn messages_to_the_client_wait_behind_a_pending_hook_in_order() {
    let (hook, gate) = gated(EventKind::Receive);
    let bridge = Bridge::hooked(hook).await;
    let mut consumer = bridge.bus.consumer("up");
    let mut client = bridge.client().await;
    client.register("slow").await;
    client.register("fast").await;
    for number in 0..5 {
        bridge.bus.publish("slow", &number).unwrap();
        bridge.bus.publish("fast", &number).unwrap();
    }
    // What the client sends does not wait.
    client.send(json!({"type": "publish", "address": "up", "body": 1})).await;
    soon(consumer.recv()).await.unwrap();
    gate.add_permits(5);
    for number in 0..5 {
        for address in ["slow", "fast"] {
            let received = client.next().await;
            let expected = (&json!(address), &json!(number));
            assert_eq!((&received["address"], &received["body"]), expected);
        }
    }
}

#[tokio::test]
async fn requests_run_out_of_time_while_a_hook_is_pending() {
    let (hook, _gate) = gated(EventKind::Publish);
    let bridge = Bridge::hooked(hook).await;
    let _silent = bridge.bus.consumer("silent");
    let mut client = bridge.client().await;
    let headers = json!({"timeout": 50});
    let request =
        json!({"type": "send", "address": "silent", "replyAddress": "r", "headers": headers});
    client.send(request).await;
    client.send(json!({"type": "publish", "address": "slow"})).await;
    let failed = client.next().await;
    assert_eq!((&failed["address"], &failed["failureType"]), (&json!("r"), &json!("TIMEOUT")));
}

#[tokio::test]
async fn a_token_expires_while_a_hook_is_pending() {
    let (hook, _gate) = gated(EventKind::Publish);
    let bridge = Bridge::hooked_with(TcpOptions::default(), Some(believing(false)), |builder| {
        builder.hook(hook)
    })
    .await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "authenticate", "body": "brief"})).await;
    client.send(json!({"type": "publish", "address": "slow"})).await;
    assert_eq!(client.refusal().await, "token_expired");
    client.ended().await;
}

#[tokio::test]
async fn more_than_the_hook_keeps_up_with_cuts_the_client_off() {
    let (hook, _gate) = gated(EventKind::Receive);
    let bridge = Bridge::hooked(hook).await;
    let mut client = bridge.client().await;
    client.register("slow").await;
    // One waits in the hook, and is told at once when its recipient is cut off.
    let request = bridge.bus.request("slow", "x");
    for number in 0..1100 {
        bridge.bus.publish("slow", &number).unwrap();
    }
    client.ended().await;
    assert_eq!(soon(request).await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_queue_that_is_never_empty_leaves_time_to_write() {
    let bus = Arc::new(OnceLock::<Bus>::new());
    let inner = Arc::clone(&bus);
    let hook = move |event: BridgeEvent| {
        if event.kind() == EventKind::Receive {
            let number: u32 = event.message().unwrap().body.as_json().parse().unwrap();
            inner.get().unwrap().publish("a", &(number + 1)).unwrap();
        }
        ready(event.accept())
    };
    let options = TcpOptions { max_outbox_size: 64 * 1024, ..TcpOptions::default() };
    let bridge = Bridge::hooked_with(options, None, |builder| builder.hook(hook)).await;
    bus.set(bridge.bus.clone()).unwrap();
    let mut client = bridge.client().await;
    client.register("a").await;
    bridge.bus.publish("a", &0).unwrap();
    for number in 0..5000 {
        assert_eq!(client.next().await["body"], number);
    }
}

#[tokio::test]
async fn a_slow_client_is_a_fault() {
    let (hook, mut events) = noting();
    let options = TcpOptions { max_outbox_size: 64 * 1024, ..TcpOptions::default() };
    let bridge = Bridge::hooked_with(options, None, |builder| builder.hook(hook)).await;
    let mut client = bridge.client().await;
    client.register("news").await;
    let begun = ["SOCKET_CREATED", "REGISTER news", "REGISTERED news", "SOCKET_PING"];
    expect(&mut events, &begun).await;
    let flood = "x".repeat(16 * 1024);
    let cut_off = async {
        loop {
            bridge.bus.publish("news", flood.as_str()).unwrap();
            match soon(events.recv()).await.as_deref() {
                Some("RECEIVE news") => {}
                other => break other.map(str::to_owned),
            }
        }
    };
    assert_eq!(soon(cut_off).await.as_deref(), Some("UNREGISTER news"));
    expect(&mut events, &["SOCKET_ERROR", "SOCKET_CLOSED"]).await;
}
