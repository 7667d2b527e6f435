//! Messages, errors and states as arrays that `js/` takes apart.

use alloc::string::String;
use core::time::Duration;

use trolleybus_client::State;
use trolleybus_client::core::{ConsumerId, Delivery, Link, Origin, Overlap, RequestId};
use trolleybus_client::embed::Notice;
use trolleybus_protocol::{Address, DeliveryOptions, Error, ErrorKind, Headers};
use wasm_bindgen::prelude::*;

use crate::settings;

#[wasm_bindgen]
extern "C" {
    /// A function of `js/`, which catches its own exceptions.
    #[derive(Debug, Clone)]
    pub type Callback;
    #[wasm_bindgen(method)]
    pub(crate) fn call(this: &Callback, context: &JsValue, argument: &JsValue);

    // Arrays by one call each, because every value by itself costs the download more.
    #[wasm_bindgen(js_namespace = Array, js_name = of)]
    fn message_parts(
        address: &str,
        body: &str,
        headers: &str,
        reply_address: Option<&str>,
        pattern: Option<&str>,
    ) -> JsValue;
    #[wasm_bindgen(js_namespace = Array, js_name = of)]
    fn error_parts(
        kind: &str,
        code: i32,
        failure_type: &str,
        message: Option<&str>,
        word: Option<&str>,
    ) -> JsValue;
    #[wasm_bindgen(js_namespace = Array, js_name = of)]
    fn notice_parts(kind: u8, text: &str, number: f64, more: &JsValue) -> JsValue;
    #[wasm_bindgen(js_namespace = Array, js_name = of)]
    pub(crate) fn close_parts(code: u16, reason: &str) -> JsValue;
}

/// A message of this client: `[address, body, headers, replyAddress, pattern]`; headers are one
/// text, names and values apart by NUL, which neither can hold.
fn message(message: &Delivery) -> JsValue {
    let mut headers = String::new();
    for (name, value) in message.headers.iter() {
        headers.extend([name, "\0", value, "\0"]);
    }
    message_parts(
        message.address.as_str(),
        message.body.as_json(),
        &headers,
        message.reply_address.as_ref().map(Address::as_str),
        message.pattern.as_ref().map(Address::as_str),
    )
}

/// Where a message came from: the number of its link, 0 for this client.
pub(crate) fn origin(number: u32) -> Origin {
    match number {
        0 => Origin::Local,
        number => Origin::Link(Link(number)),
    }
}

/// `[kind, failureCode, failureType, message, word]`
pub(crate) fn error(error: &Error) -> JsValue {
    let failure_type = error.failure_type().word();
    let (kind, word) = match error.kind() {
        ErrorKind::Refused(refusal) => ("REFUSED", Some(refusal.word())),
        ErrorKind::ConnectionLost => ("CONNECTION_LOST", None),
        ErrorKind::Closed => ("CLOSED", None),
        ErrorKind::Overflow => ("OVERFLOW", None),
        ErrorKind::Body => ("BODY", None),
        ErrorKind::Headers => ("HEADERS", None),
        _ => (failure_type, None),
    };
    error_parts(kind, error.code(), failure_type, error.message(), word)
}

/// `[number, text, number, more]`: 0 connecting; 1 open, transport; 2 waiting, its reason being the
/// last close, attempt, milliseconds; 3 closed; 4 an error, as [`error`] has it, in the last place;
/// 6 an answer to a registration: address, 1 for a pattern, and an error if it does not stand; 7 no
/// more: a token is wanted; 8 no more: the outbox has room again; 9 the number of a consumer and a
/// message for it, as [`message`] has it; 10 the number of a request and its reply; 11 the number
/// of a request and its error; 12 the number of the old link when messages come over two, -1 when it
/// is drained, 0 when that has ended, see [`Overlap`]. `js/link.js` adds 5, an envelope that it could not place.
pub(crate) fn notice(notice: &Notice) -> JsValue {
    let nothing = JsValue::UNDEFINED;
    let (kind, text, number, more) = match notice {
        Notice::State(State::Connecting) => (0, "", 0.0, nothing),
        Notice::State(State::Open { transport }) => (1, transport.as_str(), 0.0, nothing),
        Notice::State(State::Waiting { attempt, retry_in }) => {
            let milliseconds = retry_in.as_secs_f64() * 1000.0;
            (2, "", f64::from(*attempt), milliseconds.into())
        }
        Notice::State(State::Closed { .. }) => (3, "", 0.0, nothing),
        Notice::Error(reported) => (4, "", 0.0, error(reported)),
        Notice::Registered { address, is_pattern, result } => {
            let refusal = result.as_ref().err().map(error).unwrap_or_default();
            (6, address.as_str(), f64::from(*is_pattern), refusal)
        }
        Notice::Room => (8, "", 0.0, nothing),
        Notice::Overlap(Overlap::Begins(Link(old))) => (12, "", f64::from(*old), nothing),
        Notice::Overlap(Overlap::Drained) => (12, "", -1.0, nothing),
        Notice::Overlap(Overlap::Ends) => (12, "", 0.0, nothing),
        Notice::Message(ConsumerId(id), delivery) => (9, "", *id as f64, message(delivery)),
        Notice::Reply(RequestId(id), Ok(reply)) => (10, "", *id as f64, message(reply)),
        Notice::Reply(RequestId(id), Err(failure)) => (11, "", *id as f64, error(failure)),
    };
    notice_parts(kind, text, number, &more)
}

/// As [`notice`] has it.
pub(crate) fn wants_token() -> JsValue {
    notice_parts(7, "", 0.0, &JsValue::UNDEFINED)
}

/// Options, with headers from names and values with a NUL behind each.
pub(crate) fn delivery(
    headers: &str,
    local_only: bool,
    timeout: f64,
) -> Result<DeliveryOptions, Error> {
    let mut collected = Headers::new();
    let mut rest = headers;
    while let Some((name, behind)) = rest.split_once('\0') {
        let (value, behind) = behind.split_once('\0').unwrap_or_default();
        collected.append(name, value)?;
        rest = behind;
    }
    Ok(DeliveryOptions {
        headers: collected,
        local_only,
        timeout: settings::milliseconds(timeout).unwrap_or(Duration::MAX),
    })
}
