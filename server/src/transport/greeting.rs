//! The base URL answers, so that people see it is alive.

use axum::response::Response;

use super::call::Call;
use super::headers;

pub(super) fn greeting(call: &Call) -> Response {
    call.reply().content_type(&headers::TEXT).ok("Welcome to SockJS!\n")
}
