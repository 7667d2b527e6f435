//! JSONP polling: each frame a script that calls back.

use std::task::Context;

use axum::response::Response;
use http::{StatusCode, header};
use trolleybus_protocol::sockjs::{Transport, wrap};

use super::answer::Answer;
use super::call::Call;
use super::headers::{self, Reply};
use super::receive::{self, Framing};

struct Jsonp {
    callback: String,
}

impl Framing for Jsonp {
    const TRANSPORT: Transport = Transport::Jsonp;

    fn pack(&self, out: &mut String, frame: &str) {
        wrap::jsonp(out, &self.callback, frame);
    }

    fn head<'a>(&self, reply: Reply<'a>) -> Reply<'a> {
        reply
            .content_type(&headers::JAVASCRIPT)
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .no_cache()
            .cookie()
    }
}

pub(super) fn poll(call: &Call, session: &str, cx: &mut Context<'_>) -> Answer {
    match checked_callback(call) {
        Ok(callback) => receive::poll(call, session, Jsonp { callback }, cx),
        Err(refusal) => (*refusal).into(),
    }
}

/// The callback, fit to be put into a script; otherwise the refusal.
pub(super) fn checked_callback(call: &Call) -> Result<String, Box<Response>> {
    let refuse = |text: &'static str| {
        let reply = call.reply().content_type(&headers::TEXT).no_cache().cookie();
        Err(Box::new(reply.send(StatusCode::INTERNAL_SERVER_ERROR, text)))
    };
    match call.callback() {
        None => refuse("\"callback\" parameter required\n"),
        Some(callback) if wrap::is_callback(&callback) => Ok(callback),
        Some(_) => refuse("invalid \"callback\" parameter\n"),
    }
}
