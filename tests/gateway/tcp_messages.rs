//! Register, send and publish over TCP, and what a message looks like.

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use trolleybus::gateway::{TcpGateway, TcpOptions};
use trolleybus::{Bus, BusMessage as _, DeliveryOptions, EventBus as _};
use trolleybus_tests::support::soon;

use super::client::{Bridge, Client, open_policy};

#[tokio::test]
async fn a_send_reaches_a_consumer_of_the_bus_as_it_was_written() {
    let bridge = Bridge::open().await;
    let mut consumer = bridge.bus.consumer("orders");
    let mut client = bridge.client().await;
    client.send_text(r#"{"type":"send","address":"orders","body":{"n": 1.10}}"#).await;
    client.send(json!({"type": "send", "address": "orders", "body": "text"})).await;
    client.send(json!({"type": "send", "address": "orders", "headers": {"a": "b", "n": 1}})).await;
    let bodies = async {
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), r#"{"n": 1.10}"#);
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), r#""text""#);
        let last = consumer.recv().await.unwrap();
        assert!(last.body().is_null() && last.is_send());
        assert_eq!(last.headers().iter().collect::<Vec<_>>(), [("a", "b"), ("n", "1")]);
    };
    soon(bodies).await;
}

#[tokio::test]
async fn messages_say_whether_they_were_sent_or_published() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("news").await;
    bridge.bus.send("news", "one").unwrap();
    bridge.bus.publish("news", json!({"n": 2})).unwrap();
    assert_eq!(
        client.next().await,
        json!({"type": "message", "address": "news", "headers": {}, "body": "one", "send": true})
    );
    assert_eq!(
        client.next().await,
        json!({"type": "message", "address": "news", "headers": {}, "body": {"n": 2}, "send": false})
    );
}

#[tokio::test]
async fn null_bodies_are_left_out_and_of_several_values_the_last_is_told() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("news").await;
    let options = DeliveryOptions::new().header("k", "1").unwrap().header("k", "2").unwrap();
    bridge.bus.publish_with("news", &(), options).unwrap();
    assert_eq!(
        client.next().await,
        json!({"type": "message", "address": "news", "headers": {"k": "2"}, "send": false})
    );
}

#[tokio::test]
async fn clients_reach_each_other_in_order() {
    let bridge = Bridge::open().await;
    let (mut one, mut two) = (bridge.client().await, bridge.client().await);
    two.register("chat").await;
    for n in 0..100 {
        one.send(json!({"type": "publish", "address": "chat", "body": n})).await;
    }
    for n in 0..100 {
        assert_eq!(two.next().await["body"], n);
    }
}

#[tokio::test]
async fn nothing_comes_after_unregister() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("news").await;
    client.send(json!({"type": "unregister", "address": "news"})).await;
    client.settle().await;
    bridge.bus.publish("news", "x").unwrap();
    client.settle().await;
    let asked = client
        .ask(json!({"type": "send", "address": "news", "replyAddress": "r", "body": 1}))
        .await;
    assert_eq!(
        asked,
        json!({
            "type": "err", "address": "r", "sourceAddress": "news", "failureCode": -1,
            "failureType": "NO_HANDLERS", "message": "No handlers for address news"
        })
    );
    client.send(json!({"type": "unregister", "address": "news"})).await;
    assert_eq!(client.refusal().await, "unknown_address");
}

#[tokio::test]
async fn a_second_register_is_refused_and_messages_come_once() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("news").await;
    client.send(json!({"type": "register", "address": "news"})).await;
    assert_eq!(client.refusal().await, "address_already_registered");
    bridge.bus.publish("news", "once").unwrap();
    assert_eq!(client.next().await["body"], "once");
    client.settle().await;
    assert_eq!(bridge.bus.stats().registrations, 1);
}

#[tokio::test]
async fn receipts_tell_what_became_of_an_envelope() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    let register = json!({"type": "register", "address": "a", "receipt": "r1"});
    let receipt = json!({"type": "message", "address": "r1", "headers": {}, "send": true});
    assert_eq!(client.ask(register.clone()).await, receipt);
    let again = client.ask(register).await;
    assert_eq!(
        (&again["address"], &again["message"]),
        (&json!("r1"), &json!("address_already_registered"))
    );
    let nobody = json!({"type": "publish", "address": "nobody", "receipt": "r2"});
    let told = client.ask(nobody).await;
    assert_eq!((&told["address"], &told["failureType"]), (&json!("r2"), &json!("NO_HANDLERS")));
    client.send(json!({"type": "publish", "address": "a", "receipt": "r3", "body": 1})).await;
    assert_eq!(client.next().await["address"], "a");
    assert_eq!(client.next().await["address"], "r3");
}

#[tokio::test]
async fn the_end_of_a_connection_ends_its_registrations() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("news").await;
    drop(client);
    let gone = async {
        while bridge.bus.stats().registrations > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
}

#[tokio::test]
async fn any_stream_will_do() {
    let gateway = TcpGateway::new(
        Bus::new(),
        open_policy(),
        None,
        trolleybus::access::limits::Limits::none(),
        TcpOptions::default(),
    )
    .unwrap();
    let (near, far) = tokio::net::UnixStream::pair().unwrap();
    let peer = "127.0.0.1:1".parse().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let stopping = stop.clone();
    let served = tokio::spawn(async move { gateway.serve_stream(near, peer, stopping).await });
    let mut client = Client { stream: far };
    client.settle().await;
    stop.cancel();
    let mut rest = Vec::new();
    soon(client.stream.read_to_end(&mut rest)).await.unwrap();
    drop(client);
    soon(served).await.unwrap();
}
