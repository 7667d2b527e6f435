//! Which pages of other origins may call, and what their browsers are told.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use trolleybus_protocol::codes::Refusal;

use super::failure::Failure;
use super::handle::Core;

/// Refuses pages of other origins unless they are allowed, and answers their browsers' questions.
pub(super) async fn guard(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let foreign = match foreign_origin(request.headers(), &core.options.allowed_origins) {
        Ok(foreign) => foreign,
        Err(refusal) => return Failure::from(refusal).into_response(),
    };
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = match &foreign {
        Some(_) if is_preflight => preflight(request.headers()),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = foreign {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    }
    response
}

/// The origin of the page that calls, if it is another than ours and allowed. Programs that are no
/// browsers say nothing, and so do browsers where a page only looks at its own server.
fn foreign_origin(headers: &HeaderMap, allowed: &[String]) -> Result<Option<HeaderValue>, Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(None);
    };
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let text = origin.to_str().map_err(|_| Refusal::OriginNotAllowed)?;
    let host = text.split_once("://").map(|(_, host)| host);
    if host.is_some() && host == own {
        return Ok(None);
    }
    let is_allowed = |entry: &String| entry == "*" || entry.eq_ignore_ascii_case(text);
    if allowed.iter().any(is_allowed) {
        Ok(Some(origin.clone()))
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
            foreign_origin(&headers, &allowed).map(|origin| origin.is_some())
        };
        assert_eq!(verdict(None, &[]), Ok(false));
        assert_eq!(verdict(Some("http://bus.example:8080"), &[]), Ok(false));
        let refused = Err(Refusal::OriginNotAllowed);
        for other in ["http://bus.example", "null", "http://evil.example", "bus.example:8080", ""] {
            assert_eq!(verdict(Some(other), &["https://shop.example"]), refused, "{other}");
        }
        assert_eq!(verdict(Some("https://shop.example"), &["https://Shop.example"]), Ok(true));
        assert_eq!(verdict(Some("null"), &["*"]), Ok(true));
    }
}
