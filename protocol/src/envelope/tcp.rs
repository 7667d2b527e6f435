//! What is different over TCP: how envelopes of clients are read, and what the server sends.

use alloc::string::String;
use core::time::Duration;

use bytestring::ByteString;

use super::client::{ClientEnvelope, EnvelopeError, Operation};
use super::{push_code, push_name, push_text, text_field};
use crate::codes::Refusal;
use crate::error::ErrorKind;
use crate::json::{self, Members};
use crate::{Body, Error, Headers};

/// Headers that are options of the delivery, and no headers.
const OPTIONS: [&str; 3] = ["timeout", "localOnly", "codecName"];

/// An envelope of a client of the TCP bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpEnvelope {
    /// What it has in common with those of the bridge over SockJS.
    pub envelope: ClientEnvelope,
    /// The message stays on this node: header `localOnly`.
    pub local_only: bool,
}

impl TcpEnvelope {
    /// Reads an envelope. As [`ClientEnvelope::parse`], but an unknown `type` goes before an absent
    /// `address`, and the headers `timeout`, `localOnly` and `codecName` are taken out; the first
    /// becomes the envelope's timeout.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn parse(text: &ByteString) -> Result<Self, EnvelopeError> {
        let envelope = ClientEnvelope::parse(text).map_err(|mut error| {
            if error.refusal == Refusal::MissingAddress && !has_known_type(text) {
                error.refusal = Refusal::InvalidType;
            }
            error
        })?;
        let mut parsed = Self { envelope, local_only: false };
        if !parsed.envelope.headers.is_empty() {
            parsed.take_options().map_err(|refusal| {
                let ClientEnvelope { reply_address, receipt, .. } = &parsed.envelope;
                let reply_address = reply_address.clone().or_else(|| receipt.clone());
                EnvelopeError { refusal, reply_address }
            })?;
        }
        Ok(parsed)
    }

    fn take_options(&mut self) -> Result<(), Refusal> {
        let headers = &mut self.envelope.headers;
        if let Some(text) = headers.get("timeout") {
            let milliseconds = text.parse::<u32>().ok().filter(|milliseconds| *milliseconds > 0);
            let milliseconds = milliseconds.ok_or(Refusal::InvalidTimeout)?;
            self.envelope.timeout = Some(Duration::from_millis(milliseconds.into()));
        }
        self.local_only = headers.get("localOnly") == Some("true");
        OPTIONS.iter().for_each(|name| headers.remove(name));
        Ok(())
    }
}

/// Asked only of envelopes that are refused anyway.
fn has_known_type(text: &ByteString) -> bool {
    let Ok(mut members) = Members::new(text) else {
        return false;
    };
    let mut kind = None;
    while let Ok(Some((name, value))) = members.next_member() {
        if json::unquote(name).is_ok_and(|name| name == "type") {
            kind = text_field(text, value);
        }
    }
    kind.is_some_and(|word| Operation::from_word(&word).is_some())
}

/// The answer to a ping.
pub const TCP_PONG: &str = r#"{"type":"pong"}"#;

/// A message or reply on its way to a client.
#[derive(Debug, Clone, Copy)]
pub struct TcpMessage<'a> {
    /// The address of the message, or where the client waits for the reply.
    pub address: &'a str,
    /// What it says.
    pub body: &'a Body,
    /// What goes with it.
    pub headers: &'a Headers,
    /// Where the sender wants a reply.
    pub reply_address: Option<&'a str>,
    /// It went to one consumer, not to all.
    pub is_send: bool,
    /// Extension: the pattern that was registered.
    pub pattern: Option<&'a str>,
}

/// The envelope of a delivered message or reply: `{"type":"message","address":"a",
/// "replyAddress":"r","headers":{},"body":1,"send":true}`, the reply address only where a reply is
/// wanted, and the body unless it is `null`.
#[must_use]
pub fn tcp_message_to_json(message: TcpMessage<'_>) -> String {
    let body = message.body.as_json();
    let mut out = String::with_capacity(64 + message.address.len() + body.len());
    out.push_str("{\"type\":\"message\"");
    push_text(&mut out, "address", message.address);
    if let Some(reply_address) = message.reply_address {
        push_text(&mut out, "replyAddress", reply_address);
    }
    push_name(&mut out, "headers");
    message.headers.write_last_values(&mut out);
    if !message.body.is_null() {
        push_name(&mut out, "body");
        out.push_str(body);
    }
    out.push_str(if message.is_send { ",\"send\":true" } else { ",\"send\":false" });
    if let Some(pattern) = message.pattern {
        push_text(&mut out, "pattern", pattern);
    }
    out.push('}');
    out
}

/// The envelope of a failed request: `{"type":"err","address":"r","sourceAddress":"a",
/// "failureCode":-1,"failureType":"TIMEOUT","message":"..."}`, where `r` is the request's reply
/// address and `a` is where it went.
#[must_use]
pub fn tcp_failure_to_json(reply_address: &str, source_address: &str, error: &Error) -> String {
    if let ErrorKind::Refused(refusal) = error.kind() {
        return tcp_refusal_to_json(refusal, Some(reply_address));
    }
    let mut out = String::from("{\"type\":\"err\"");
    push_text(&mut out, "address", reply_address);
    push_text(&mut out, "sourceAddress", source_address);
    push_code(&mut out, error.code());
    push_text(&mut out, "failureType", error.failure_type().word());
    match error.message() {
        Some(message) => push_text(&mut out, "message", message),
        None => out.push_str(",\"message\":null"),
    }
    out.push('}');
    out
}

/// The envelope of a refusal: `{"type":"err","message":"access_denied"}` as Vert.x sends it, and
/// the fields that end a request.
#[must_use]
pub fn tcp_refusal_to_json(refusal: Refusal, reply_address: Option<&str>) -> String {
    let mut out = String::from("{\"type\":\"err\"");
    push_text(&mut out, "message", tcp_word(refusal));
    if let Some(reply_address) = reply_address {
        push_text(&mut out, "address", reply_address);
    }
    push_code(&mut out, refusal.code());
    out.push_str(",\"failureType\":\"ERROR\"}");
    out
}

/// The words of the TCP bridge, where they are not those of the bridge over SockJS.
fn tcp_word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::MissingType | Refusal::InvalidType => "unknown_type",
        Refusal::Rejected => "blocked by bridgeEvent handler",
        other => other.word(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<TcpEnvelope, EnvelopeError> {
        TcpEnvelope::parse(&ByteString::from(text))
    }

    #[test]
    fn an_unknown_type_is_said_whether_or_not_there_is_an_address() {
        for text in [r#"{"type":"x"}"#, r#"{"type":"x","address":"a"}"#, r#"{"type":"message"}"#] {
            assert_eq!(parse(text).unwrap_err().refusal, Refusal::InvalidType, "{text}");
        }
        assert_eq!(parse("{}").unwrap_err().refusal, Refusal::MissingType);
        assert_eq!(parse(r#"{"type":"send"}"#).unwrap_err().refusal, Refusal::MissingAddress);
        assert_eq!(parse("[]").unwrap_err().refusal, Refusal::InvalidJson);
    }

    #[test]
    fn options_among_the_headers_are_taken_out() {
        let text = r#"{"type":"send","address":"a","replyAddress":"r",
            "headers":{"timeout":100,"localOnly":true,"codecName":"c","k":"v"}}"#;
        let TcpEnvelope { envelope, local_only } = parse(text).unwrap();
        assert!(local_only);
        assert_eq!(envelope.timeout, Some(Duration::from_millis(100)));
        assert_eq!(envelope.headers.iter().collect::<Vec<_>>(), [("k", "v")]);
        for bad in ["0", "-1", "\"soon\"", "1.5", "{}"] {
            let text = format!(
                r#"{{"type":"send","address":"a","replyAddress":"r","headers":{{"timeout":{bad}}}}}"#
            );
            let error = parse(&text).unwrap_err();
            assert_eq!(error.refusal, Refusal::InvalidTimeout, "{bad}");
            assert_eq!(error.reply_address, Some("r".into()));
        }
    }

    #[test]
    fn messages_have_just_the_fields_of_vertx() {
        let (none, body) = (Headers::new(), Body::from_json("{\"n\":1.10}").unwrap());
        let plain = TcpMessage {
            address: "a",
            body: &body,
            headers: &none,
            reply_address: None,
            is_send: false,
            pattern: None,
        };
        assert_eq!(
            tcp_message_to_json(TcpMessage { reply_address: Some("r"), is_send: true, ..plain }),
            r#"{"type":"message","address":"a","replyAddress":"r","headers":{},"body":{"n":1.10},"send":true}"#
        );
        let several = Headers::try_from(vec![("k", "1"), ("x", "2"), ("K", "3")]).unwrap();
        let null = Body::null();
        assert_eq!(
            tcp_message_to_json(TcpMessage { body: &null, headers: &several, ..plain }),
            r#"{"type":"message","address":"a","headers":{"k":"3","x":"2"},"send":false}"#
        );
        assert_eq!(
            tcp_message_to_json(TcpMessage { body: &null, pattern: Some("#"), ..plain }),
            r##"{"type":"message","address":"a","headers":{},"send":false,"pattern":"#"}"##
        );
    }

    #[test]
    fn failures_name_both_addresses_and_refusals_the_word() {
        assert_eq!(
            tcp_failure_to_json("r", "a", &Error::no_handlers("a")),
            r#"{"type":"err","address":"r","sourceAddress":"a","failureCode":-1,"failureType":"NO_HANDLERS","message":"No handlers for address a"}"#
        );
        assert_eq!(
            tcp_refusal_to_json(Refusal::InvalidType, None),
            r#"{"type":"err","message":"unknown_type","failureCode":103,"failureType":"ERROR"}"#
        );
        assert_eq!(
            tcp_failure_to_json("r", "a", &Error::refused(Refusal::AccessDenied)),
            r#"{"type":"err","message":"access_denied","address":"r","failureCode":110,"failureType":"ERROR"}"#
        );
    }
}
