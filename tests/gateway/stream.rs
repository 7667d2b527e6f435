//! Server-sent events.

use serde_json::json;
use trolleybus::access::Permitted;
use trolleybus::gateway::HttpOptions;
use trolleybus::{Body, BusMessage as _, ErrorKind, EventBus as _};
use trolleybus_tests::support::http::{Connection, get, stream};
use trolleybus_tests::support::soon;

use super::client::{open_policy, policy};
use super::http::Server;

async fn subscribe(server: &Server, address: &str) -> Connection {
    let (mut reader, head) = stream(server.addr, "GET", &format!("/api/subscribe/{address}")).await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(head.header("cache-control"), Some("no-cache"));
    assert_eq!(reader.chunk().await.as_deref(), Some(": subscribed\n\n"));
    reader
}

#[tokio::test]
async fn messages_are_events_with_the_envelope_as_data() {
    let server = Server::open().await;
    let mut reader = subscribe(&server, "news/sport").await;
    server.bus.publish("news/sport", "goal").unwrap();
    let event =
        "event: message\ndata: {\"type\":\"rec\",\"address\":\"news/sport\",\"body\":\"goal\"}\n\n";
    assert_eq!(reader.chunk().await.as_deref(), Some(event));
    let body = Body::from_json("{\n\"n\":\r\n1}").unwrap();
    server.bus.publish("news/sport", body).unwrap();
    let event = "event: message\ndata: {\"type\":\"rec\",\"address\":\"news/sport\",\"body\":{\ndata: \"n\":\ndata: \ndata: 1}}\n\n";
    assert_eq!(reader.chunk().await.as_deref(), Some(event));
}

#[tokio::test]
async fn a_pattern_streams_all_that_it_means() {
    let server = Server::open().await;
    let mut reader = subscribe(&server, "news/%23?pattern=true").await;
    server.bus.publish("weather", "no").unwrap();
    server.bus.publish("news/europe/sport", "goal").unwrap();
    let event = "event: message\ndata: {\"type\":\"rec\",\"address\":\"news/europe/sport\",\"body\":\"goal\",\"pattern\":\"news/#\"}\n\n";
    assert_eq!(reader.chunk().await.as_deref(), Some(event));
    assert_eq!(get(server.addr, "/api/subscribe/a.b%3E.c?pattern=true").await.status(), 400);
}

#[tokio::test]
async fn requests_are_left_to_those_who_can_answer() {
    let server = Server::open().await;
    let mut reader = subscribe(&server, "svc").await;
    let nobody = soon(server.bus.request("svc", "x")).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NoHandlers);
    server.bus.consumer_fn("svc", |message| async move {
        message.reply("here").unwrap();
    });
    for _ in 0..4 {
        let reply = soon(server.bus.request("svc", "x")).await.unwrap();
        assert_eq!(reply.body().as_json(), "\"here\"");
    }
    server.bus.publish("svc", "for all").unwrap();
    assert!(reader.chunk().await.unwrap().contains("for all"));
}

#[tokio::test]
async fn only_what_the_rules_permit_is_streamed() {
    let fields = json!({"public": true});
    let rule = Permitted::address("news").matching(fields.as_object().unwrap().clone());
    let server = Server::with(policy(&[], &[rule]), HttpOptions::default()).await;
    assert_eq!(get(server.addr, "/api/subscribe/other").await.status(), 403);
    let mut reader = subscribe(&server, "news").await;
    server.bus.publish("news", json!({"public": false})).unwrap();
    server.bus.publish("news", json!({"public": true})).unwrap();
    assert!(reader.chunk().await.unwrap().contains(r#""body":{"public":true}"#));
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let options = HttpOptions { keep_alive_ms: 20, ..HttpOptions::default() };
    let server = Server::with(open_policy(), options).await;
    let mut reader = subscribe(&server, "news").await;
    assert_eq!(reader.chunk().await.as_deref(), Some(": keep-alive\n\n"));
}

#[tokio::test]
async fn a_slow_reader_loses_the_oldest_and_is_told() {
    let options = HttpOptions { max_stream_queue: 64 * 1024, ..HttpOptions::default() };
    let server = Server::with(open_policy(), options).await;
    let mut reader = subscribe(&server, "flood").await;
    let body = "x".repeat(16 * 1024);
    // Test and server share one thread, so nothing is read before the next await.
    for n in 0..10 {
        server.bus.publish("flood", format!("{n} {body}")).unwrap();
    }
    let dropped = reader.chunk().await.unwrap();
    assert!(dropped.starts_with("event: dropped\ndata: 7\n\nevent: message\n"), "{dropped}");
    assert_eq!(dropped.matches("event: message").count(), 3);
    assert!(dropped.contains("\"9 xxx"));
    server.bus.publish("flood", "and on").unwrap();
    assert!(reader.chunk().await.unwrap().starts_with("event: message\n"));
}

#[tokio::test]
async fn streams_are_bounded_and_end_with_their_readers() {
    let options = HttpOptions { max_streams: 1, ..HttpOptions::default() };
    let server = Server::with(open_policy(), options).await;
    let reader = subscribe(&server, "news").await;
    assert_eq!(get(server.addr, "/api/subscribe/news").await.status(), 429);
    drop(reader);
    let free = async {
        while server.bus.stats().registrations > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(free).await;
    subscribe(&server, "news").await;
}

#[tokio::test]
async fn closing_ends_the_streams() {
    let server = Server::open().await;
    let mut reader = subscribe(&server, "news").await;
    server.gateway.close();
    assert_eq!(reader.chunk().await, None);
}
