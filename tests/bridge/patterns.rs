//! Registrations of patterns.

use serde_json::{Value, json};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus::{BusMessage as _, DeliveryOptions, EventBus as _, Headers};

use crate::client::{Client, Server};
use crate::support::websocket::Client as RawClient;

async fn register(client: &mut Client, pattern: &str) -> Value {
    let envelope =
        json!({"type": "register", "address": pattern, "pattern": true, "receipt": "done"});
    client.send(envelope).await;
    client.receive().await
}

fn registered() -> Value {
    json!({"type": "rec", "address": "done", "body": null})
}

#[tokio::test]
async fn messages_come_under_their_own_address_and_name_the_pattern() {
    let server = Server::open().await;
    let mut client = server.client().await;
    assert_eq!(register(&mut client, "news.*.sport").await, registered());
    server.bus.publish("news.sport", &0).unwrap();
    server.bus.publish("news.eu.sport", &1).unwrap();
    let expected =
        json!({"type": "rec", "address": "news.eu.sport", "body": 1, "pattern": "news.*.sport"});
    assert_eq!(client.receive().await, expected);
    assert_eq!(register(&mut client, "news/#").await, registered());
    server.bus.publish("news/eu", &2).unwrap();
    assert_eq!(client.receive().await["pattern"], "news/#");
}

#[tokio::test]
async fn a_long_message_says_the_same_through_address_and_patterns() {
    let server = Server::open().await;
    let mut client = server.client().await;
    let mut raw = RawClient::open(server.addr, "/eventbus/websocket").await;
    let body = json!({"text": "\"é\\\n".repeat(2000), "n": [1.0, 1]});
    let mut headers = Headers::new();
    headers.append("a", "b\"").unwrap();
    for (address, is_pattern) in [("a.b", false), ("a.*", true), ("#.b", true)] {
        let envelope = json!({"type": "register", "address": address, "pattern": is_pattern});
        client.send(envelope.clone()).await;
        raw.send(&envelope.to_string()).await;
    }
    client.settle().await;
    raw.send(&json!({"type": "settle", "address": ""}).to_string()).await;
    raw.frame().await.unwrap();
    let options = DeliveryOptions { headers, ..DeliveryOptions::default() };
    server.bus.publish_with("a.b", &body, options).unwrap();
    for pattern in [None, Some("a.*"), Some("#.b")] {
        let mut expected =
            json!({"type": "rec", "address": "a.b", "body": body, "headers": {"a": "b\""}});
        if let Some(pattern) = pattern {
            expected["pattern"] = pattern.into();
        }
        assert_eq!(client.receive().await, expected);
        let heard: Value = serde_json::from_slice(raw.frame().await.unwrap().payload()).unwrap();
        assert_eq!(heard, expected);
    }
}

#[tokio::test]
async fn an_address_is_no_pattern_unless_the_client_says_so() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("a.*").await;
    server.bus.publish("a.b", &0).unwrap();
    server.bus.publish("a.*", &1).unwrap();
    assert_eq!(client.receive().await, json!({"type": "rec", "address": "a.*", "body": 1}));
    // The pattern of the same text is another registration.
    assert_eq!(register(&mut client, "a.*").await, registered());
    assert_eq!(register(&mut client, "a.*").await["body"], "address_already_registered");
    client.send(json!({"type": "unregister", "address": "a.*"})).await;
    client.settle().await;
    server.bus.publish("a.b", &2).unwrap();
    assert_eq!(client.receive().await["pattern"], "a.*");
    client.send(json!({"type": "unregister", "address": "a.*", "pattern": true})).await;
    client.settle().await;
    server.bus.publish("a.b", &3).unwrap();
    client.settle().await;
}

#[tokio::test]
async fn each_message_is_judged_by_its_own_address() {
    let options = BridgeOptions::new()
        .permit_outbound(Permitted::address("news.eu"))
        .permit_outbound(Permitted::pattern("prices.>"));
    let server = Server::start(options).await;
    let mut client = server.client().await;
    assert_eq!(register(&mut client, "news.*").await, registered());
    assert_eq!(register(&mut client, "*.*").await, registered());
    assert_eq!(register(&mut client, "users.*").await["body"], "access_denied");
    for address in ["news.us", "news.eu", "users.ada", "prices.tea"] {
        server.bus.publish(address, address).unwrap();
    }
    let mut got = Vec::new();
    for _ in 0..3 {
        let envelope = client.receive().await;
        got.push((envelope["body"].clone(), envelope["pattern"].clone()));
    }
    client.settle().await;
    got.sort_by_key(|(body, pattern)| (body.to_string(), pattern.to_string()));
    let expected = [("news.eu", "*.*"), ("news.eu", "news.*"), ("prices.tea", "*.*")];
    assert_eq!(got, expected.map(|(body, pattern)| (json!(body), json!(pattern))));
}

#[tokio::test]
async fn what_is_no_pattern_is_refused() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for text in ["a*", "a.>.b", "a/#/b"] {
        assert_eq!(register(&mut client, text).await["body"], "invalid_pattern", "{text}");
    }
    client.send(json!({"type": "unregister", "address": "a*", "pattern": true})).await;
    assert_eq!(client.refusal().await, "invalid_pattern");
}

#[tokio::test]
async fn requests_to_a_pattern_are_answered_like_any() {
    let server = Server::open().await;
    let mut client = server.client().await;
    register(&mut client, "ask.*").await;
    let response = server.bus.request("ask.me", "question");
    let request = client.receive().await;
    assert_eq!((&request["address"], &request["pattern"]), (&json!("ask.me"), &json!("ask.*")));
    client.send(json!({"type": "send", "address": request["replyAddress"], "body": 1})).await;
    assert_eq!(response.await.unwrap().body().as_json(), "1");
}

#[tokio::test]
async fn a_socket_that_goes_takes_its_patterns_along() {
    let server = Server::open().await;
    let mut client = server.client().await;
    register(&mut client, "a.*").await;
    assert_eq!(server.bus.stats().registrations, 1);
    drop(client);
    server.bridge.drain(trolleybus::sockjs::Close::DRAINING).await;
    assert_eq!(server.bus.stats().registrations, 0);
}

#[tokio::test]
async fn an_overflow_policy_has_to_be_known_and_allowed() {
    let options = BridgeOptions { allowed_overflow: Vec::new(), ..crate::client::open() };
    let server = Server::start(options).await;
    let mut client = server.client().await;
    for (word, refusal) in [
        ("close", None),
        ("latest", Some("overflow_not_allowed")),
        ("drop_oldest", Some("overflow_not_allowed")),
        ("nonsense", Some("overflow_not_allowed")),
    ] {
        let register =
            json!({"type": "register", "address": word, "overflow": word, "receipt": "r"});
        client.send(register).await;
        assert_eq!(client.receive().await["body"].as_str(), refusal, "{word}");
    }
}
