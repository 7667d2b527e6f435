//! The capabilities document.

use crate::json::{self, Members};
use alloc::format;
use alloc::string::String;

/// What `/info` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Whether WebSockets are offered.
    pub websocket: bool,
    /// Whether a load balancer needs the `JSESSIONID` cookie.
    pub cookie_needed: bool,
    /// New in each answer.
    pub entropy: u32,
    /// Where the client finds the transports, when not under the URL it asked.
    pub base_url: Option<String>,
}

impl Info {
    /// The document as JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { websocket, cookie_needed, entropy, base_url } = self;
        let base_url = match base_url {
            Some(url) => format!(",\"base_url\":{}", json::quote(url)),
            None => String::new(),
        };
        format!(
            "{{\"websocket\":{websocket},\"origins\":[\"*:*\"],\"cookie_needed\":{cookie_needed},\
             \"entropy\":{entropy}{base_url}}}"
        )
    }

    /// Reads the document as clients do: what is missing, odd or no JSON counts as not said.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut info = Self { websocket: true, cookie_needed: false, entropy: 0, base_url: None };
        let Ok(mut members) = Members::new(text) else {
            return info;
        };
        while let Ok(Some((name, value))) = members.next_member() {
            match name {
                "\"websocket\"" => info.websocket = value != "false",
                "\"cookie_needed\"" => info.cookie_needed = value == "true",
                "\"entropy\"" => info.entropy = value.parse().unwrap_or_default(),
                "\"base_url\"" => info.base_url = json::unquote(value).ok().map(Into::into),
                _ => {}
            }
        }
        info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_round_trips() {
        let base_url = Some("https://a/b\"".to_owned());
        let info = Info { websocket: false, cookie_needed: true, entropy: 7, base_url };
        json::validate(&info.encode()).unwrap();
        assert_eq!(Info::parse(&info.encode()), info);
    }

    #[test]
    fn nonsense_counts_as_not_said() {
        for text in ["", "[]", "nonsense", "{\"websocket\"", "{}"] {
            assert!(Info::parse(text).websocket, "{text}");
        }
    }
}
