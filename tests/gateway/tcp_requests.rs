//! Requests and replies over TCP, in both directions.

use serde_json::json;
use trolleybus::gateway::TcpOptions;
use trolleybus::{BusMessage as _, ErrorKind, EventBus as _};
use trolleybus_tests::support::soon;

use super::client::{Bridge, open_policy};

#[tokio::test]
async fn a_request_is_answered_on_its_reply_address() {
    let bridge = Bridge::open().await;
    bridge.bus.consumer_fn("echo", |message| async move {
        message.reply(message.body().clone()).unwrap();
    });
    let mut client = bridge.client().await;
    let request = json!({"type": "send", "address": "echo", "replyAddress": "r", "body": {"x": 1}});
    assert_eq!(
        client.ask(request).await,
        json!({"type": "message", "address": "r", "headers": {}, "body": {"x": 1}, "send": true})
    );
}

#[tokio::test]
async fn a_failure_carries_code_and_message_of_the_recipient() {
    let bridge = Bridge::open().await;
    bridge.bus.consumer_fn("shop", |message| async move {
        message.fail(1234, "ooops!").unwrap();
    });
    let mut client = bridge.client().await;
    let request = json!({"type": "send", "address": "shop", "replyAddress": "r", "body": 1});
    assert_eq!(
        client.ask(request).await,
        json!({
            "type": "err", "address": "r", "sourceAddress": "shop", "failureCode": 1234,
            "failureType": "RECIPIENT_FAILURE", "message": "ooops!"
        })
    );
}

#[tokio::test]
async fn the_timeout_header_bounds_a_request_and_is_not_passed_on() {
    let bridge = Bridge::open().await;
    let mut consumer = bridge.bus.consumer("slow");
    let mut client = bridge.client().await;
    let headers = json!({"timeout": 100, "localOnly": true, "codecName": "x", "k": "v"});
    let request =
        json!({"type": "send", "address": "slow", "replyAddress": "r", "headers": headers});
    client.send(request).await;
    let held = soon(consumer.recv()).await.unwrap();
    assert_eq!(held.headers().iter().collect::<Vec<_>>(), [("k", "v")]);
    let failed = client.next().await;
    assert_eq!((&failed["address"], &failed["sourceAddress"]), (&json!("r"), &json!("slow")));
    assert_eq!((&failed["failureType"], &failed["failureCode"]), (&json!("TIMEOUT"), &json!(-1)));
    let bad =
        json!({"type": "send", "address": "slow", "replyAddress": "r", "headers": {"timeout": -1}});
    let refused = client.ask(bad).await;
    assert_eq!(
        (&refused["address"], &refused["message"]),
        (&json!("r"), &json!("invalid_timeout"))
    );
}

#[tokio::test]
async fn the_servers_reply_timeout_is_the_upper_bound() {
    let options = TcpOptions { reply_timeout_ms: 50, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let _consumer = bridge.bus.consumer("slow");
    let mut client = bridge.client().await;
    let headers = json!({"timeout": 3_600_000});
    let request =
        json!({"type": "send", "address": "slow", "replyAddress": "r", "headers": headers});
    assert_eq!(client.ask(request).await["failureType"], "TIMEOUT");
}

#[tokio::test]
async fn a_client_replies_and_the_reply_can_be_replied_to() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("svc").await;
    for body in [json!({"n": 1}), json!("text")] {
        let response = bridge.bus.request("svc", "question");
        let asked = client.next().await;
        assert_eq!((&asked["body"], &asked["send"]), (&json!("question"), &json!(true)));
        client
            .send(json!({"type": "send", "address": asked["replyAddress"], "replyAddress": "r", "body": body}))
            .await;
        let reply = soon(response).await.unwrap();
        assert_eq!(reply.body().as_json(), body.to_string());
        reply.reply("thanks").unwrap();
        let thanks = client.next().await;
        assert_eq!((&thanks["address"], &thanks["body"]), (&json!("r"), &json!("thanks")));
    }
}

#[tokio::test]
async fn a_client_fails_a_request() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("svc").await;
    let response = bridge.bus.request("svc", "question");
    let asked = client.next().await;
    let failure = json!({"type": "send", "address": asked["replyAddress"], "failureCode": 1234, "message": "ooops!"});
    client.send(failure.clone()).await;
    let error = soon(response).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecipientFailure);
    assert_eq!((error.code(), error.message()), (1234, Some("ooops!")));
    client.send(failure).await;
    assert_eq!(client.refusal().await, "access_denied");
}

#[tokio::test]
async fn only_the_connection_that_was_asked_can_answer() {
    let bridge = Bridge::open().await;
    let (mut asked, mut other) = (bridge.client().await, bridge.client().await);
    asked.register("svc").await;
    let response = bridge.bus.request("svc", "question");
    let question = asked.next().await;
    let forged = json!({"type": "send", "address": question["replyAddress"], "body": "forged", "receipt": "f"});
    assert_eq!(other.ask(forged).await["failureType"], "NO_HANDLERS");
    let honest = json!({"type": "send", "address": question["replyAddress"], "body": "honest"});
    asked.send(honest).await;
    assert_eq!(soon(response).await.unwrap().body().as_json(), "\"honest\"");
}

#[tokio::test]
async fn a_reply_address_that_is_an_address_of_the_bus_leaks_nothing_there() {
    let bridge = Bridge::open().await;
    bridge.bus.consumer_fn("echo", |message| async move {
        message.reply(message.body().clone()).unwrap();
    });
    let mut bystander = bridge.client().await;
    bystander.register("bystander").await;
    let mut client = bridge.client().await;
    let request =
        json!({"type": "send", "address": "echo", "replyAddress": "bystander", "body": "secret"});
    assert_eq!(client.ask(request).await["body"], "secret");
    bystander.settle().await;
}

#[tokio::test]
async fn requests_to_a_connection_that_ends_fail_at_once() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    client.register("svc").await;
    let response = bridge.bus.request("svc", "question");
    client.next().await;
    drop(client);
    assert_eq!(soon(response).await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_request_that_is_not_answered_is_forgotten() {
    let options =
        TcpOptions { reply_timeout_ms: 50, max_awaited_replies: 1, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    let mut client = bridge.client().await;
    client.register("svc").await;
    let first = bridge.bus.request("svc", 1.to_string());
    client.next().await;
    assert_eq!(soon(first).await.unwrap_err().kind(), ErrorKind::Timeout);
    // Its place is free again: the next request arrives.
    let _second = bridge.bus.request("svc", 2.to_string());
    assert_eq!(client.next().await["body"], "2");
}
