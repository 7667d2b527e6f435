//! Frames that are split, merged or broken.

use serde_json::json;
use trolleybus::gateway::TcpOptions;

use super::client::{Bridge, frame, open_policy};

#[tokio::test]
async fn a_ping_is_answered() {
    let bridge = Bridge::open().await;
    bridge.client().await.settle().await;
}

#[tokio::test]
async fn frames_may_be_split_and_merged() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    let ping = frame(r#"{"type":"ping"}"#);
    for byte in &ping {
        client.write(std::slice::from_ref(byte)).await;
    }
    client.write(&ping.repeat(3)).await;
    client.write(&[ping.as_slice(), &ping[..7]].concat()).await;
    client.write(&ping[7..]).await;
    for _ in 0..6 {
        assert_eq!(client.next().await, json!({"type": "pong"}));
    }
}

#[tokio::test]
async fn what_is_no_envelope_is_refused_and_the_stream_goes_on() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    for (text, word) in [
        ("nonsense", "invalid_json"),
        ("", "invalid_json"),
        ("[]", "invalid_json"),
        ("{}", "unknown_type"),
        (r#"{"type":"message","address":"a"}"#, "unknown_type"),
        (r#"{"type":"later"}"#, "unknown_type"),
        (r#"{"type":"send","body":1}"#, "missing_address"),
        (r#"{"type":"register"}"#, "missing_address"),
        (r#"{"type":"publish","address":"a","headers":7}"#, "invalid_headers"),
    ] {
        client.send_text(text).await;
        assert_eq!(client.refusal().await, word, "{text}");
        // Just one answer, and in step.
        client.settle().await;
    }
    client.write(b"\0\0\0\x03{\xff}").await;
    assert_eq!(client.refusal().await, "invalid_json");
    client.settle().await;
}

#[tokio::test]
async fn a_refused_request_is_told_where_it_waits() {
    let bridge = Bridge::open().await;
    let mut client = bridge.client().await;
    let refused = client.ask(json!({"type": "send", "replyAddress": "r"})).await;
    assert_eq!(
        refused,
        json!({"type": "err", "message": "missing_address", "address": "r", "failureCode": 102, "failureType": "ERROR"})
    );
}

#[tokio::test]
async fn an_impossible_length_is_told_and_ends_the_connection() {
    let options = TcpOptions { max_frame_size: 100, ..TcpOptions::default() };
    let bridge = Bridge::with(open_policy(), options).await;
    for length in [101, i32::MAX, -1, i32::MIN] {
        let mut client = bridge.client().await;
        client.settle().await;
        client.write(&length.to_be_bytes()).await;
        client.write(b"and what would be the frame").await;
        assert_eq!(client.refusal().await, "invalid_frame_length", "{length}");
        client.ended().await;
    }
    let mut client = bridge.client().await;
    let longest = format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(100 - 22));
    assert_eq!(longest.len(), 100);
    client.send_text(&longest).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
}
