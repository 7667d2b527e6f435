//! Messages to clients, as envelopes and as the SockJS frames that carry those.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json;
use crate::{Body, Headers};

/// The envelope of a delivered message or reply:
/// `{"type":"rec","address":"a","body":1,"replyAddress":"r","headers":{"k":"v"}}`, the last two
/// only where there are any.
#[must_use]
pub fn rec_to_json(
    address: &str,
    body: &Body,
    headers: &Headers,
    reply_address: Option<&str>,
) -> String {
    rec_with_extras_to_json(address, body, headers, reply_address, RecExtras::default())
}

/// Extension: what a `rec` says to a client that registered with more than an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecExtras<'a> {
    /// The pattern that was registered; the address is then the one that the message was sent to.
    pub pattern: Option<&'a str>,
    /// Messages of this registration that were dropped since the last one, by its overflow policy.
    pub dropped: u64,
}

/// The envelope of a delivered message with `"pattern":"a.*"` and `"dropped":3`, each only where
/// there is something to say.
#[must_use]
pub fn rec_with_extras_to_json(
    address: &str,
    body: &Body,
    headers: &Headers,
    reply_address: Option<&str>,
    extras: RecExtras<'_>,
) -> String {
    let mut out = String::with_capacity(48 + address.len() + body.as_json().len());
    write(&mut out, address, body, headers, reply_address, extras);
    out
}

/// The SockJS frame `a["..."]` of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecFrame {
    /// The frame, in UTF-8.
    pub frame: Vec<u8>,
    /// How long the envelope in it is, in bytes.
    pub text_len: usize,
}

/// The frame of what [`rec_with_extras_to_json`] writes, made without it.
#[must_use]
pub fn rec_with_extras_to_frame(
    address: &str,
    body: &Body,
    headers: &Headers,
    reply_address: Option<&str>,
    extras: RecExtras<'_>,
) -> RecFrame {
    let length = body.as_json().len();
    let mut out = RecFrame {
        frame: Vec::with_capacity(72 + address.len() + length + length / 8),
        text_len: 0,
    };
    out.frame.extend_from_slice(b"a[\"");
    write(&mut out, address, body, headers, reply_address, extras);
    out.frame.extend_from_slice(b"\"]");
    out
}

/// The frame of a message that comes through a pattern, made of that of the same message without
/// one: a body is escaped once, however many patterns it comes through.
#[must_use]
pub fn with_pattern_to_frame(frame: &[u8], text_len: usize, pattern: &str) -> RecFrame {
    let front = frame.strip_suffix(b"}\"]").unwrap_or(frame);
    let mut out = RecFrame {
        frame: Vec::with_capacity(frame.len() + pattern.len() + 24),
        text_len: text_len.saturating_sub(1),
    };
    out.frame.extend_from_slice(front);
    end_with_pattern(&mut out, pattern);
    out.frame.extend_from_slice(b"\"]");
    out
}

/// The same of the envelope.
#[must_use]
pub fn with_pattern_to_json(rec: &str, pattern: &str) -> String {
    let mut out = String::with_capacity(rec.len() + pattern.len() + 24);
    out.push_str(rec.strip_suffix('}').unwrap_or(rec));
    end_with_pattern(&mut out, pattern);
    out
}

fn end_with_pattern(out: &mut impl Out, pattern: &str) {
    out.syntax(&PATTERN);
    out.text(pattern);
    out.syntax(&END);
}

/// The envelope of a delivered message, which says nothing of dropped ones, with `"dropped":3` added.
#[must_use]
pub fn with_dropped(rec: &str, dropped: u64) -> String {
    let mut out = String::with_capacity(rec.len() + 32);
    out.push_str(rec.strip_suffix('}').unwrap_or(rec));
    out.syntax(&DROPPED);
    json::push_integer(&mut out, dropped);
    out.push('}');
    out
}

/// A part that is always the same: as JSON, and as the inside of a JSON string.
struct Syntax(&'static str, &'static str);

const ADDRESS: Syntax = Syntax(r#"{"type":"rec","address":"#, r#"{\"type\":\"rec\",\"address\":"#);
const BODY: Syntax = Syntax(r#","body":"#, r#",\"body\":"#);
const REPLY_ADDRESS: Syntax = Syntax(r#","replyAddress":"#, r#",\"replyAddress\":"#);
const HEADERS: Syntax = Syntax(r#","headers":"#, r#",\"headers\":"#);
const PATTERN: Syntax = Syntax(r#","pattern":"#, r#",\"pattern\":"#);
const DROPPED: Syntax = Syntax(r#","dropped":"#, r#",\"dropped\":"#);
const END: Syntax = Syntax("}", "}");

/// What an envelope is written to.
trait Out {
    fn syntax(&mut self, syntax: &Syntax);

    /// A JSON value.
    fn json(&mut self, value: &str);

    /// A text, as a JSON string.
    fn text(&mut self, text: &str);

    /// An object of strings.
    fn headers(&mut self, headers: &Headers);
}

impl Out for String {
    fn syntax(&mut self, syntax: &Syntax) {
        self.push_str(syntax.0);
    }

    fn json(&mut self, value: &str) {
        self.push_str(value);
    }

    fn text(&mut self, text: &str) {
        json::quote_into(self, text);
    }

    fn headers(&mut self, headers: &Headers) {
        headers.write_json(self);
    }
}

impl Out for RecFrame {
    fn syntax(&mut self, syntax: &Syntax) {
        self.text_len += syntax.0.len();
        self.frame.extend_from_slice(syntax.1.as_bytes());
    }

    fn json(&mut self, value: &str) {
        self.text_len += value.len();
        json::escape_json_into(&mut self.frame, value);
    }

    fn text(&mut self, text: &str) {
        if !json::is_unremarkable(text) {
            return self.json(&json::quote(text));
        }
        self.text_len += text.len() + 2;
        self.frame.extend_from_slice(b"\\\"");
        self.frame.extend_from_slice(text.as_bytes());
        self.frame.extend_from_slice(b"\\\"");
    }

    fn headers(&mut self, headers: &Headers) {
        let mut json = String::new();
        headers.write_json(&mut json);
        self.json(&json);
    }
}

fn write(
    out: &mut impl Out,
    address: &str,
    body: &Body,
    headers: &Headers,
    reply_address: Option<&str>,
    extras: RecExtras<'_>,
) {
    out.syntax(&ADDRESS);
    out.text(address);
    out.syntax(&BODY);
    out.json(body.as_json());
    if let Some(reply_address) = reply_address {
        out.syntax(&REPLY_ADDRESS);
        out.text(reply_address);
    }
    if !headers.is_empty() {
        out.syntax(&HEADERS);
        out.headers(headers);
    }
    if let Some(pattern) = extras.pattern {
        out.syntax(&PATTERN);
        out.text(pattern);
    }
    if extras.dropped > 0 {
        let mut digits = String::new();
        json::push_integer(&mut digits, extras.dropped);
        out.syntax(&DROPPED);
        out.json(&digits);
    }
    out.syntax(&END);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sockjs::message_frame;

    proptest! {
        #[test]
        fn a_frame_is_what_quoting_the_envelope_gives(
            texts in prop::array::uniform4(r#"[ -~]{0,20}|["\\\n\u{2028}é]{0,9}"#),
            body in any::<String>(),
            (has_reply, has_header, has_pattern) in any::<(bool, bool, bool)>(),
            dropped in 0..3_u64,
        ) {
            let [address, reply_address, pattern, value] = &texts;
            let mut headers = Headers::new();
            if has_header {
                let _ = headers.append("name", value.as_str());
            }
            let reply_address = has_reply.then_some(reply_address.as_str());
            let extras = RecExtras { pattern: has_pattern.then_some(pattern.as_str()), dropped };
            let body = Body::from_text(&body);
            let json = rec_with_extras_to_json(address, &body, &headers, reply_address, extras);
            let made = rec_with_extras_to_frame(address, &body, &headers, reply_address, extras);
            prop_assert_eq!(String::from_utf8(made.frame).unwrap(), message_frame(&json));
            prop_assert_eq!(made.text_len, json.len());
        }

        #[test]
        fn a_pattern_comes_last_and_can_be_added(
            address in any::<String>(),
            pattern in any::<String>(),
            body in any::<String>(),
            has_header in any::<bool>(),
        ) {
            let mut headers = Headers::new();
            if has_header {
                let _ = headers.append("name", "value");
            }
            let body = Body::from_text(&body);
            let extras = RecExtras { pattern: Some(&pattern), dropped: 0 };
            let plain = RecExtras::default();
            let json = rec_with_extras_to_json(&address, &body, &headers, None, plain);
            let frame = rec_with_extras_to_frame(&address, &body, &headers, None, plain);
            prop_assert_eq!(
                with_pattern_to_json(&json, &pattern),
                rec_with_extras_to_json(&address, &body, &headers, None, extras)
            );
            prop_assert_eq!(
                with_pattern_to_frame(&frame.frame, frame.text_len, &pattern),
                rec_with_extras_to_frame(&address, &body, &headers, None, extras)
            );
        }
    }
}
