//! The page that iframe transports load from the server's origin.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use trolleybus_protocol::sockjs::wrap;

use super::call::Call;
use super::headers;
use crate::session::Options;

/// The page with its entity tag; both last as long as the service.
#[derive(Debug)]
pub(super) struct Page {
    body: Bytes,
    tag: HeaderValue,
    /// Who may embed it; none for anybody.
    policy: Option<HeaderValue>,
}

impl Page {
    pub(super) fn new(options: &Options) -> Self {
        let body = wrap::iframe_page(&options.client_url);
        let policy = options.origins.frame_policy().map(|policy| {
            HeaderValue::try_from(policy).expect("invariant: origins are visible ASCII")
        });
        let tag = format!("\"{:016x}\"", fnv1a(body.as_bytes()));
        let tag = HeaderValue::try_from(tag).expect("invariant: hexadecimal digits in quotes");
        Self { body: body.into(), tag, policy }
    }

    fn is_known_to(&self, request: &HeaderMap) -> bool {
        let tag = self.tag.to_str().unwrap_or_default();
        request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|tags| tags.split(','))
            .map(str::trim)
            .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
    }
}

pub(super) fn iframe(call: &Call) -> Response {
    let page = &call.service.iframe;
    let mut reply = call.reply().cacheable().with_value(header::ETAG, page.tag.clone());
    if let Some(policy) = &page.policy {
        reply = reply.with_value(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    if page.is_known_to(&call.parts.headers) {
        return reply.send(StatusCode::NOT_MODIFIED, Body::empty());
    }
    reply.content_type(&headers::HTML).ok(page.body.clone())
}

fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
