//! Which pages of other origins may call, and what their browsers are told.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use trolleybus_protocol::codes::Refusal;

use super::failure::Failure;
use super::handle::Core;
use crate::access::Origins;
use crate::gateway::stats::HttpCounters;

/// Refuses pages of other origins unless they are allowed, and answers their browsers' questions;
/// counts what was asked and answered.
pub(super) async fn guard(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let operation = HttpCounters::operation(request.uri().path());
    let response = guarded(&core, request, next).await;
    core.counters.answered(operation, response.status());
    response
}

async fn guarded(core: &Core, request: Request, next: Next) -> Response {
    let origin = match allowed_origin(request.headers(), &core.origins) {
        Ok(origin) => origin,
        Err(refusal) => return Failure::from(refusal).into_response(),
    };
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = match &origin {
        Some(_) if is_preflight => preflight(request.headers()),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    }
    response
}

/// The origin of the page that calls, for its browser to be told that it may. Programs that are no
/// browsers say nothing, and so do browsers where a page only looks at its own server.
fn allowed_origin(headers: &HeaderMap, allowed: &Origins) -> Result<Option<HeaderValue>, Refusal> {
    if allowed.allows(headers) {
        Ok(headers.get(header::ORIGIN).cloned())
    } else {
        Err(Refusal::OriginNotAllowed)
    }
}

/// Everything that the gateway offers may be used; nothing of it rests on cookies.
fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    let methods = HeaderValue::from_static("GET, POST");
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_and_allowed_pages_may_call() {
        let verdict = |origin: Option<&'static str>, allowed: &[&str]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("bus.example:8080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
            let allowed = Origins::own_and(&allowed).unwrap();
            allowed_origin(&headers, &allowed).map(|origin| origin.is_some())
        };
        assert_eq!(verdict(None, &[]), Ok(false));
        assert_eq!(verdict(Some("http://bus.example:8080"), &[]), Ok(true));
        let refused = Err(Refusal::OriginNotAllowed);
        for other in ["http://bus.example", "null", "http://evil.example", "bus.example:8080", ""] {
            assert_eq!(verdict(Some(other), &["https://shop.example"]), refused, "{other}");
        }
        assert_eq!(verdict(Some("https://shop.example"), &["https://Shop.example"]), Ok(true));
        assert_eq!(verdict(Some("https://a.shop.example"), &["https://*.shop.example"]), Ok(true));
        assert_eq!(verdict(Some("null"), &["*"]), Ok(true));
    }
}
