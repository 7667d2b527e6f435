//! Bodies pass through as the text they were written in.

use trolleybus::{BusMessage as _, EventBus as _};

use crate::client::Server;

const BODIES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1.50",
    "1e400",
    "123456789012345678901234567890",
    "\"\"",
    "\"text\"",
    "\"\\u0000\\ud83d\\ude00 \\\"\\\\ \u{2028}\u{ffff}ä😀\"",
    "[]",
    "[1,[2,[]]]",
    "{}",
    "{\"a\":{\"b\":[null]},\"a\":2}",
    "{ \"white\" : [ 1 , 2 ] }",
];

#[tokio::test]
async fn every_body_arrives_to_the_letter_at_server_and_client() {
    let server = Server::open().await;
    let mut consumer = server.bus.consumer("a");
    let mut client = server.client().await;
    client.register("b").await;
    for body in BODIES {
        for address in ["a", "b"] {
            let envelope = format!(r#"{{"type":"publish","address":"{address}","body":{body}}}"#);
            client.send_text(&envelope).await;
        }
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), *body);
        let expected = format!(r#"{{"type":"rec","address":"b","body":{body}}}"#);
        assert_eq!(client.text().await, expected);
    }
}

#[tokio::test]
async fn an_absent_body_is_null() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("a").await;
    client.send_text(r#"{"type":"publish","address":"a"}"#).await;
    assert_eq!(client.text().await, r#"{"type":"rec","address":"a","body":null}"#);
}

#[tokio::test]
async fn headers_arrive_as_text_and_several_values_as_an_array() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.register("a").await;
    let headers = r#"{"s":"t","n":1.0,"l":["x","y"]}"#;
    client.send_text(&format!(r#"{{"type":"publish","address":"a","headers":{headers}}}"#)).await;
    let received = client.receive().await;
    let expected = serde_json::json!({"s": "t", "n": "1.0", "l": "[\"x\",\"y\"]"});
    assert_eq!(received["headers"], expected);

    let options = trolleybus::DeliveryOptions::new().header("k", "1").unwrap();
    server.bus.publish_with("a", &1, options.header("K", "2").unwrap()).unwrap();
    assert_eq!(client.receive().await["headers"], serde_json::json!({"k": ["1", "2"]}));
}
