//! Messages, errors and states as arrays that `js/` takes apart.

use alloc::string::String;
use core::time::Duration;

use js_sys::Array;
use trolleybus_client::State;
use trolleybus_client::core::{Delivery, Link, Origin};
use trolleybus_client::embed::Notice;
use trolleybus_protocol::{Address, DeliveryOptions, Error, ErrorKind, Headers};
use wasm_bindgen::prelude::*;

use crate::settings;

/// `[address, body, headers, replyAddress, origin, pattern, dropped]`; headers are one text, names and values apart
/// by NUL, which neither can hold.
pub(crate) fn message(message: &Delivery) -> Array {
    let mut headers = String::new();
    for (name, value) in message.headers.iter() {
        headers.extend([name, "\0", value, "\0"]);
    }
    let reply_address = message.reply_address.as_ref().map(Address::as_str);
    let origin = match message.origin {
        Origin::Local => 0,
        Origin::Link(Link(number)) => number,
    };
    list(&[
        message.address.as_str().into(),
        message.body.as_json().into(),
        headers.into(),
        reply_address.into(),
        origin.into(),
        message.pattern.as_ref().map(Address::as_str).into(),
        (message.dropped as f64).into(),
    ])
}

/// The other way round.
pub(crate) fn origin(number: u32) -> Origin {
    match number {
        0 => Origin::Local,
        number => Origin::Link(Link(number)),
    }
}

/// `[kind, failureCode, failureType, message, word]`
pub(crate) fn error(error: &Error) -> Array {
    let (kind, word) = match error.kind() {
        ErrorKind::Refused(refusal) => ("REFUSED", Some(refusal.word())),
        ErrorKind::ConnectionLost => ("CONNECTION_LOST", None),
        ErrorKind::Closed => ("CLOSED", None),
        ErrorKind::Overflow => ("OVERFLOW", None),
        ErrorKind::Body => ("BODY", None),
        ErrorKind::Headers => ("HEADERS", None),
        _ => (error.failure_type().word(), None),
    };
    list(&[
        kind.into(),
        error.code().into(),
        error.failure_type().word().into(),
        error.message().into(),
        word.into(),
    ])
}

/// `[number, ...]`: 0 connecting; 1 open, transport; 2 waiting, attempt, milliseconds; 3 closed,
/// code, reason; 4 an error, as [`error`] has it; 5 an envelope, text; 6 an answer to a
/// registration: address, whether it is a pattern, and an error if it does not stand; 7 no more: a
/// token is wanted.
pub(crate) fn notice(notice: &Notice) -> Array {
    match notice {
        Notice::State(State::Connecting) => list(&[0.into()]),
        Notice::State(State::Open { transport }) => list(&[1.into(), transport.as_str().into()]),
        Notice::State(State::Waiting { attempt, retry_in }) => {
            let milliseconds = retry_in.as_secs_f64() * 1000.0;
            list(&[2.into(), (*attempt).into(), milliseconds.into()])
        }
        Notice::State(State::Closed { code, reason }) => {
            list(&[3.into(), (*code).into(), reason.into()])
        }
        Notice::Error(reported) => list(&[4.into(), error(reported).into()]),
        Notice::Registered { address, is_pattern, result } => list(&[
            6.into(),
            address.as_str().into(),
            (*is_pattern).into(),
            result.as_ref().err().map(|refusal| error(refusal).into()).unwrap_or_default(),
        ]),
        Notice::Unhandled(text) => list(&[5.into(), (&**text).into()]),
    }
}

/// As [`notice`] has it.
pub(crate) fn wants_token() -> Array {
    list(&[7.into()])
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

fn list(values: &[JsValue]) -> Array {
    values.iter().collect()
}
