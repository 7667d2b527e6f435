//! Envelopes that are none: each is refused by its word, and the socket goes on.

use serde_json::json;

use crate::client::Server;

#[tokio::test]
async fn broken_envelopes_are_refused_by_name_and_the_socket_goes_on() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for (text, word) in [
        ("", "invalid_json"),
        ("null", "invalid_json"),
        ("[]", "invalid_json"),
        ("\"ping\"", "invalid_json"),
        ("{", "invalid_json"),
        ("{\"type\":\"ping\"} x", "invalid_json"),
        ("{\"type\":\"ping\" /* comment */}", "invalid_json"),
        ("{}", "missing_type"),
        ("{\"type\":null}", "missing_type"),
        ("{\"type\":\"send\"}", "missing_address"),
        ("{\"type\":\"nonsense\"}", "missing_address"),
        ("{\"type\":\"nonsense\",\"address\":\"a\"}", "invalid_type"),
        ("{\"type\":\"SEND\",\"address\":\"a\"}", "invalid_type"),
        ("{\"type\":\"send\",\"address\":\"a\",\"headers\":[]}", "invalid_headers"),
        ("{\"type\":\"send\",\"address\":\"a\",\"headers\":{\"x\":null}}", "invalid_headers"),
        (
            "{\"type\":\"send\",\"address\":\"a\",\"headers\":{\"x\":\"a\\r\\nb\"}}",
            "invalid_headers",
        ),
    ] {
        client.send_text(text).await;
        assert_eq!(client.refusal().await, word, "{text}");
    }
    client.settle().await;
}

#[tokio::test]
async fn deep_nesting_is_no_json() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for depth in [128, 129, 100_000] {
        let body = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        client.send_text(&format!(r#"{{"type":"publish","address":"a","body":{body}}}"#)).await;
    }
    // 128 levels of a body fit.
    assert_eq!(client.refusal().await, "invalid_json");
    assert_eq!(client.refusal().await, "invalid_json");
    client.settle().await;
}

#[tokio::test]
async fn a_refused_request_tells_its_reply_address_and_a_code() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.send(json!({"type": "send", "replyAddress": "r"})).await;
    let error = client.receive().await;
    let expected = json!({
        "type": "err", "body": "missing_address", "address": "r", "failureCode": 102,
        "failureType": "ERROR", "message": "the envelope has no address",
    });
    assert_eq!(error, expected);
}

#[tokio::test]
async fn several_envelopes_in_one_frame_are_handled_in_order() {
    let server = Server::open().await;
    let mut client = server.client().await;
    client.socket.send(r#"["{}","[]","{\"type\":\"send\"}"]"#).await;
    for word in ["missing_type", "invalid_json", "missing_address"] {
        assert_eq!(client.refusal().await, word);
    }
}

#[tokio::test]
async fn reply_addresses_have_at_most_36_utf_16_units() {
    let server = Server::open().await;
    let mut client = server.client().await;
    for (address, is_fit) in [
        ("r".repeat(36), true),
        ("r".repeat(37), false),
        ("ä".repeat(36), true),
        ("😀".repeat(18), true),
        ("😀".repeat(19), false),
    ] {
        for operation in ["send", "publish"] {
            let envelope =
                json!({"type": operation, "address": "nobody", "body": 1, "replyAddress": address});
            client.send(envelope).await;
            match (is_fit, operation) {
                (false, _) => assert_eq!(client.refusal().await, "invalid_reply_address"),
                (true, "send") => assert_eq!(client.receive().await["failureType"], "NO_HANDLERS"),
                (true, _) => client.settle().await,
            }
        }
    }
}
