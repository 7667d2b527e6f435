//! Limits on what one socket holds.

use serde_json::json;
use trolleybus::bridge::BridgeOptions;
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Server, open};

#[tokio::test]
async fn registrations_are_bounded_and_those_that_stand_go_on() {
    let server = Server::start(BridgeOptions { max_handlers_per_socket: 10, ..open() }).await;
    let mut client = server.client().await;
    for number in 0..10 {
        client.register(&number.to_string()).await;
    }
    client.send(json!({"type": "register", "address": "10"})).await;
    assert_eq!(client.refusal().await, "max_handlers_reached");
    for number in 0..10 {
        server.bus.publish(number.to_string(), &number).unwrap();
        assert_eq!(client.receive().await["body"], number);
    }
    client.send(json!({"type": "unregister", "address": "0"})).await;
    client.register("10").await;
}

#[tokio::test]
async fn requests_under_way_count_until_they_are_answered() {
    let server = Server::start(BridgeOptions { max_handlers_per_socket: 2, ..open() }).await;
    let mut consumer = server.bus.consumer("ask");
    let mut client = server.client().await;
    client.register("a").await;
    let request = json!({"type": "send", "address": "ask", "body": 1, "replyAddress": "r"});
    client.send(request.clone()).await;
    client.send(request.clone()).await;
    let refused = client.receive().await;
    assert_eq!(
        (&refused["body"], &refused["address"]),
        (&json!("max_handlers_reached"), &json!("r"))
    );
    consumer.recv().await.unwrap().reply("answer").unwrap();
    assert_eq!(client.receive().await["body"], "answer");
    client.send(request).await;
    consumer.recv().await.unwrap().reply("again").unwrap();
    assert_eq!(client.receive().await["body"], "again");
}
