//! Limits that connections share, and what a client over them is told.

use std::time::Instant;

use serde_json::json;
use trolleybus::bridge::LimitsConfig;
use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::{Server, open};
use crate::support::websocket::Client as WebSocket;

async fn limited(set: impl FnOnce(&mut LimitsConfig)) -> Server {
    let mut config = LimitsConfig::none();
    set(&mut config);
    Server::limited(open(), &config).await
}

#[tokio::test]
async fn sockets_of_one_address_are_bounded_and_the_next_is_told() {
    let server = limited(|config| config.ip.connections = 1).await;
    let first = server.client().await;
    let mut second = WebSocket::open(server.addr, "/eventbus/000/session/websocket").await;
    assert_eq!(second.text().await, "o");
    assert_eq!(second.text().await, r#"c[3006,"Too many connections"]"#);
    drop(first);
    let again = async {
        loop {
            let mut third = WebSocket::open(server.addr, "/eventbus/000/session/websocket").await;
            assert_eq!(third.text().await, "o");
            third.send(r#"["{\"type\":\"settle\",\"address\":\"\"}"]"#).await;
            if third.text().await.starts_with('a') {
                break;
            }
        }
    };
    crate::support::soon(again).await;
}

#[tokio::test]
async fn what_is_over_the_rate_of_an_address_is_refused_with_a_code_that_allows_a_retry() {
    let server = limited(|config| {
        // Enough for two of the envelopes below, and for the third in a minute.
        config.ip.bytes_per_second = 1;
        config.ip.byte_burst = 120;
    })
    .await;
    let mut consumer = server.bus.consumer("a");
    let mut client = server.client().await;
    for number in 0..4 {
        let reply = format!("r{number}");
        let ask = json!({"type": "send", "address": "a", "body": number, "replyAddress": reply});
        client.send(ask).await;
    }
    for number in ["r2", "r3"] {
        let refused = client.receive().await;
        assert_eq!(refused["address"], number);
        assert_eq!(
            (&refused["failureCode"], &refused["body"]),
            (&json!(122), &json!("rate_limited"))
        );
    }
    for number in 0..2 {
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), number.to_string());
    }
}

#[tokio::test]
async fn who_goes_on_regardless_is_closed() {
    let server = limited(|config| {
        config.max_refusals = 20;
        config.ip.messages_per_second = 1;
        config.ip.message_burst = 1;
    })
    .await;
    let mut client = server.client().await;
    // Refusals are forgiven by and by, two a second.
    for _ in 0..60 {
        client.send(json!({"type": "publish", "address": "a", "body": 1})).await;
    }
    let (mut refused, mut last) = (0, client.socket.text().await);
    while last.contains("rate_limited") {
        refused += 1;
        last = client.socket.text().await;
    }
    assert_eq!(last, r#"c[3005,"Rate limit exceeded"]"#);
    assert!(refused >= 20, "{refused}");
}

#[tokio::test]
async fn a_connection_over_its_own_rate_is_read_slowly_and_loses_nothing() {
    let server = limited(|config| {
        config.connection.messages_per_second = 100;
        config.connection.message_burst = 10;
    })
    .await;
    let mut consumer = server.bus.consumer("a");
    let mut client = server.client().await;
    let begin = Instant::now();
    for number in 0..60 {
        client.send(json!({"type": "publish", "address": "a", "body": number})).await;
    }
    for number in 0..60 {
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), number.to_string());
    }
    // 50 beyond the burst, at 100 a second; the last but one has to be paid before the last.
    assert!(begin.elapsed().as_millis() >= 480, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn registrations_on_one_address_are_bounded_for_all_together() {
    let server = limited(|config| config.address.registrations = 1).await;
    let (mut first, mut second) = (server.client().await, server.client().await);
    first.register("a").await;
    second.send(json!({"type": "register", "address": "a"})).await;
    assert_eq!(second.refusal().await, "too_many_registrations");
    second.register("b").await;
    first.send(json!({"type": "unregister", "address": "a"})).await;
    first.settle().await;
    second.register("a").await;
}
