//! `register`.

use serde_json::json;
use trolleybus::EventBus as _;
use trolleybus::bridge::BridgeOptions;

use crate::client::{Server, open};

#[tokio::test]
async fn the_same_address_cannot_be_registered_twice_on_one_socket() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("a").await;
    client.send(json!({"type": "register", "address": "a"})).await;
    assert_eq!(client.refusal().await, "address_already_registered");
    server.bus.publish("a", &1).unwrap();
    assert_eq!(client.receive().await["body"], 1);
    client.settle().await;
}

#[tokio::test]
async fn addresses_have_a_longest_length_that_only_register_minds() {
    let server = Server::start(BridgeOptions { max_address_length: 5, ..open() }).await;
    let mut client = server.client().await;
    client.register("12345").await;
    client.send(json!({"type": "register", "address": "123456"})).await;
    assert_eq!(client.refusal().await, "max_address_length_reached");
    client.send(json!({"type": "publish", "address": "123456"})).await;
    client.settle().await;
}

#[tokio::test]
async fn any_text_is_an_address() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for address in ["", " ", "news.*", "a/b#c", "ä😀\u{2028}\"\\", "__proto__"] {
        client.register(address).await;
        server.bus.publish(address, &1).unwrap();
        assert_eq!(client.receive().await["address"], address);
    }
}

#[tokio::test]
async fn a_socket_that_goes_leaves_nothing_on_the_bus() {
    let server = Server::open().await;
    let mut witness = server.client().await;
    witness.register("gone").await;
    for _ in 0..50 {
        let mut client = server.client().await;
        for address in ["a", "b", "c"] {
            client.register(address).await;
        }
        client.send(json!({"type": "send", "address": "gone", "replyAddress": "r"})).await;
        assert!(witness.receive().await["replyAddress"].is_string());
        drop(client);
    }
    // Each socket is let go by a task of its own; the count is right when the last has run.
    let gone = async {
        while server.bus.stats().registrations > 1 {
            tokio::task::yield_now().await;
        }
    };
    crate::support::soon(gone).await;
}
