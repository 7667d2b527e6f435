//! Envelopes as clients write them.

use super::*;

fn parse(text: &str) -> Result<ClientEnvelope, EnvelopeError> {
    ClientEnvelope::parse(&ByteString::from(text))
}

fn refusal(text: &str) -> Refusal {
    parse(text).unwrap_err().refusal
}

#[test]
fn checks_come_in_the_order_of_vertx() {
    assert_eq!(refusal("null"), Refusal::InvalidJson);
    assert_eq!(refusal(r#"[{"type":"ping"}]"#), Refusal::InvalidJson);
    assert_eq!(refusal("{}"), Refusal::MissingType);
    assert_eq!(refusal(r#"{"type":null,"address":"a"}"#), Refusal::MissingType);
    assert_eq!(refusal(r#"{"type":"nonsense"}"#), Refusal::MissingAddress);
    assert_eq!(refusal(r#"{"type":"nonsense","address":"a"}"#), Refusal::InvalidType);
    assert_eq!(refusal(r#"{"type":"send","address":"a","headers":1}"#), Refusal::InvalidHeaders);
    assert!(parse(r#"{"type":"ping"}"#).is_ok());
}

#[test]
fn a_refused_request_can_still_be_failed() {
    for text in [
        r#"{"replyAddress":"r","type":"send"}"#,
        r#"{"receipt":"r","type":"publish"}"#,
        r#"{"receipt":"r","type":"register","address":"a","overflow":"?"}"#,
    ] {
        assert_eq!(parse(text).unwrap_err().reply_address.unwrap().as_str(), "r");
    }
}

#[test]
fn text_fields_are_coerced() {
    let envelope = parse(r#"{"type":"publish","address":12,"replyAddress":null}"#).unwrap();
    assert_eq!(envelope.address.as_str(), "12");
    assert_eq!(envelope.reply_address, None);
    assert!(envelope.body.is_null());
}

#[test]
fn the_last_of_equal_names_counts_and_names_may_be_escaped() {
    let text = r#"{"type":"send","address":"a","\u0061ddress":"b","body":1,"body":{"x": 2}}"#;
    let envelope = parse(text).unwrap();
    assert_eq!(envelope.address.as_str(), "b");
    assert_eq!(envelope.body.as_json(), r#"{"x": 2}"#);
}

#[test]
fn what_is_written_is_read_again() {
    let mut envelope = ClientEnvelope::new(Operation::Send, "a \"b\"".into());
    envelope.body = Body::from_text("\u{2028}x");
    envelope.headers.append("k", "v").unwrap();
    envelope.reply_address = Some("r".into());
    envelope.timeout = Some(Duration::from_millis(5));
    assert_eq!(parse(&envelope.to_json()).unwrap(), envelope);
    let mut failing = ClientEnvelope::new(Operation::Send, "r".into());
    failing.failure = Some(RecipientFailure { code: -7, message: Some("no".to_owned()) });
    assert_eq!(parse(&failing.to_json()).unwrap(), failing);
    let mut register = ClientEnvelope::new(Operation::Register, "a.*".into());
    register.receipt = Some("r".into());
    (register.is_pattern, register.overflow) = (true, Overflow::Latest);
    assert_eq!(parse(&register.to_json()).unwrap(), register);
    let mut login = ClientEnvelope::new(Operation::Authenticate, Address::default());
    login.body = Body::from_text("token");
    assert_eq!(login.to_json(), r#"{"type":"authenticate","body":"token"}"#);
    assert_eq!(parse(&login.to_json()).unwrap(), login);
    let ping = ClientEnvelope::new(Operation::Ping, Address::default());
    assert_eq!(ping.to_json(), r#"{"type":"ping"}"#);
}

#[test]
fn addresses_do_not_keep_a_long_envelope() {
    for (length, is_kept) in [(10, true), (10_000, false)] {
        let body = "x".repeat(length);
        let text = format!(r#"{{"type":"send","address":"a","replyAddress":"r","body":"{body}"}}"#);
        let text = ByteString::from(text);
        let ClientEnvelope { address, reply_address, .. } = ClientEnvelope::parse(&text).unwrap();
        assert_eq!(text.as_bytes().is_unique(), !is_kept);
        assert_eq!((address.as_str(), reply_address), ("a", Some("r".into())));
    }
}
