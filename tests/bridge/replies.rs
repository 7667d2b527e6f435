//! Requests that a socket receives and answers.

use std::time::Duration;

use serde_json::{Value, json};
use trolleybus::bridge::{BridgeOptions, Permitted};
use trolleybus::{BusMessage as _, DeliveryOptions, ErrorKind, EventBus as _};

use crate::client::{Client, Server};

/// Clients may receive on `serve` and send nothing.
fn receive_only() -> BridgeOptions {
    BridgeOptions::new().permit_outbound(Permitted::address("serve"))
}

async fn serving(server: &Server) -> Client {
    let mut client = server.client().await;
    client.register("serve").await;
    client
}

fn reply_address(envelope: &Value) -> &str {
    envelope["replyAddress"].as_str().unwrap_or_else(|| panic!("no reply address: {envelope}"))
}

#[tokio::test]
async fn who_was_asked_may_answer_once_whatever_the_rules_say() {
    let server = Server::start(receive_only()).await;
    let mut client = serving(&server).await;
    let response = server.bus.request("serve", "question");
    let request = client.receive().await;
    let answer = json!({"type": "send", "address": reply_address(&request), "body": "answer"});
    client.send(answer.clone()).await;
    assert_eq!(response.await.unwrap().body().as_json(), "\"answer\"");
    client.send(answer).await;
    assert_eq!(client.refusal().await, "access_denied");
}

#[tokio::test]
async fn nobody_else_may_answer() {
    let server = Server::start(receive_only()).await;
    let mut client = serving(&server).await;
    let mut thief = server.client().await;
    let response = server.bus.request("serve", "question");
    let request = client.receive().await;
    thief.send(json!({"type": "send", "address": reply_address(&request), "body": "lie"})).await;
    assert_eq!(thief.refusal().await, "access_denied");
    client.send(json!({"type": "send", "address": reply_address(&request), "body": 1})).await;
    assert_eq!(response.await.unwrap().body().as_json(), "1");
}

#[tokio::test]
async fn an_answer_may_be_a_request_and_so_on() {
    let server = Server::start(receive_only()).await;
    let mut client = serving(&server).await;
    let response = server.bus.request("serve", 1.to_string());
    let request = client.receive().await;
    let counter =
        json!({"type": "send", "address": reply_address(&request), "body": 2, "replyAddress": "r"});
    client.send(counter).await;
    let second = response.await.unwrap();
    assert_eq!(second.body().as_json(), "2");
    let third = second.reply_and_request(&3);
    let envelope = client.receive().await;
    assert_eq!((&envelope["address"], &envelope["body"]), (&json!("r"), &json!(3)));
    client.send(json!({"type": "send", "address": reply_address(&envelope), "body": 4})).await;
    assert_eq!(third.await.unwrap().body().as_json(), "4");
}

#[tokio::test]
async fn a_client_may_fail_a_request() {
    let server = Server::start(receive_only()).await;
    let mut client = serving(&server).await;
    let response = server.bus.request("serve", "question");
    let request = client.receive().await;
    let failure = json!({
        "type": "send", "address": reply_address(&request), "failureCode": 7, "message": "closed",
    });
    client.send(failure.clone()).await;
    let error = response.await.unwrap_err();
    let facts = (error.kind(), error.code(), error.message());
    assert_eq!(facts, (ErrorKind::RecipientFailure, 7, Some("closed")));
    client.send(failure).await;
    assert_eq!(client.refusal().await, "access_denied");
}

#[tokio::test]
async fn a_failure_never_becomes_a_message() {
    let server = Server::open().await;
    let mut consumer = server.bus.consumer("a");
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "a", "failureCode": 7, "message": "x"})).await;
    assert_eq!(client.refusal().await, "access_denied");
    client.send(json!({"type": "send", "address": "a", "body": "next"})).await;
    assert_eq!(consumer.recv().await.unwrap().body().as_json(), "\"next\"");
}

#[tokio::test]
async fn publishing_to_a_reply_address_is_no_answer() {
    let server = Server::start(receive_only()).await;
    let mut client = serving(&server).await;
    let response = server.bus.request("serve", "question");
    let request = client.receive().await;
    client.send(json!({"type": "publish", "address": reply_address(&request), "body": 1})).await;
    assert_eq!(client.refusal().await, "access_denied");
    client.send(json!({"type": "send", "address": reply_address(&request), "body": 2})).await;
    assert_eq!(response.await.unwrap().body().as_json(), "2");
}

#[tokio::test]
async fn a_late_answer_is_refused() {
    let options = BridgeOptions {
        reply_timeout: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(100),
        ..receive_only()
    };
    let server = Server::start(options).await;
    let mut client = serving(&server).await;
    let within = DeliveryOptions::new().timeout(Duration::from_millis(50));
    let error = server.bus.request_with("serve", "question", within).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let request = client.receive().await;
    client.send(json!({"type": "ping"})).await;
    // The socket forgets the request at its next look at the clock.
    let answer = json!({"type": "send", "address": reply_address(&request), "body": 1});
    client.send(answer).await;
    client.send(json!({"type": "send", "address": reply_address(&request), "body": 1})).await;
    assert_eq!(client.refusal().await, "access_denied");
}

#[tokio::test]
async fn clients_ask_each_other() {
    let server = Server::open().await;
    let (mut asking, mut client) = (server.client().await, serving(&server).await);
    asking.send(json!({"type": "send", "address": "serve", "body": 1, "replyAddress": "r"})).await;
    let request = client.receive().await;
    assert!(reply_address(&request).starts_with("__vertx.reply."));
    client.send(json!({"type": "send", "address": reply_address(&request), "body": 2})).await;
    assert_eq!(asking.receive().await, json!({"type": "rec", "address": "r", "body": 2}));
}

#[tokio::test]
async fn a_socket_with_too_much_to_answer_is_passed_over() {
    let options = BridgeOptions { max_awaited_replies: 1, ..receive_only() };
    let server = Server::start(options).await;
    let mut client = serving(&server).await;
    let first = server.bus.request("serve", "one");
    let error = server.bus.request("serve", "two").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHandlers);
    let request = client.receive().await;
    client.send(json!({"type": "send", "address": reply_address(&request), "body": 1})).await;
    assert!(first.await.is_ok());
}
