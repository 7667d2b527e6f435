//! The capabilities document, first request of every client.

use std::hash::{BuildHasher, RandomState};

use axum::response::Response;
use trolleybus_protocol::sockjs::{Info, Transport};

use super::call::Call;
use super::headers;

pub(super) fn info(call: &Call) -> Response {
    let info = Info {
        websocket: !call.is_disabled(Transport::WebSocket),
        cookie_needed: call.options().jsessionid,
        entropy: entropy(),
        base_url: call.options().base_url.clone(),
    };
    call.reply().content_type(&headers::JSON).no_cache().cors().ok(info.encode())
}

/// Each new `RandomState` has keys that no earlier one had; no secret is made of this number.
fn entropy() -> u32 {
    (RandomState::new().hash_one(0) >> 32) as u32
}
