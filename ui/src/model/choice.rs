//! What the visitor can choose, and how the choices stand in the page's address.

use trolleybus_protocol::sockjs::Transport;

use crate::uppercase;

/// Which transport the page may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TransportChoice {
    #[default]
    Auto,
    WebSocket,
    XhrStreaming,
    EventSource,
    XhrPolling,
}

impl TransportChoice {
    pub(crate) const ALL: [Self; 5] =
        [Self::Auto, Self::WebSocket, Self::XhrStreaming, Self::EventSource, Self::XhrPolling];

    /// The word for it in the page's address and in the names for tests.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::WebSocket => "websocket",
            Self::XhrStreaming => "xhr-streaming",
            Self::EventSource => "eventsource",
            Self::XhrPolling => "xhr-polling",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Auto => "Automatic",
            Self::WebSocket => "WebSocket",
            Self::XhrStreaming => "XHR streaming",
            Self::EventSource => "EventSource",
            Self::XhrPolling => "XHR polling",
        }
    }

    /// The one transport, unless the client is free to choose.
    pub(crate) const fn transport(self) -> Option<Transport> {
        match self {
            Self::Auto => None,
            Self::WebSocket => Some(Transport::WebSocket),
            Self::XhrStreaming => Some(Transport::XhrStreaming),
            Self::EventSource => Some(Transport::EventSource),
            Self::XhrPolling => Some(Transport::XhrPolling),
        }
    }

    /// The choice that `?transport=` names; anything unknown is no choice.
    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|choice| choice.word() == word).unwrap_or_default()
    }
}

/// Who runs the uppercase service that this page talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ServedBy {
    #[default]
    Server,
    Tabs,
}

impl ServedBy {
    pub(crate) const ALL: [Self; 2] = [Self::Server, Self::Tabs];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Tabs => "tabs",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Server => "The server",
            Self::Tabs => "Browser tabs",
        }
    }

    /// Where words are sent.
    pub(crate) const fn request_address(self) -> &'static str {
        match self {
            Self::Server => uppercase::REQUEST,
            Self::Tabs => "tab.request",
        }
    }

    /// Where the answers are published.
    pub(crate) const fn response_address(self) -> &'static str {
        match self {
            Self::Server => uppercase::RESPONSE,
            Self::Tabs => "tab.response",
        }
    }

    /// The choice that `?serve=` names.
    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|choice| choice.word() == word).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_found_by_their_words() {
        for choice in TransportChoice::ALL {
            assert_eq!(TransportChoice::from_word(choice.word()), choice);
            if let Some(transport) = choice.transport() {
                assert_eq!(choice.word(), transport.as_str());
            }
        }
        for choice in ServedBy::ALL {
            assert_eq!(ServedBy::from_word(choice.word()), choice);
        }
        assert_eq!(TransportChoice::from_word("pigeon"), TransportChoice::Auto);
    }
}
