//! What the server sends.

use alloc::borrow::Cow;
use alloc::string::String;

use bytestring::ByteString;

use super::{push_code, push_text, text_field};
use crate::codes::{FailureType, Refusal};
use crate::error::ErrorKind;
use crate::json::{self, JsonError, Members};
use crate::{Address, Body, Error, Headers};

/// The envelope of a failed request: `{"type":"err","address":"r","failureCode":-1,
/// "failureType":"TIMEOUT","message":"..."}`, where `r` is the request's reply address.
#[must_use]
pub fn failure_to_json(reply_address: &str, error: &Error) -> String {
    if let ErrorKind::Refused(refusal) = error.kind() {
        return refusal_to_json(refusal, Some(reply_address));
    }
    let mut out = String::from("{\"type\":\"err\"");
    push_failure(&mut out, Some(reply_address), error);
    out
}

/// The envelope of a refusal: `{"type":"err","body":"access_denied"}` as Vert.x sends it, plus
/// the fields of a failed request, so that a client's request ends.
#[must_use]
pub fn refusal_to_json(refusal: Refusal, reply_address: Option<&str>) -> String {
    let mut out = String::from("{\"type\":\"err\"");
    push_text(&mut out, "body", refusal.word());
    push_failure(&mut out, reply_address, &Error::refused(refusal));
    out
}

fn push_failure(out: &mut String, reply_address: Option<&str>, error: &Error) {
    if let Some(reply_address) = reply_address {
        push_text(out, "address", reply_address);
    }
    push_code(out, error.code());
    push_text(out, "failureType", error.failure_type().word());
    match error.message() {
        Some(message) => push_text(out, "message", message),
        None => out.push_str(",\"message\":null"),
    }
    out.push('}');
}

/// One envelope of the server, as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEnvelope {
    /// A message for a registered address, or the reply to a request.
    Rec {
        /// The registered address, or the request's reply address.
        address: Address,
        /// The body.
        body: Body,
        /// The headers.
        headers: Headers,
        /// Where the sender wants the reply.
        reply_address: Option<Address>,
        /// Extension: the pattern that was registered.
        pattern: Option<Address>,
        /// Extension: messages of this registration that were dropped since the last one.
        dropped: u64,
    },
    /// A failed request, or a refused envelope.
    Err {
        /// The request's reply address; none when the refused envelope was no request.
        address: Option<Address>,
        /// Why.
        error: Error,
    },
    /// An object of a type that this version does not know.
    Unknown,
}

#[derive(Default)]
struct Fields<'a> {
    kind: Option<ByteString>,
    address: Option<ByteString>,
    reply_address: Option<ByteString>,
    body: Option<&'a str>,
    headers: Option<&'a str>,
    failure_code: Option<&'a str>,
    failure_type: Option<ByteString>,
    message: Option<&'a str>,
    pattern: Option<ByteString>,
    dropped: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a ByteString) -> Result<Self, JsonError> {
        let mut fields = Self::default();
        let mut members = Members::new(text)?;
        while let Some((name, value)) = members.next_member()? {
            match &*json::unquote(name)? {
                "type" => fields.kind = text_field(text, value),
                "address" => fields.address = text_field(text, value),
                "replyAddress" => fields.reply_address = text_field(text, value),
                "body" => fields.body = Some(value),
                "headers" => fields.headers = Some(value),
                "failureCode" => fields.failure_code = Some(value),
                "failureType" => fields.failure_type = text_field(text, value),
                "message" => fields.message = Some(value),
                "pattern" => fields.pattern = text_field(text, value),
                "dropped" => fields.dropped = Some(value),
                _ => {}
            }
        }
        Ok(fields)
    }

    /// Both shapes of `err`: the word of a refusal, or the type, code and text of a failure.
    fn error(&self) -> Error {
        let word = self.body.and_then(|raw| json::unquote(raw).ok());
        let message = self.message.and_then(|raw| json::unquote(raw).ok());
        let code = self.failure_code.and_then(|raw| raw.parse().ok()).unwrap_or(-1);
        let failure = self.failure_type.as_deref().unwrap_or_default();
        error_from_wire(word.as_deref(), failure, code, message.map(Cow::into_owned))
    }
}

/// The error that both shapes of `err` tell of: `word` is a `body` that is a text.
#[must_use]
pub fn error_from_wire(
    word: Option<&str>,
    failure_type: &str,
    code: i32,
    message: Option<String>,
) -> Error {
    if let Some(refusal) = word.and_then(Refusal::from_word) {
        return Error::refused_because(refusal, message);
    }
    let failure = FailureType::from_word(failure_type).unwrap_or(FailureType::Error);
    Error::from_wire(failure, code, message.or_else(|| word.map(Into::into)))
}

impl ServerEnvelope {
    /// Reads an envelope. Body and address share the memory of `text`.
    ///
    /// # Errors
    /// When the text is not one JSON object.
    pub fn parse(text: &ByteString) -> Result<Self, JsonError> {
        let fields = Fields::read(text)?;
        Ok(match (fields.kind.as_deref(), &fields.address) {
            (Some("rec"), Some(address)) => Self::Rec {
                address: address.clone().into(),
                body: fields
                    .body
                    .map_or_else(Body::null, |raw| Body::from_scanned(text.slice_ref(raw))),
                headers: fields
                    .headers
                    .and_then(|raw| Headers::from_json(raw, true).ok())
                    .unwrap_or_default(),
                reply_address: fields.reply_address.map(Into::into),
                pattern: fields.pattern.map(Into::into),
                dropped: fields.dropped.and_then(|raw| raw.parse().ok()).unwrap_or_default(),
            },
            (Some("err"), address) => {
                Self::Err { address: address.clone().map(Into::into), error: fields.error() }
            }
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RecExtras, rec_to_json, rec_with_extras_to_json, with_dropped};
    use super::*;

    fn parse(text: &str) -> ServerEnvelope {
        ServerEnvelope::parse(&ByteString::from(text)).unwrap()
    }

    #[test]
    fn messages_have_just_the_fields_of_vertx() {
        let body = Body::from_json("{\"a\":1}").unwrap();
        let plain = rec_to_json("news", &body, &Headers::new(), None);
        assert_eq!(plain, r#"{"type":"rec","address":"news","body":{"a":1}}"#);
        let headers = Headers::try_from(vec![("k", "v")]).unwrap();
        let full = rec_to_json("news", &Body::null(), &headers, Some("r"));
        let text =
            r#"{"type":"rec","address":"news","body":null,"replyAddress":"r","headers":{"k":"v"}}"#;
        assert_eq!(full, text);
        let ServerEnvelope::Rec { reply_address, headers, .. } = parse(&full) else { panic!() };
        assert_eq!((reply_address, headers.get("k")), (Some("r".into()), Some("v")));
        let extras = RecExtras { pattern: Some("n.*"), dropped: 3 };
        let more = rec_with_extras_to_json("n.x", &Body::null(), &Headers::new(), None, extras);
        let text = r#"{"type":"rec","address":"n.x","body":null,"pattern":"n.*","dropped":3}"#;
        assert_eq!(more, text);
        let none = RecExtras { dropped: 0, ..extras };
        let first = rec_with_extras_to_json("n.x", &Body::null(), &Headers::new(), None, none);
        assert_eq!(with_dropped(&first, 3), text);
        let ServerEnvelope::Rec { pattern, dropped, .. } = parse(text) else { panic!() };
        assert_eq!((pattern, dropped), (Some("n.*".into()), 3));
    }

    #[test]
    fn failures_are_read_as_they_were_written() {
        for error in [
            Error::no_handlers("nobody"),
            Error::recipient(42, None),
            Error::recipient(-3, Some("\"no\"".to_owned())),
            Error::refused(Refusal::AccessDenied),
        ] {
            let address = Some(Address::from("r"));
            let expected = ServerEnvelope::Err { address, error: error.clone() };
            assert_eq!(parse(&failure_to_json("r", &error)), expected);
        }
    }

    #[test]
    fn refusals_keep_the_word_of_vertx() {
        let text = refusal_to_json(Refusal::AccessDenied, None);
        assert!(text.starts_with(r#"{"type":"err","body":"access_denied","failureCode":110,"#));
        assert!(!text.contains("address\":"));
        let theirs = parse(r#"{"type":"err","body":"access_denied"}"#);
        let ServerEnvelope::Err { address: None, error } = theirs else { panic!("{theirs:?}") };
        assert_eq!(error.kind(), ErrorKind::Refused(Refusal::AccessDenied));
        assert_eq!((error.code(), error.message()), (110, None));
    }

    #[test]
    fn unknown_types_are_no_error() {
        assert_eq!(parse(r#"{"type":"later","address":"a"}"#), ServerEnvelope::Unknown);
        assert_eq!(parse(r#"{"type":"rec"}"#), ServerEnvelope::Unknown);
        assert!(ServerEnvelope::parse(&"[]".into()).is_err());
    }
}
