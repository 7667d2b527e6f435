//! What the first request of a socket said.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use trolleybus_protocol::sockjs::Transport;

/// Headers that are kept for the life of the socket. All of them would cost 2 KB a socket.
const KEPT: [HeaderName; 9] = [
    header::HOST,
    header::ORIGIN,
    header::COOKIE,
    header::AUTHORIZATION,
    header::USER_AGENT,
    header::ACCEPT_LANGUAGE,
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
];

/// What the first request of a socket said.
#[derive(Debug)]
pub struct SocketInfo {
    id: u64,
    transport: Transport,
    remote_addr: Option<SocketAddr>,
    path_and_query: Box<str>,
    headers: Box<[(HeaderName, HeaderValue)]>,
}

impl SocketInfo {
    pub(crate) fn new(
        id: u64,
        transport: Transport,
        remote_addr: Option<SocketAddr>,
        path_and_query: &str,
        headers: &HeaderMap,
    ) -> Self {
        let (path_and_query, headers) = (path_and_query.into(), kept(headers));
        Self { id, transport, remote_addr, path_and_query, headers }
    }

    /// The number of the socket among those of its service, in the order in which they came.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The transport of the first request.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Whether messages travel without SockJS framing.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.transport == Transport::RawWebSocket
    }

    /// The peer's address, when the app was served with connect info.
    #[must_use]
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.remote_addr
    }

    /// The path of the first request, behind the mount point.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    /// The query string of the first request, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.path_and_query.split_once('?').map(|(_, query)| query)
    }

    /// A header of the first request: `Host`, `Origin`, `Cookie`, `Authorization`, `User-Agent`,
    /// `Accept-Language`, `Forwarded`, `X-Forwarded-For` or `X-Forwarded-Proto`; others are not kept.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let of_name = |(kept, _): &&(HeaderName, _)| kept.as_str().eq_ignore_ascii_case(name);
        self.headers.iter().find(of_name).and_then(|(_, value)| value.to_str().ok())
    }

    /// The kept headers, see [`SocketInfo::header`].
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.headers.iter().cloned().collect()
    }
}

/// Copies what is kept: a header value as parsed shares, and would hold, the whole request head.
fn kept(headers: &HeaderMap) -> Box<[(HeaderName, HeaderValue)]> {
    let copy = |name: &HeaderName| {
        let mut value = HeaderValue::from_bytes(headers.get(name)?.as_bytes()).ok()?;
        value.set_sensitive(*name == header::COOKIE || *name == header::AUTHORIZATION);
        Some((name.clone(), value))
    };
    KEPT.iter().filter_map(copy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_remembered() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("secret"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        let path = "/000/abc/xhr?t=1&token=x";
        let info = SocketInfo::new(1, Transport::XhrPolling, None, path, &headers);
        assert_eq!((info.path(), info.query()), ("/000/abc/xhr", Some("t=1&token=x")));
        assert_eq!((info.header("Cookie"), info.header("accept")), (Some("secret"), None));
        assert!(!format!("{info:?}").contains("secret"));
    }
}
