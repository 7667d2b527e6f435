//! Bridge envelopes: one JSON object as text, in either direction.
//!
//! | File | Holds |
//! |---|---|
//! | `client` | what a client sends: `ping`, `send`, `publish`, `register`, `unregister` |
//! | `server` | what the server sends, as a client reads it, and `err` |
//! | `rec` | `rec`, as text and in a SockJS frame |
//! | `tcp` | what is different over TCP: `message`, `pong`, `err` |
//!
//! `protocol/README.md` is the specification.

mod client;
mod rec;
mod server;
mod tcp;

pub use client::{
    ClientEnvelope, EnvelopeError, MAX_REPLY_ADDRESS_UNITS, Operation, RecipientFailure,
};
pub use rec::{
    RecExtras, RecFrame, rec_to_json, rec_with_extras_to_frame, rec_with_extras_to_json,
    with_dropped, with_pattern_to_frame, with_pattern_to_json,
};
pub use server::{ServerEnvelope, error_from_wire, failure_to_json, refusal_to_json};
pub use tcp::{
    TCP_PONG, TcpEnvelope, TcpMessage, tcp_failure_to_json, tcp_message_to_json,
    tcp_refusal_to_json,
};

use alloc::borrow::Cow;
use alloc::string::String;

use bytestring::ByteString;

use crate::json;

/// A field that should be a string: `null` counts as absent, and any other value as its text.
fn text_field(envelope: &ByteString, raw: &str) -> Option<ByteString> {
    if json::is_null(raw) {
        return None;
    }
    match json::unquote(raw) {
        Ok(Cow::Borrowed(text)) => Some(envelope.slice_ref(text)),
        Ok(Cow::Owned(text)) => Some(text.into()),
        Err(_) => Some(envelope.slice_ref(raw)),
    }
}

/// Appends `,"name":` and the text as a JSON string.
fn push_text(out: &mut String, name: &str, text: &str) {
    push_name(out, name);
    json::quote_into(out, text);
}

/// Appends `,"name":`.
fn push_name(out: &mut String, name: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

/// Appends `,"failureCode":` and the code.
fn push_code(out: &mut String, code: i32) {
    push_name(out, "failureCode");
    if code < 0 {
        out.push('-');
    }
    json::push_integer(out, code.unsigned_abs().into());
}
