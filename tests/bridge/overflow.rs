//! Clients that do not keep up, and what each overflow policy makes of it.

use serde_json::{Value, json};
use trolleybus::bridge::{BridgeOptions, Overflow, OverflowBounds};
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Client, Server, open};
use crate::support::soon;

const BODY: usize = 10_000;

async fn register(client: &mut Client, address: &str, overflow: &str) {
    client.send(json!({"type": "register", "address": address, "overflow": overflow})).await;
    client.settle().await;
}

/// Publishes numbered messages, more than system and outbox hold, and gives the number of the last.
async fn flood(server: &Server, addresses: &[&str], until: impl Fn() -> bool) -> u64 {
    let filling = "x".repeat(BODY);
    let mut number = 0;
    let flooded = async {
        while !until() {
            for address in addresses {
                number += 1;
                server.bus.publish(*address, &json!({"number": number, "x": filling})).unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    soon(flooded).await;
    number
}

/// Reads until the message `last`: numbers, and how many were dropped before each.
async fn read_until(client: &mut Client, last: u64) -> Vec<(u64, u64)> {
    let mut read = Vec::new();
    loop {
        let Value::Array(texts) = frame(client).await else { panic!("no array") };
        for text in texts {
            let envelope: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            let number = envelope["body"]["number"].as_u64().unwrap();
            read.push((number, envelope["dropped"].as_u64().unwrap_or_default()));
            if number == last {
                return read;
            }
        }
    }
}

async fn frame(client: &mut Client) -> Value {
    loop {
        let text = client.socket.text().await;
        if let Some(array) = text.strip_prefix('a') {
            return serde_json::from_str(array).unwrap();
        }
    }
}

#[tokio::test]
async fn drop_oldest_keeps_the_socket_and_says_how_many_went() {
    let server = Server::open().await;
    let mut client = server.client().await;
    register(&mut client, "a", "drop_oldest").await;
    let dropped = || server.bridge.overflow_stats().dropped_oldest;
    let last = flood(&server, &["a"], || dropped() > 100).await;
    let read = read_until(&mut client, last).await;
    assert!(read.is_sorted());
    // Each message was read or counted as dropped, right before the next that was read.
    let mut expected = 1;
    for (number, dropped) in &read {
        assert_eq!(*number, expected + dropped);
        expected = number + 1;
    }
    let total: u64 = read.iter().map(|(_, dropped)| dropped).sum();
    assert_eq!(total, dropped());
    // Who keeps up again loses nothing more, and hears of nothing.
    server.bus.publish("a", &json!({"number": last + 1})).unwrap();
    assert_eq!(read_until(&mut client, last + 1).await, [(last + 1, 0)]);
}

#[tokio::test]
async fn latest_leaves_one_message() {
    let server = Server::open().await;
    let mut client = server.client().await;
    register(&mut client, "a", "latest").await;
    let replaced = || server.bridge.overflow_stats().replaced;
    let last = flood(&server, &["a"], || replaced() > 100).await;
    let read = read_until(&mut client, last).await;
    let (_, before) = read.split_last().unwrap();
    assert!(before.iter().all(|(_, dropped)| *dropped == 0));
    assert_eq!(read.last().unwrap().1, replaced());
}

#[tokio::test]
async fn close_is_the_default_and_closes() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("a").await;
    flood(&server, &["a"], || server.bus.stats().registrations == 0).await;
    assert_eq!(server.bridge.overflow_stats().closed, 1);
    client.socket.drained().await;
}

#[tokio::test]
async fn the_registrations_of_a_socket_lose_apart_from_each_other() {
    let bounds = OverflowBounds { messages: 4, ..OverflowBounds::default() };
    let server = Server::start(BridgeOptions { overflow: bounds, ..open() }).await;
    let mut client = server.client().await;
    register(&mut client, "flood", "drop_oldest").await;
    register(&mut client, "calm", "drop_oldest").await;
    flood(&server, &["flood"], || server.bridge.overflow_stats().dropped_oldest > 0).await;
    server.bus.publish("calm", &json!({"number": 0})).unwrap();
    let dropped = server.bridge.overflow_stats().dropped_oldest;
    flood(&server, &["flood"], || server.bridge.overflow_stats().dropped_oldest > dropped + 100)
        .await;
    let read = read_until(&mut client, 0).await;
    assert_eq!(read.last(), Some(&(0, 0)));
}

#[tokio::test]
async fn a_request_that_is_dropped_fails_at_once() {
    let server = Server::open().await;
    let mut client = server.client().await;
    register(&mut client, "a", "latest").await;
    flood(&server, &["a"], || server.bridge.overflow_stats().replaced > 0).await;
    let response = server.bus.request("a", "who is there?");
    flood(&server, &["a"], || server.bridge.overflow_stats().replaced > 3).await;
    let error = soon(response).await.unwrap_err();
    assert_eq!(error.kind(), trolleybus::ErrorKind::Timeout);
}

#[tokio::test]
async fn a_policy_that_is_not_allowed_is_refused() {
    let allowed = vec![Overflow::Latest];
    let server = Server::start(BridgeOptions { allowed_overflow: allowed, ..open() }).await;
    let mut client = server.client().await;
    let with = |overflow| json!({"type": "register", "address": overflow, "overflow": overflow});
    client.send(with("drop_oldest")).await;
    assert_eq!(client.refusal().await, "overflow_not_allowed");
    for allowed in ["latest", "close"] {
        client.send(with(allowed)).await;
        client.settle().await;
    }
    assert_eq!(server.bus.stats().registrations, 2);
}
