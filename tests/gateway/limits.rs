//! The limits on clients, at the gateways.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use trolleybus::access::limits::LimitsConfig;
use trolleybus::gateway::{HttpOptions, TcpOptions};
use trolleybus::{BusMessage as _, EventBus as _};
use trolleybus_tests::support::http::{Connection, get, stream};
use trolleybus_tests::support::soon;

use super::client::{Bridge, Client, open_policy};
use super::http::Server;
use super::tokens::believing;

fn limits(set: impl FnOnce(&mut LimitsConfig)) -> LimitsConfig {
    let mut config = LimitsConfig::none();
    set(&mut config);
    config
}

async fn tcp(set: impl FnOnce(&mut LimitsConfig)) -> Bridge {
    let (options, known) = (TcpOptions::default(), Some(believing(false)));
    Bridge::limited(open_policy(), options, known, &limits(set)).await
}

async fn http(set: impl FnOnce(&mut LimitsConfig)) -> Server {
    let (options, known) = (HttpOptions::default(), Some(believing(false)));
    Server::limited(open_policy(), options, known, &limits(set)).await
}

fn publish(number: usize) -> Value {
    json!({"type": "publish", "address": "a", "body": number})
}

async fn log_in(client: &mut Client<TcpStream>, name: &str) -> Value {
    client.ask(json!({"type": "authenticate", "body": name, "receipt": "r"})).await
}

#[tokio::test]
async fn over_tcp_connections_of_one_address_are_bounded() {
    for set in [
        |config: &mut LimitsConfig| config.ip.connections = 1,
        |config: &mut LimitsConfig| {
            config.ip.tcp_connections = 1;
        },
    ] {
        let bridge = tcp(set).await;
        let mut first = bridge.client().await;
        first.settle().await;
        bridge.client().await.ended().await;
        first.settle().await;
    }
}

#[tokio::test]
async fn over_tcp_a_shared_rate_refuses_and_who_goes_on_is_closed() {
    let bridge = tcp(|config| {
        config.max_refusals = 10;
        // Enough for two of the envelopes below, and for the third in a minute.
        config.ip.bytes_per_second = 1;
        config.ip.byte_burst = 90;
    })
    .await;
    let mut consumer = bridge.bus.consumer("a");
    let mut client = bridge.client().await;
    let ask = json!({"type": "publish", "address": "a", "body": 3, "receipt": "told"});
    for number in 0..2 {
        client.send(publish(number)).await;
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
    let refused = client.ask(ask).await;
    assert_eq!(
        (&refused["message"], &refused["address"]),
        (&json!("rate_limited"), &json!("told"))
    );
    assert_eq!(refused["failureCode"], 122);
    for number in 0..60 {
        let frame = super::client::frame(&publish(number).to_string());
        // The end may come while it still writes.
        if tokio::io::AsyncWriteExt::write_all(&mut client.stream, &frame).await.is_err() {
            break;
        }
    }
    let mut rest = Vec::new();
    soon(tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut rest)).await.ok();
    assert!(String::from_utf8_lossy(&rest).contains("rate_limited"));
}

#[tokio::test]
async fn over_tcp_a_connection_over_its_own_rate_is_read_slowly_and_loses_nothing() {
    let bridge = tcp(|config| {
        config.connection.messages_per_second = 100;
        config.connection.message_burst = 10;
    })
    .await;
    let mut consumer = bridge.bus.consumer("a");
    let mut client = bridge.client().await;
    let begin = Instant::now();
    for number in 0..40 {
        client.send(publish(number)).await;
    }
    for number in 0..40 {
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
    // 30 beyond the burst, at 100 a second; the last but one has to be paid before the last.
    assert!(begin.elapsed().as_millis() >= 280, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn over_tcp_a_user_is_one_on_all_connections() {
    let bridge = tcp(|config| {
        config.user.connections = 2;
        // Enough for two of the envelopes below and a token, and for the third in a minute.
        config.user.bytes_per_second = 1;
        config.user.byte_burst = 150;
    })
    .await;
    let (mut first, mut second) = (bridge.client().await, bridge.client().await);
    for client in [&mut first, &mut second] {
        assert_eq!(log_in(client, "ada").await["type"], "message");
    }
    // The same user again takes no further place.
    assert_eq!(log_in(&mut first, "ada").await["type"], "message");
    let mut third = bridge.client().await;
    assert_eq!(log_in(&mut third, "ada").await["message"], "max_handlers_reached");
    third.ended().await;
    let mut consumer = bridge.bus.consumer("a");
    for (number, client) in [&mut first, &mut second].into_iter().enumerate() {
        client.send(publish(number)).await;
        assert_eq!(soon(consumer.recv()).await.unwrap().body().as_json(), number.to_string());
    }
    second.send(publish(2)).await;
    assert_eq!(second.refusal().await, "rate_limited");
}

#[tokio::test]
async fn over_tcp_an_address_takes_so_much_from_everybody() {
    let bridge = tcp(|config| {
        config.address.registrations = 1;
        config.address.messages_per_second = 1;
        config.address.message_burst = 1;
    })
    .await;
    let (mut first, mut second) = (bridge.client().await, bridge.client().await);
    first.register("b").await;
    second.send(json!({"type": "register", "address": "b"})).await;
    assert_eq!(second.refusal().await, "too_many_registrations");
    first.send(json!({"type": "unregister", "address": "b"})).await;
    first.settle().await;
    second.register("b").await;
    for number in 0..20 {
        first.send(publish(number)).await;
        second.send(publish(number)).await;
    }
    // Slow as this may be, it is faster than one a second.
    for client in [&mut first, &mut second] {
        assert_eq!(client.refusal().await, "rate_limited");
    }
}

#[tokio::test]
async fn over_http_who_is_over_a_rate_hears_when_to_come_back() {
    let all: [fn(&mut LimitsConfig); 3] = [
        |config| (config.ip.bytes_per_second, config.ip.byte_burst) = (1, 60),
        |config| (config.user.bytes_per_second, config.user.byte_burst) = (1, 60),
        |config| (config.address.messages_per_second, config.address.message_burst) = (1, 1),
    ];
    for (set, longest) in all.into_iter().zip([60, 60, 1]) {
        let server = http(set).await;
        let _consumer = server.bus.consumer("a");
        let body = format!("\"{}\"", "x".repeat(58));
        assert_eq!(server.post("publish/a?token=ada", "", &body).await.status(), 204);
        let refused = async {
            loop {
                let answer = server.post("publish/a?token=ada", "", &body).await;
                if answer.status() != 204 {
                    return answer;
                }
            }
        };
        let refused = soon(refused).await;
        assert_eq!(refused.status(), 429);
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((longest / 2..=longest).contains(&wait) && wait > 0, "{wait} of {longest}");
        let failure: Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(
            (&failure["body"], &failure["failureCode"]),
            (&json!("rate_limited"), &json!(122))
        );
    }
}

#[tokio::test]
async fn over_http_each_user_has_a_rate_and_a_body_without_a_length_counts_as_the_longest() {
    let server = http(|config| {
        (config.user.bytes_per_second, config.user.byte_burst) = (1, 60);
    })
    .await;
    let _consumer = server.bus.consumer("a");
    let body = format!("\"{}\"", "x".repeat(38));
    for (path, status) in [
        ("publish/a?token=ada", 204),
        ("publish/a?token=ada", 429),
        ("publish/a?token=bob", 204),
        ("publish/a", 204),
    ] {
        assert_eq!(server.post(path, "", &body).await.status(), status, "{path}");
    }
    // It passes a full bucket, and is paid for afterwards.
    let chunked = "Transfer-Encoding: chunked\r\n";
    let mut connection = Connection::open(server.addr).await;
    connection.request("POST", "/api/publish/a?token=eve", chunked, "").await;
    connection.write("1\r\n1\r\n0\r\n\r\n").await;
    assert_eq!(connection.answer().await.status(), 204);
    let refused = server.post("publish/a?token=eve", "", "1").await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(wait > 262_000, "{wait}");
}

#[tokio::test]
async fn a_stream_counts_as_a_connection_with_a_registration() {
    let all: [fn(&mut LimitsConfig); 4] = [
        |config| config.ip.connections = 1,
        |config| config.user.connections = 1,
        |config| config.ip.registrations = 1,
        |config| config.address.registrations = 1,
    ];
    for set in all {
        let server = http(set).await;
        let path = "/api/subscribe/a?token=ada";
        let (mut reader, head) = stream(server.addr, "GET", path).await;
        assert_eq!(head.status, 200);
        assert_eq!(reader.chunk().await.as_deref(), Some(": subscribed\n\n"));
        let refused = get(server.addr, path).await;
        assert_eq!((refused.status(), refused.header("retry-after")), (429, Some("1")));
        assert_eq!(server.gateway.stats().streams_open, 1);
        drop(reader);
        let again = async {
            while stream(server.addr, "GET", path).await.1.status != 200 {
                // Only a write tells the server that the reader is gone.
                server.bus.publish("a", "knock").unwrap();
            }
        };
        soon(again).await;
    }
}
