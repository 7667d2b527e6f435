//! URLs under the base that the application named.

use crate::Transport;
use alloc::borrow::ToOwned;
use alloc::string::String;

/// The base URL: scheme `http` or `https`, no slash at the end, and the application's query
/// apart, which goes with every URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    base: String,
    query: String,
}

impl Endpoint {
    /// Reads `http`, `https`, `ws` and `wss` URLs; a fragment is dropped.
    pub(super) fn new(url: &str) -> Self {
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let query = url.find('?').and_then(|at| url.get(at..)).unwrap_or_default();
        let path = url.strip_suffix(query).unwrap_or(url);
        let mut base = String::with_capacity(path.len() + 2);
        match path.strip_prefix("ws") {
            Some(rest) => base.extend(["http", rest]),
            None => base.push_str(path),
        }
        base.truncate(base.trim_end_matches('/').len());
        Self { base, query: query.to_owned() }
    }

    /// True for an absolute URL of a scheme that can be asked.
    pub(super) fn is_usable(&self) -> bool {
        let scheme = self.base.strip_prefix("http");
        let rest = scheme.map(|rest| rest.strip_prefix('s').unwrap_or(rest));
        rest.is_some_and(|rest| rest.len() > 3 && rest.starts_with("://"))
    }

    /// The same query under another base.
    pub(super) fn moved_to(&self, base: &str) -> Self {
        let query = self.query.clone();
        Self { query, ..Self::new(base) }
    }

    pub(super) fn info(&self) -> String {
        [&self.base, "/info", &self.query].concat()
    }

    /// Where `transport` receives; for a WebSocket also where it sends.
    pub(super) fn receive(&self, session: &str, transport: Transport) -> String {
        let last = match transport {
            Transport::XhrStreaming => "/xhr_streaming",
            Transport::EventSource => "/eventsource",
            Transport::XhrPolling => "/xhr",
            _ => {
                let url = self.url(session, "/websocket");
                return match url.strip_prefix("http") {
                    Some(rest) => ["ws", rest].concat(),
                    None => url,
                };
            }
        };
        self.url(session, last)
    }

    /// Where HTTP transports send.
    pub(super) fn upload(&self, session: &str) -> String {
        self.url(session, "/xhr_send")
    }

    fn url(&self, session: &str, last: &str) -> String {
        [&self.base, "/000/", session, last, &self.query].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_goes_with_every_url() {
        let endpoint = Endpoint::new("https://host:1/bus/?token=x#part");
        assert_eq!(endpoint.info(), "https://host:1/bus/info?token=x");
        let socket = endpoint.receive("id", Transport::WebSocket);
        assert_eq!(socket, "wss://host:1/bus/000/id/websocket?token=x");
        let moved = endpoint.moved_to("http://other/");
        assert_eq!(moved.upload("id"), "http://other/000/id/xhr_send?token=x");
    }

    #[test]
    fn socket_urls_mean_the_same() {
        assert_eq!(Endpoint::new("ws://h/bus"), Endpoint::new("http://h/bus"));
        assert_eq!(Endpoint::new("wss://h/bus"), Endpoint::new("https://h/bus"));
        assert!(Endpoint::new("wss://h/bus").is_usable());
        for url in ["", "/eventbus", "ftp://h", "http://", "httpx://h", "http:h"] {
            assert!(!Endpoint::new(url).is_usable(), "{url}");
        }
    }
}
