//! The golden envelopes of `vectors/envelopes.json`, which the tests in JavaScript read as well.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::Value;
use trolleybus_protocol::codes::{FailureType, Refusal};
use trolleybus_protocol::envelope::{
    ClientEnvelope, RecExtras, ServerEnvelope, failure_to_json, rec_with_extras_to_json,
    refusal_to_json,
};
use trolleybus_protocol::{Body, ByteString, Error, Headers};

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../vectors/envelopes.json")).unwrap()
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("no {field} in {vector}"))
}

fn headers(vector: &Value) -> Headers {
    let mut headers = Headers::new();
    for pair in vector["headers"].as_array().into_iter().flatten() {
        headers.append(pair[0].as_str().unwrap(), pair[1].as_str().unwrap()).unwrap();
    }
    headers
}

fn body(vector: &Value) -> Body {
    Body::from_json(text(vector, "body")).unwrap()
}

#[test]
fn client_envelopes_are_read_as_the_vectors_say() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector["kind"] == "client") {
        seen += 1;
        let parsed = ClientEnvelope::parse(&ByteString::from(text(vector, "text")));
        let reply_address = vector["replyAddress"].as_str().map(Into::into);
        if let Some(word) = vector["refusal"].as_str() {
            let error = parsed.expect_err(&vector.to_string());
            assert_eq!(error.refusal, Refusal::from_word(word).unwrap(), "{vector}");
            assert_eq!(error.reply_address, reply_address, "{vector}");
            continue;
        }
        let envelope = parsed.unwrap_or_else(|error| panic!("{error:?} for {vector}"));
        assert_eq!(envelope.operation.word(), text(vector, "operation"), "{vector}");
        assert_eq!(envelope.address.as_str(), text(vector, "address"), "{vector}");
        assert_eq!(envelope.body.as_json(), text(vector, "body"), "{vector}");
        assert_eq!(envelope.headers, headers(vector), "{vector}");
        assert_eq!(envelope.reply_address, reply_address, "{vector}");
        let timeout = vector["timeout"].as_u64().map(Duration::from_millis);
        assert_eq!(envelope.timeout, timeout, "{vector}");
        let receipt = vector["receipt"].as_str().map(Into::into);
        assert_eq!(envelope.receipt, receipt, "{vector}");
        assert_eq!(envelope.is_pattern, vector["pattern"] == true, "{vector}");
        let overflow = vector["overflow"].as_str().unwrap_or("close");
        assert_eq!(envelope.overflow.word(), overflow, "{vector}");
        let failure = envelope.failure.map(|failure| (failure.code.into(), failure.message));
        let expected = vector["failure"].as_array();
        let expected =
            expected.map(|pair| (pair[0].as_i64().unwrap(), pair[1].as_str().map(String::from)));
        assert_eq!(failure, expected, "{vector}");
    }
    assert!(seen > 40, "only {seen} vectors");
}

#[test]
fn server_envelopes_are_written_and_read_as_the_vectors_say() {
    for vector in vectors().iter().filter(|vector| vector["kind"] != "client") {
        let wire = text(vector, "text");
        let parsed = ServerEnvelope::parse(&ByteString::from(wire)).unwrap();
        let (written, expected) = match text(vector, "kind") {
            "rec" => rec(vector),
            "failure" => failure(vector),
            "refused" => refused(vector),
            _ => (wire.to_owned(), ServerEnvelope::Unknown),
        };
        assert_eq!(written, wire);
        assert_eq!(parsed, expected, "{vector}");
    }
}

fn rec(vector: &Value) -> (String, ServerEnvelope) {
    let (address, reply_address) = (text(vector, "address"), vector["replyAddress"].as_str());
    let pattern = vector["pattern"].as_str();
    let dropped = vector["dropped"].as_u64().unwrap_or_default();
    let (body, headers) = (body(vector), headers(vector));
    let extras = RecExtras { pattern, dropped };
    let written = rec_with_extras_to_json(address, &body, &headers, reply_address, extras);
    let expected = ServerEnvelope::Rec {
        address: address.into(),
        body,
        headers,
        reply_address: reply_address.map(Into::into),
        pattern: pattern.map(Into::into),
        dropped,
    };
    (written, expected)
}

fn failure(vector: &Value) -> (String, ServerEnvelope) {
    let kind = FailureType::from_word(text(vector, "failureType")).unwrap();
    let code = vector["failureCode"].as_i64().unwrap().try_into().unwrap();
    let error = Error::from_wire(kind, code, vector["message"].as_str().map(String::from));
    let address = text(vector, "address");
    let written = failure_to_json(address, &error);
    (written, ServerEnvelope::Err { address: Some(address.into()), error })
}

fn refused(vector: &Value) -> (String, ServerEnvelope) {
    let refusal = Refusal::from_word(text(vector, "word")).unwrap();
    let address = vector["address"].as_str();
    let error = Error::refused(refusal);
    let expected = ServerEnvelope::Err { address: address.map(Into::into), error };
    (refusal_to_json(refusal, address), expected)
}
