//! The rules, over TCP.

use serde_json::json;
use trolleybus::EventBus as _;
use trolleybus::access::{Permitted, Policy};
use trolleybus::gateway::TcpOptions;
use trolleybus_tests::support::soon;

use super::client::{Bridge, policy};

fn orders_only() -> Permitted {
    let fields = json!({"type": "order"});
    Permitted::address("orders").matching(fields.as_object().unwrap().clone())
}

#[tokio::test]
async fn nothing_is_permitted_by_default() {
    let bridge = Bridge::with(policy(&[], &[]), TcpOptions::default()).await;
    let mut client = bridge.client().await;
    for kind in ["send", "publish", "register", "unregister"] {
        client.send(json!({"type": kind, "address": "a"})).await;
        assert_eq!(client.refusal().await, "access_denied", "{kind}");
    }
    client.settle().await;
}

#[tokio::test]
async fn a_match_is_looked_at_on_the_way_in_and_out() {
    let rules = [orders_only()];
    let bridge = Bridge::with(policy(&rules, &rules), TcpOptions::default()).await;
    let mut client = bridge.client().await;
    client.register("orders").await;
    for body in [json!(null), json!({"type": "refund"}), json!("order")] {
        client.send(json!({"type": "publish", "address": "orders", "body": body})).await;
        assert_eq!(client.refusal().await, "access_denied", "{body}");
        bridge.bus.publish("orders", &body).unwrap();
    }
    client.send(json!({"type": "publish", "address": "orders", "body": {"type": "order"}})).await;
    assert_eq!(client.next().await["body"], json!({"type": "order"}));
    client.settle().await;
}

#[tokio::test]
async fn an_authority_is_asked_for() {
    let rules = [Permitted::all().requiring("clerk")];
    let bridge = Bridge::with(policy(&rules, &rules), TcpOptions::default()).await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(client.refusal().await, "not_logged_in");
}

#[tokio::test]
async fn new_rules_hold_at_once_for_open_connections() {
    let all = [Permitted::all()];
    let bridge = Bridge::with(policy(&all, &all), TcpOptions::default()).await;
    let mut client = bridge.client().await;
    client.register("news").await;
    let inbound = [Permitted::address("b")];
    bridge.policy.replace(Policy::compile(&inbound, &[]).unwrap());
    bridge.bus.publish("news", "not for you any more").unwrap();
    client.send(json!({"type": "publish", "address": "a"})).await;
    assert_eq!(client.refusal().await, "access_denied");
    let mut consumer = bridge.bus.consumer("b");
    client.send(json!({"type": "publish", "address": "b"})).await;
    soon(consumer.recv()).await.unwrap();
}

#[tokio::test]
async fn patterns_are_checked_message_by_message() {
    let outbound = [Permitted::pattern("news.*")];
    let bridge = Bridge::with(policy(&[], &outbound), TcpOptions::default()).await;
    let mut client = bridge.client().await;
    let pattern = json!({"type": "register", "address": "news.>", "pattern": true});
    client.send(pattern.clone()).await;
    client.settle().await;
    bridge.bus.publish("news.a.b", "not permitted").unwrap();
    bridge.bus.publish("news.sport", "goal").unwrap();
    let message = client.next().await;
    assert_eq!(
        message,
        json!({"type": "message", "address": "news.sport", "headers": {}, "body": "goal", "send": false, "pattern": "news.>"})
    );
    client.send(pattern).await;
    assert_eq!(client.refusal().await, "address_already_registered");
    client.send(json!({"type": "unregister", "address": "news.>", "pattern": true})).await;
    client.settle().await;
    assert_eq!(bridge.bus.stats().registrations, 0);
    for (address, word) in [("a>b.>c", "invalid_pattern"), ("other.*", "access_denied")] {
        client.send(json!({"type": "register", "address": address, "pattern": true})).await;
        assert_eq!(client.refusal().await, word, "{address}");
    }
}

#[tokio::test]
async fn overflow_policies_are_refused_by_name() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.send(json!({"type": "register", "address": "a", "overflow": "latest"})).await;
    assert_eq!(client.refusal().await, "overflow_not_allowed");
    client.settle().await;
}
