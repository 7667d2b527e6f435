//! WebSocket, with SockJS framing and raw: the handshake, and one task for each connection.
//!
//! | File | Holds |
//! |---|---|
//! | `codec` | the WebSocket crate, behind a small face |
//! | `connection` | the task of one connection |
//! | `deflate` | compression: what is agreed to, and messages compressed |
//! | `stream` | the bytes below it: large reads into a shared buffer |
//! | `pump` | moves messages between the codec and the socket's queues |

mod codec;
mod connection;
mod deflate;
mod pump;
mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, StatusCode, header};
use trolleybus_protocol::sockjs::Transport;

use super::call::Call;
use super::headers;
use connection::Connection;

/// Answers the handshake and starts the socket's task.
pub(super) fn open(mut call: Call, transport: Transport) -> Response {
    if call.is_disabled(Transport::WebSocket) || call.is_disabled(transport) {
        return call.reply().not_found();
    }
    if !is_upgrade(&call.parts.headers) {
        return refuse(&call, "Not a valid websocket request\n");
    }
    let link = Arc::new(call.link(transport));
    let Some(registration) = call.service.register(&link) else {
        return call.reply().unavailable();
    };
    let limit = frame_limit(&call, transport);
    let may_deflate = call.options().compression_threshold.is_some();
    let Some((response, accepting)) = codec::accept(&mut call.parts, limit, may_deflate) else {
        return refuse(&call, "Not a valid websocket request\n");
    };
    let handler = call.service.handler_for(Arc::clone(&link));
    let options = Arc::clone(&call.service.options);
    let connection = Connection::new(accepting, link, options, handler, registration);
    call.service.spawn(connection);
    response.map(|_| Body::empty())
}

/// A SockJS frame may carry a longest message with every second byte escaped.
fn frame_limit(call: &Call, transport: Transport) -> usize {
    let longest = call.options().max_message_size;
    if transport == Transport::RawWebSocket { longest } else { longest * 2 + 1024 }
}

fn refuse(call: &Call, text: &'static str) -> Response {
    call.reply().content_type(&headers::TEXT).send(StatusCode::BAD_REQUEST, text)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn connection_is_a_list_of_tokens_without_case() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("WebSocket"));
        assert!(is_upgrade(&headers));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        assert!(!is_upgrade(&headers));
    }
}
