//! `unregister`.

use serde_json::json;
use trolleybus::EventBus as _;
use trolleybus::bridge::{BridgeOptions, Permitted};

use crate::client::Server;

#[tokio::test]
async fn after_unregister_nothing_comes_and_the_address_can_be_registered_again() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("a").await;
    client.send(json!({"type": "unregister", "address": "a"})).await;
    client.settle().await;
    server.bus.publish("a", &1).unwrap();
    client.register("a").await;
    server.bus.publish("a", &2).unwrap();
    assert_eq!(client.receive().await["body"], 2);
}

#[tokio::test]
async fn unregistering_what_is_not_registered_is_silent_if_it_is_permitted() {
    let options = BridgeOptions::new().permit_outbound(Permitted::address("a"));
    let server = Server::start(options).await;
    let mut client = server.client().await;
    client.send(json!({"type": "unregister", "address": "a"})).await;
    client.settle().await;
    client.send(json!({"type": "unregister", "address": "b"})).await;
    assert_eq!(client.refusal().await, "access_denied");
}
