//! Which endpoint a path names.

/// Longest server and session id that is accepted, in bytes.
pub const MAX_ID_LENGTH: usize = 256;

/// What a path under the base URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// The base URL itself.
    Greeting,
    /// `/info`
    Info,
    /// `/iframe*.html`
    Iframe,
    /// `/websocket`, without SockJS framing.
    RawWebSocket,
    /// `/SERVER/SESSION/...`
    Session {
        /// A hint for load balancers.
        server: &'a str,
        /// The session id, percent escapes as written.
        session: &'a str,
        /// The last part.
        endpoint: SessionEndpoint,
    },
}

/// The last part of a session URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEndpoint {
    /// `websocket`
    WebSocket,
    /// `xhr`
    Xhr,
    /// `xhr_streaming`
    XhrStreaming,
    /// `xhr_send`
    XhrSend,
    /// `eventsource`
    EventSource,
    /// `htmlfile`
    HtmlFile,
    /// `jsonp`
    Jsonp,
    /// `jsonp_send`
    JsonpSend,
}

impl<'a> Endpoint<'a> {
    /// Reads `path`, which starts behind the base URL. Percent escapes are not decoded, case
    /// matters, and one slash at the end is ignored.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Self> {
        if is_iframe(path) {
            return Some(Self::Iframe);
        }
        match path.strip_suffix('/').unwrap_or(path) {
            "" => Some(Self::Greeting),
            "/info" => Some(Self::Info),
            "/websocket" => Some(Self::RawWebSocket),
            other => session(other),
        }
    }
}

fn is_iframe(path: &str) -> bool {
    path.strip_prefix("/iframe").and_then(|rest| rest.strip_suffix(".html")).is_some_and(
        |version| {
            let fits = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-' | b'.' | b'_');
            version.bytes().all(fits)
        },
    )
}

fn session(path: &str) -> Option<Endpoint<'_>> {
    let (server, rest) = first_segment(path.strip_prefix('/')?)?;
    let (session, endpoint) = first_segment(rest)?;
    let endpoint = SessionEndpoint::parse(endpoint)?;
    (is_id(server) && is_id(session)).then_some(Endpoint::Session { server, session, endpoint })
}

/// The segment before the first slash, and what is behind that. Segments are so short that the
/// standard library's search costs three times as much.
fn first_segment(path: &str) -> Option<(&str, &str)> {
    let at = path.bytes().position(|byte| byte == b'/')?;
    Some((&path[..at], &path[at + 1..]))
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && !text.bytes().any(|byte| byte == b'.')
}

impl SessionEndpoint {
    const ALL: [Self; 8] = [
        Self::WebSocket,
        Self::Xhr,
        Self::XhrStreaming,
        Self::XhrSend,
        Self::EventSource,
        Self::HtmlFile,
        Self::Jsonp,
        Self::JsonpSend,
    ];

    /// The name in the path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Xhr => "xhr",
            Self::XhrStreaming => "xhr_streaming",
            Self::XhrSend => "xhr_send",
            Self::EventSource => "eventsource",
            Self::HtmlFile => "htmlfile",
            Self::Jsonp => "jsonp",
            Self::JsonpSend => "jsonp_send",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_ids_are_refused() {
        let path = |length| format!("/000/{}/xhr", "s".repeat(length));
        assert!(Endpoint::parse(&path(MAX_ID_LENGTH)).is_some());
        assert!(Endpoint::parse(&path(MAX_ID_LENGTH + 1)).is_none());
    }

    proptest! {
        #[test]
        fn parsing_is_total(path in any::<String>()) {
            let _ = Endpoint::parse(&path);
        }
    }
}
