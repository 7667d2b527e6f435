//! `/metrics`, read by a parser that others wrote.

use std::collections::HashMap;

use prometheus_parse::{Sample, Scrape, Value};
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
