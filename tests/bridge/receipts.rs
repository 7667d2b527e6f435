//! Receipts: hearing what became of an envelope.

use serde_json::{Value, json};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Server, open};

fn received() -> Value {
    json!({"type": "rec", "address": "r", "body": null})
}

#[tokio::test]
async fn what_is_carried_out_is_acknowledged_under_its_label() {
    let server = Server::open().await;
    let mut consumer = server.bus.consumer("a");
    let mut client = server.client().await;
    for operation in ["register", "unregister", "unregister", "send", "publish"] {
        client.send(json!({"type": operation, "address": "a", "receipt": "r"})).await;
        assert_eq!(client.receive().await, received(), "{operation}");
    }
    assert!(consumer.recv().await.unwrap().body().is_null());
    client.settle().await;
}

#[tokio::test]
async fn a_registration_stands_when_its_receipt_comes() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.send(json!({"type": "register", "address": "a", "receipt": "r"})).await;
    assert_eq!(client.receive().await, received());
    server.bus.publish("a", &1).unwrap();
    assert_eq!(client.receive().await["body"], 1);
}

#[tokio::test]
async fn without_a_consumer_a_message_was_not_carried_out() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for operation in ["send", "publish"] {
        client.send(json!({"type": operation, "address": "nobody", "receipt": "r"})).await;
        let failed = json!({
            "type": "err", "address": "r", "failureCode": -1, "failureType": "NO_HANDLERS",
            "message": "No handlers for address nobody",
        });
        assert_eq!(client.receive().await, failed, "{operation}");
    }
}

#[tokio::test]
async fn refusals_come_under_the_label_as_well() {
    let options = BridgeOptions {
        max_address_length: 3,
        ..BridgeOptions::new().permit_outbound(Permitted::address("a"))
    };
    let server = Server::start(options).await;
    let mut client = server.client().await;
    client.register("a").await;
    for (operation, address, word) in [
        ("register", "a", "address_already_registered"),
        ("register", "b", "access_denied"),
        ("register", "long", "max_address_length_reached"),
        ("unregister", "b", "access_denied"),
        ("send", "a", "access_denied"),
        ("publish", "a", "access_denied"),
        ("nonsense", "a", "invalid_type"),
    ] {
        client.send(json!({"type": operation, "address": address, "receipt": "r"})).await;
        let refused = client.receive().await;
        assert_eq!((&refused["body"], &refused["address"]), (&json!(word), &json!("r")));
        assert_eq!(refused["failureType"], "ERROR");
    }
}

#[tokio::test]
async fn a_label_has_the_length_of_a_reply_address_at_most() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for (length, word) in [(36, None), (37, Some("invalid_reply_address"))] {
        let label = "x".repeat(length);
        client.send(json!({"type": "register", "address": "a", "receipt": label})).await;
        let answer = client.receive().await;
        assert_eq!(answer["body"].as_str(), word, "{length}");
        client.send(json!({"type": "unregister", "address": "a"})).await;
    }
}

#[tokio::test]
async fn a_request_has_its_reply_for_a_receipt() {
    let server = Server::open().await;
    server.bus.consumer_fn("ask", |message| async move {
        message.reply("answer").ok();
    });
    let mut client = server.client().await;
    let request = json!({"type": "send", "address": "ask", "replyAddress": "a", "receipt": "r"});
    client.send(request).await;
    assert_eq!(client.receive().await["address"], "a");
    client.settle().await;
}

#[tokio::test]
async fn answers_to_requests_are_acknowledged_too() {
    let server = Server::start(open()).await;
    let mut client = server.client().await;
    client.register("serve").await;
    let response = server.bus.request("serve", "question");
    let address = client.receive().await["replyAddress"].clone();
    client.send(json!({"type": "send", "address": address, "body": 1, "receipt": "r"})).await;
    assert_eq!(client.receive().await, received());
    assert_eq!(response.await.unwrap().body().as_json(), "1");
}
