//! The transports by name, and sets of them.

use core::fmt;
use core::str::FromStr;

/// How a socket reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// SockJS frames over a WebSocket.
    WebSocket,
    /// Plain messages over a WebSocket, no SockJS framing.
    RawWebSocket,
    /// A streamed XHR response.
    XhrStreaming,
    /// Server-sent events.
    EventSource,
    /// A streamed HTML page in a hidden iframe.
    HtmlFile,
    /// One XHR response for each frame.
    XhrPolling,
    /// One script for each frame.
    Jsonp,
}

impl Transport {
    /// Every transport, best first.
    pub const ALL: [Self; 7] = [
        Self::WebSocket,
        Self::RawWebSocket,
        Self::XhrStreaming,
        Self::EventSource,
        Self::HtmlFile,
        Self::XhrPolling,
        Self::Jsonp,
    ];

    /// The name that clients use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::RawWebSocket => "websocket-raw",
            Self::XhrStreaming => "xhr-streaming",
            Self::EventSource => "eventsource",
            Self::HtmlFile => "htmlfile",
            Self::XhrPolling => "xhr-polling",
            Self::Jsonp => "jsonp-polling",
        }
    }

    /// True for both WebSocket transports.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::WebSocket | Self::RawWebSocket)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such transport")]
pub struct UnknownTransport;

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(name: &str) -> Result<Self, UnknownTransport> {
        Self::ALL.into_iter().find(|transport| transport.as_str() == name).ok_or(UnknownTransport)
    }
}

/// A set of transports, one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransportSet(u8);

impl TransportSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The set with `transport` in it.
    #[must_use]
    pub fn with(self, transport: Transport) -> Self {
        Self(self.0 | transport.bit())
    }

    /// Whether `transport` is in the set.
    #[must_use]
    pub fn contains(self, transport: Transport) -> bool {
        self.0 & transport.bit() != 0
    }
}

impl FromIterator<Transport> for TransportSet {
    fn from_iter<I: IntoIterator<Item = Transport>>(transports: I) -> Self {
        transports.into_iter().fold(Self::new(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for transport in Transport::ALL {
            assert_eq!(transport.as_str().parse(), Ok(transport));
        }
        assert_eq!("WebSocket".parse::<Transport>(), Err(UnknownTransport));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: TransportSet = [Transport::Jsonp, Transport::WebSocket].into_iter().collect();
        assert!(set.contains(Transport::Jsonp) && set.contains(Transport::WebSocket));
        assert!(!set.contains(Transport::RawWebSocket));
    }
}
