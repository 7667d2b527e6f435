//! Those who want more than the limits, and what it does to others: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Instant;

use serde_json::{Value, json};
use trolleybus::app::Config;
use trolleybus::bridge::LimitsConfig;

use crate::support::websocket::Client;
use crate::victim::{Victim, config, hear, say, settle};

const TOO_MANY: &str = r#"c[3006,"Too many connections"]"#;
const TOO_FAST: &str = r#"c[3005,"Rate limit exceeded"]"#;

/// The honest clients are behind the proxy's own address, and held to the same limits.
fn limited(set: impl FnOnce(&mut LimitsConfig)) -> Config {
    let mut config = config();
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.limits.exempt_networks.clear();
    set(&mut config.limits);
    config
}

fn publish(number: u64) -> Value {
    json!({"type": "publish", "address": "flood", "body": number})
}

/// Whether the server lets a client say anything.
async fn is_let_in(client: &mut Client) -> bool {
    say(client, &json!({"type": "settle", "address": ""})).await;
    let frame = client.text().await;
    assert!(frame == TOO_MANY || frame.contains("invalid_type"), "{frame}");
    frame != TOO_MANY
}

#[tokio::test]
async fn a_flood_passes_no_faster_than_the_rate_and_ends_with_its_sender() {
    let mut victim = Victim::with(limited(|limits| {
        limits.max_refusals = 50;
        limits.ip.messages_per_second = 100;
        limits.ip.message_burst = 100;
    }))
    .await;
    let passed = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&passed);
    victim.bus.consumer_fn("flood", move |_| {
        counter.fetch_add(1, SeqCst);
        async {}
    });
    let begin = Instant::now();
    let mut attacker = victim.attacker_from("192.0.2.66").await;
    for number in 0..2000 {
        let frame = yawc::Frame::text(json!([publish(number).to_string()]).to_string());
        if attacker.try_send_frame(frame).await.is_none() {
            break;
        }
    }
    victim.serves().await;
    let (mut refused, mut frame) = (0, attacker.text().await);
    while frame.contains("rate_limited") {
        refused += 1;
        frame = attacker.text().await;
    }
    assert_eq!(frame, TOO_FAST);
    assert!(refused >= 50, "{refused}");
    let most = 101 + u64::try_from(begin.elapsed().as_millis()).unwrap() / 10;
    assert!(passed.load(SeqCst) <= most, "{passed:?} of {most}");
    victim.serves().await;
}

#[tokio::test]
async fn who_writes_another_address_in_front_is_counted_all_the_same() {
    let mut victim = Victim::with(limited(|limits| limits.ip.connections = 3)).await;
    let mut let_in = 0;
    let mut sockets = Vec::new();
    for number in 0..6 {
        let mut socket = victim.attacker_from(&format!("198.51.100.{number}, 192.0.2.66")).await;
        let_in += usize::from(is_let_in(&mut socket).await);
        sockets.push(socket);
    }
    assert_eq!(let_in, 3);
    victim.serves().await;
}

#[tokio::test]
async fn all_addresses_of_one_ipv6_network_are_one_client() {
    let mut victim = Victim::with(limited(|limits| limits.ip.connections = 3)).await;
    let mut sockets = Vec::new();
    for number in 0..6 {
        let mut socket = victim.attacker_from(&format!("2001:db8:0:1::{number:x}")).await;
        assert_eq!(is_let_in(&mut socket).await, number < 3, "{number}");
        sockets.push(socket);
    }
    let mut neighbour = victim.attacker_from("2001:db8:0:2::1").await;
    assert!(is_let_in(&mut neighbour).await);
    victim.serves().await;
}

#[tokio::test]
async fn registrations_of_one_network_are_bounded_and_free_again_when_it_leaves() {
    let mut victim = Victim::with(limited(|limits| limits.ip.registrations = 30)).await;
    let (mut sockets, mut refused) = (Vec::new(), 0);
    for socket in 0..4 {
        let mut attacker = victim.attacker_from("192.0.2.66").await;
        for number in 0..20 {
            let address = format!("{socket}.{number}");
            say(&mut attacker, &json!({"type": "register", "address": address})).await;
        }
        for envelope in settle(&mut attacker).await {
            assert_eq!(envelope["failureCode"], 123, "{envelope}");
            refused += 1;
        }
        sockets.push(attacker);
    }
    assert_eq!(refused, 50);
    // One for the honest subscriber.
    assert_eq!(victim.bus.stats().registrations, 31);
    drop(sockets);
    victim.is_left_alone().await;
    let mut later = victim.attacker_from("192.0.2.66").await;
    say(&mut later, &json!({"type": "register", "address": "again"})).await;
    assert!(settle(&mut later).await.is_empty());
    victim.serves().await;
}

#[tokio::test]
async fn an_address_that_is_flooded_by_many_is_slow_and_others_are_not() {
    let mut victim = Victim::with(limited(|limits| {
        limits.address.messages_per_second = 50;
        limits.address.message_burst = 50;
    }))
    .await;
    let mut refused = 0;
    for client in 1..10 {
        let mut attacker = victim.attacker_from(&format!("192.0.2.{client}")).await;
        for number in 0..20 {
            say(&mut attacker, &publish(number)).await;
        }
        let heard = settle(&mut attacker).await;
        assert!(heard.iter().all(|envelope| envelope["body"] == "rate_limited"), "{heard:?}");
        refused += heard.len();
    }
    assert!(refused > 0, "180 messages passed at 50 a second");
    victim.serves().await;
}

#[tokio::test]
async fn one_that_is_read_slowly_keeps_nobody_waiting() {
    let mut victim = Victim::with(limited(|limits| {
        limits.connection.messages_per_second = 200;
        limits.connection.message_burst = 20;
    }))
    .await;
    let mut attacker = victim.attacker_from("192.0.2.66").await;
    say(&mut attacker, &json!({"type": "register", "address": "flood"})).await;
    for number in 0..100 {
        say(&mut attacker, &publish(number)).await;
    }
    victim.serves().await;
    let mut next = 0;
    while next < 100 {
        for envelope in hear(&mut attacker).await {
            assert_eq!(envelope["body"], next, "{envelope}");
            next += 1;
        }
    }
}
