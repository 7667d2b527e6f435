//! `send` with and without a reply address.

use std::time::Duration;

use serde_json::json;
use trolleybus::bridge::BridgeOptions;
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Server, open};

#[tokio::test]
async fn a_send_reaches_one_consumer_each_in_turn() {
    let server = Server::open().await;
    let (mut first, mut second) = (server.client().await, server.client().await);
    first.register("work").await;
    second.register("work").await;
    for number in 0..10 {
        first.send(json!({"type": "send", "address": "work", "body": number})).await;
    }
    for number in 0..5 {
        assert_eq!(first.receive().await["body"], 2 * number);
        assert_eq!(second.receive().await["body"], 2 * number + 1);
    }
}

#[tokio::test]
async fn a_send_to_nobody_is_silent_and_a_request_fails_at_once() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "nobody", "body": 1})).await;
    client.send(json!({"type": "send", "address": "nobody", "replyAddress": "r"})).await;
    let expected = json!({
        "type": "err", "address": "r", "failureCode": -1, "failureType": "NO_HANDLERS",
        "message": "No handlers for address nobody",
    });
    assert_eq!(client.receive().await, expected);
}

#[tokio::test]
async fn a_reply_comes_to_the_reply_address_with_its_headers() {
    let server = Server::open().await;
    server.bus.consumer_fn("ask", |message| async move {
        let options = trolleybus::DeliveryOptions::new().header("k", "v").unwrap();
        message.reply_with(message.body().clone(), options).unwrap();
    });
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "ask", "body": 5, "replyAddress": "r"})).await;
    let expected = json!({"type": "rec", "address": "r", "body": 5, "headers": {"k": "v"}});
    assert_eq!(client.receive().await, expected);
}

#[tokio::test]
async fn a_failure_comes_with_the_recipients_code_and_text() {
    let server = Server::open().await;
    server.bus.consumer_fn("ask", |message| async move {
        message.fail(42, "no tea left").unwrap();
    });
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "ask", "replyAddress": "r"})).await;
    let expected = json!({
        "type": "err", "address": "r", "failureCode": 42, "failureType": "RECIPIENT_FAILURE",
        "message": "no tea left",
    });
    assert_eq!(client.receive().await, expected);
}

fn quick() -> BridgeOptions {
    BridgeOptions { reply_timeout: Duration::from_millis(100), ..open() }
}

#[tokio::test]
async fn a_request_that_nobody_answers_times_out() {
    let server = Server::start(quick()).await;
    let mut consumer = server.bus.consumer("ask");
    let mut client = server.client().await;
    client.send(json!({"type": "send", "address": "ask", "replyAddress": "r"})).await;
    let kept = consumer.recv().await.unwrap();
    let error = client.receive().await;
    assert_eq!((&error["failureType"], &error["failureCode"]), (&json!("TIMEOUT"), &json!(-1)));
    assert_eq!(
        error["message"],
        "Timed out after waiting 100(ms) for a reply. address: r, repliedAddress: ask"
    );
    kept.reply("late").unwrap();
    client.settle().await;
}

#[tokio::test]
async fn a_client_may_shorten_the_timeout_but_not_lengthen_it() {
    let server = Server::start(quick()).await;
    let mut consumer = server.bus.consumer("ask");
    let mut client = server.client().await;
    for (asked, used) in [(20, "20(ms)"), (60_000, "100(ms)")] {
        let envelope =
            json!({"type": "send", "address": "ask", "replyAddress": "r", "timeout": asked});
        client.send(envelope).await;
        let _kept = consumer.recv().await.unwrap();
        let error = client.receive().await;
        assert!(error["message"].as_str().unwrap().contains(used), "{error}");
    }
}

#[tokio::test]
async fn a_request_whose_recipient_leaves_fails_at_once() {
    let server = Server::open().await;
    let (mut asking, mut serving) = (server.client().await, server.client().await);
    serving.register("ask").await;
    asking.send(json!({"type": "send", "address": "ask", "replyAddress": "r"})).await;
    assert!(serving.receive().await["replyAddress"].is_string());
    drop(serving);
    let error = asking.receive().await;
    assert_eq!(error["failureType"], "TIMEOUT");
    assert!(error["message"].as_str().unwrap().starts_with("Discarded the request."), "{error}");
}
