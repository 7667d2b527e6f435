//! The golden envelopes of `vectors/tcp.json`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::Value;
use trolleybus_protocol::codes::{FailureType, Refusal};
use trolleybus_protocol::envelope::{
    TcpEnvelope, TcpMessage, tcp_failure_to_json, tcp_message_to_json, tcp_refusal_to_json,
};
use trolleybus_protocol::{Body, ByteString, Error, Headers};

fn vectors(kind: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../vectors/tcp.json")).unwrap();
    let found: Vec<_> = all.into_iter().filter(|vector| vector["kind"] == kind).collect();
    assert!(found.len() > 1, "no vectors of {kind}");
    found
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("no {field} in {vector}"))
}

fn headers(vector: &Value) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in vector["headers"].as_object().into_iter().flatten() {
        headers.append(name.as_str(), value.as_str().unwrap()).unwrap();
    }
    headers
}

#[test]
fn envelopes_of_clients_are_read_as_the_vectors_say() {
    for vector in vectors("client") {
        let parsed = TcpEnvelope::parse(&ByteString::from(text(&vector, "text")));
        if let Some(word) = vector["refusal"].as_str() {
            assert_eq!(parsed.unwrap_err().refusal.word(), word, "{vector}");
            continue;
        }
        let TcpEnvelope { envelope, local_only } = parsed.unwrap();
        assert_eq!(envelope.operation.word(), text(&vector, "operation"), "{vector}");
        assert_eq!(envelope.headers, headers(&vector), "{vector}");
        assert_eq!(local_only, vector["localOnly"] == true, "{vector}");
        let timeout = vector["timeout"].as_u64().map(Duration::from_millis);
        assert_eq!(envelope.timeout, timeout, "{vector}");
    }
}

#[test]
fn envelopes_of_the_server_are_written_as_the_vectors_say() {
    for vector in vectors("message") {
        let written = tcp_message_to_json(TcpMessage {
            address: text(&vector, "address"),
            body: &Body::from_json(text(&vector, "body")).unwrap(),
            headers: &headers(&vector),
            reply_address: vector["replyAddress"].as_str(),
            is_send: vector["send"] == true,
            pattern: vector["pattern"].as_str(),
        });
        assert_eq!(written, text(&vector, "text"));
    }
    for vector in vectors("failure") {
        let kind = FailureType::from_word(text(&vector, "failureType")).unwrap();
        let code = vector["failureCode"].as_i64().unwrap().try_into().unwrap();
        let error = Error::from_wire(kind, code, vector["message"].as_str().map(String::from));
        let (address, source) = (text(&vector, "address"), text(&vector, "sourceAddress"));
        assert_eq!(tcp_failure_to_json(address, source, &error), text(&vector, "text"));
    }
    for vector in vectors("refused") {
        let refusal = Refusal::from_word(text(&vector, "word")).unwrap();
        let written = tcp_refusal_to_json(refusal, vector["address"].as_str());
        assert_eq!(written, text(&vector, "text"));
    }
}
