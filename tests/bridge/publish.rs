//! `publish`.

use serde_json::json;
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::Server;

#[tokio::test]
async fn a_publish_reaches_every_socket_and_every_consumer_in_order() {
    let server = Server::open().await;
    let mut consumer = server.bus.consumer("news");
    let (mut first, mut second) = (server.client().await, server.client().await);
    first.register("news").await;
    second.register("news").await;
    for number in 0..1000 {
        first.send(json!({"type": "publish", "address": "news", "body": number})).await;
    }
    for number in 0..1000 {
        assert_eq!(first.receive().await["body"], number);
        assert_eq!(second.receive().await["body"], number);
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), number.to_string());
    }
}

#[tokio::test]
async fn publishing_to_nobody_is_silent() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.send(json!({"type": "publish", "address": "nobody", "body": 1})).await;
    client.settle().await;
}

#[tokio::test]
async fn what_the_server_publishes_reaches_the_socket_without_a_reply_address() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("news").await;
    server.bus.publish("news", "goal").unwrap();
    assert_eq!(client.text().await, r#"{"type":"rec","address":"news","body":"goal"}"#);
}
