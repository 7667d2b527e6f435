//! A message to send, encoded once however many receivers it has.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use bytestring::ByteString;
use trolleybus_protocol::sockjs;

/// What one queued message costs besides its text: the queue's slot and the shared allocation.
const OVERHEAD: usize = 64;

/// A message to send. Clones share the text and its SockJS frame.
#[derive(Clone)]
pub struct Outgoing(Arc<Shared>);

struct Shared {
    text: ByteString,
    frame: OnceLock<ByteString>,
}

impl Outgoing {
    /// The message.
    #[must_use]
    pub fn text(&self) -> &ByteString {
        &self.0.text
    }

    /// The frame `a["..."]`, made at the first call.
    #[must_use]
    pub fn frame(&self) -> &ByteString {
        self.0.frame.get_or_init(|| sockjs::message_frame(&self.0.text).into())
    }

    /// The message as a JSON string, a part of the frame.
    #[must_use]
    pub fn quoted(&self) -> &str {
        sockjs::quoted_of(self.frame())
    }

    pub(crate) fn frame_bytes(&self) -> Bytes {
        self.frame().as_bytes().clone()
    }

    pub(crate) fn text_bytes(&self) -> Bytes {
        self.0.text.as_bytes().clone()
    }

    /// What the message counts in an outbox.
    pub(crate) fn cost(&self) -> usize {
        self.0.text.len() + OVERHEAD
    }
}

impl From<ByteString> for Outgoing {
    fn from(text: ByteString) -> Self {
        Self(Arc::new(Shared { text, frame: OnceLock::new() }))
    }
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        ByteString::from(text).into()
    }
}

impl From<&'static str> for Outgoing {
    fn from(text: &'static str) -> Self {
        ByteString::from_static(text).into()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("length", &self.0.text.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_frame() {
        let message = Outgoing::from("a\"b".to_owned());
        let copy = message.clone();
        assert_eq!(message.frame(), r#"a["a\"b"]"#);
        assert_eq!(copy.frame().as_ptr(), message.frame().as_ptr());
        assert_eq!(copy.quoted(), r#""a\"b""#);
    }
}
