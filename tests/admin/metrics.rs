//! `/metrics`, read by a parser that others wrote.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use prometheus_parse::{Sample, Scrape, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trolleybus_client::{BusConsumer as _, BusMessage as _, Client, EventBus as _, Options};
use trolleybus_tests::support::http::{get, post, stream};
use trolleybus_tests::support::soon;

use crate::server::{Server, config};

/// All samples by name and sorted labels.
fn samples(text: &str) -> HashMap<String, Value> {
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
    let key = |sample: &Sample| {
        let mut labels: Vec<_> = sample.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        labels.sort();
        format!("{} {}", sample.metric, labels.join(","))
    };
    scrape.samples.iter().map(|sample| (key(sample), sample.value.clone())).collect()
}

fn number(samples: &HashMap<String, Value>, key: &str) -> f64 {
    match samples.get(key) {
        Some(Value::Untyped(value) | Value::Counter(value) | Value::Gauge(value)) => *value,
        other => panic!("{key} is {other:?}"),
    }
}

async fn scrape(server: &Server) -> (String, HashMap<String, Value>) {
    let answer = server.ask("GET", "/metrics", "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let samples = samples(&answer.body);
    (answer.body, samples)
}

#[tokio::test]
async fn what_happened_is_counted() {
    let server = Server::start(config()).await;
    let mut socket = server.socket().await;
    socket.send(r#"{"type":"register","address":"news"}"#).await;
    socket.send(r#"{"type":"publish","address":"news","body":"hello"}"#).await;
    assert!(socket.frame().await.is_some());
    socket.send("no envelope").await;
    assert!(socket.frame().await.is_some());

    let (text, seen) = scrape(&server).await;
    assert!(text.ends_with("# EOF\n"));
    let raw = "transport=websocket-raw";
    assert_eq!(number(&seen, &format!("trolleybus_sockets_open {raw}")), 1.0);
    assert_eq!(number(&seen, &format!("trolleybus_sockets_opened_total {raw}")), 1.0);
    let messages = |direction| {
        number(&seen, &format!("trolleybus_socket_messages_total direction={direction},{raw}"))
    };
    assert_eq!((messages("in"), messages("out")), (4.0, 3.0));
    assert_eq!(number(&seen, "trolleybus_bus_messages_total operation=publish"), 1.0);
    assert_eq!(number(&seen, "trolleybus_bus_deliveries_total "), 1.0);
    assert_eq!(number(&seen, "trolleybus_bus_registrations "), 1.0);
    assert_eq!(number(&seen, "trolleybus_messages_discarded_total reason=no_handlers"), 1.0);
    assert_eq!(number(&seen, "trolleybus_refusals_total word=invalid_json"), 1.0);
    assert_eq!(number(&seen, "trolleybus_request_seconds_count "), 1.0);
    assert_eq!(number(&seen, "trolleybus_phase "), 1.0);
    assert!(number(&seen, "trolleybus_process_resident_memory_bytes ") > 1e6);
    assert!(number(&seen, "trolleybus_process_open_fds ") > 3.0);
    assert!(seen.keys().any(|key| key.starts_with("trolleybus_build_info version=")));

    drop(socket);
    let gone = async {
        loop {
            let (_, seen) = scrape(&server).await;
            if number(&seen, &format!("trolleybus_sockets_open {raw}")) == 0.0 {
                return number(&seen, "trolleybus_sockets_closed_total code=client");
            }
        }
    };
    assert_eq!(soon(gone).await, 1.0);
}

#[tokio::test]
async fn what_compression_saves_is_counted() {
    let server = Server::start(config()).await;
    let client = Client::with_options(&format!("http://{}/eventbus", server.addr), Options::new());
    let mut news = client.consumer("news");
    soon(news.completion()).await.unwrap();
    for body in ["x".repeat(10_000), "short".to_owned()] {
        client.publish("news", body.as_str()).unwrap();
        let message = soon(news.next()).await.unwrap();
        assert_eq!(message.body().as_json(), format!("\"{body}\""));
    }

    let (_, seen) = scrape(&server).await;
    let counted = |name| number(&seen, &format!("trolleybus_{name}_total transport=websocket"));
    assert_eq!(counted("socket_messages_compressed"), 1.0);
    let saved = counted("socket_compression_saved_bytes");
    assert!((9_000.0..10_100.0).contains(&saved), "{saved}");
}

#[tokio::test]
async fn gateways_and_limits_are_counted() {
    let mut config = config();
    config.gateway.tcp.listen = Some(config.server.listen);
    config.gateway.http.path = Some("/api".to_owned());
    config.limits.address.registrations = 1;
    let mut tcp = None;
    let server = Server::start_with(config, |mut app| {
        tcp = app.bind_tcp_gateway().unwrap();
        app
    })
    .await;
    let mut client = TcpStream::connect(tcp.unwrap()).await.unwrap();
    let envelope = br#"{"type":"register","address":"news"}"#;
    client.write_u32(u32::try_from(envelope.len()).unwrap()).await.unwrap();
    client.write_all(envelope).await.unwrap();
    let (mut reader, _) = stream(server.addr, "GET", "/api/subscribe/other").await;
    assert_eq!(reader.chunk().await.as_deref(), Some(": subscribed\n\n"));
    let published =
        async { while post(server.addr, "/api/publish/news", "1").await.status() != 204 {} };
    soon(published).await;
    let length = soon(client.read_u32()).await.unwrap();
    assert_eq!(post(server.addr, "/api/publish/other", "1").await.status(), 204);
    assert!(reader.chunk().await.unwrap().contains("event: message"));
    assert_eq!(get(server.addr, "/api/subscribe/news").await.status(), 429);
    assert_eq!(post(server.addr, "/api/send/nobody", "1").await.status(), 404);

    let (_, seen) = scrape(&server).await;
    let expect = |key: &str, value: f64| {
        assert_eq!(number(&seen, &format!("trolleybus_{key}")), value, "{key}");
    };
    expect("tcp_connections_open ", 1.0);
    expect("tcp_connections_opened_total ", 1.0);
    expect("tcp_connections_refused_total ", 0.0);
    expect("tcp_frames_total direction=in", 1.0);
    expect("tcp_frame_bytes_total direction=in", 36.0);
    expect("tcp_frames_total direction=out", 1.0);
    expect("tcp_frame_bytes_total direction=out", f64::from(length));
    expect("http_requests_total operation=publish,status=2xx", 2.0);
    expect("http_requests_total operation=send,status=4xx", 1.0);
    expect("http_requests_total operation=subscribe,status=2xx", 1.0);
    expect("http_requests_total operation=subscribe,status=4xx", 1.0);
    expect("sse_streams_open ", 1.0);
    expect("sse_streams_opened_total ", 1.0);
    expect("sse_events_total ", 1.0);
    expect("messages_discarded_total reason=slow_stream", 0.0);
    expect("limit_refusals_total tier=address,what=registration", 1.0);
    expect("limit_refusals_total tier=ip,what=message", 0.0);
    expect("limit_pauses_total ", 0.0);
    expect("overflow_total policy=drop_oldest", 0.0);
    expect("gateway_authentications_total gateway=tcp,result=accepted", 0.0);
    expect("gateway_authentications_total gateway=http,result=invalid", 0.0);

    let stats = server.json("GET", "/stats", "").await;
    assert_eq!((&stats["tcp_connections_open"], &stats["sse_events"]), (&1.into(), &1.into()));
    drop(client);
    let gone = async {
        while number(&scrape(&server).await.1, "trolleybus_tcp_connections_open ") != 0.0 {}
    };
    soon(gone).await;
}

#[tokio::test]
async fn no_label_says_who_or_where() {
    let server = Server::start(config()).await;
    let mut socket = server.socket().await;
    socket.send(r#"{"type":"register","address":"a.secret.address"}"#).await;
    socket.send(r#"{"type":"publish","address":"a.secret.address","body":1}"#).await;
    assert!(socket.frame().await.is_some());
    let (text, _) = scrape(&server).await;
    assert!(!text.contains("secret") && !text.contains("127.0.0.1"), "{text}");
}

#[tokio::test]
async fn stats_are_the_same_numbers_as_json() {
    let server = Server::start(config()).await;
    let _socket = server.socket().await;
    let stats = server.json("GET", "/stats", "").await;
    assert_eq!(stats["phase"], 1);
    let open = stats["sockets_open"].as_array().unwrap();
    let raw = open.iter().find(|line| line["transport"] == "websocket-raw").unwrap();
    assert_eq!(raw["value"], 1);
    let counts = stats["request_seconds"]["buckets"].as_array().unwrap().iter();
    assert_eq!(counts.map(|bucket| bucket["count"].as_u64().unwrap()).sum::<u64>(), 1);
}
