//! What the server says: one letter, and for some letters a JSON text.

use crate::json::{self, Elements};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// The open frame, first of every session.
pub const OPEN: &str = "o";
/// The heartbeat frame.
pub const HEARTBEAT: &str = "h";

/// The frame `a["..."]` that carries one message.
#[must_use]
pub fn message_frame(text: &str) -> String {
    // Most messages are envelopes, with a quote to escape every few bytes.
    let mut frame = Vec::with_capacity(text.len() + text.len() / 8 + 37);
    frame.extend_from_slice(b"a[");
    json::quote_json_into(&mut frame, text);
    frame.push(b']');
    // Made of whole characters of a text, and ASCII.
    String::from_utf8(frame).unwrap_or_default()
}

/// The quoted message inside a frame of one, to be joined with others.
#[must_use]
pub fn quoted_of(frame: &[u8]) -> &[u8] {
    frame.get(2..frame.len().saturating_sub(1)).unwrap_or_default()
}

/// The frame `c[code,"reason"]`.
#[must_use]
pub fn close_frame(code: u16, reason: &str) -> String {
    let mut frame = format!("c[{code},");
    json::quote_into(&mut frame, reason);
    frame.push(']');
    frame
}

/// A server frame, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// `o`
    Open,
    /// `h`, or the long line of them that opens an XHR stream.
    Heartbeat,
    /// `a["...",...]`, or `m"..."` that no server sends.
    Messages(Vec<String>),
    /// `c[code,"reason"]`
    Close {
        /// The code.
        code: u16,
        /// The reason.
        reason: String,
    },
}

/// Why a text is no server frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SockJS frame")]
pub struct FrameError;

impl Frame {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// An unknown letter, or a JSON text that does not fit the letter.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let rest = text.get(1..).unwrap_or_default();
        match text.as_bytes().first() {
            Some(b'o') if text.len() == 1 => Ok(Self::Open),
            Some(b'h') if text.bytes().all(|byte| byte == b'h') => Ok(Self::Heartbeat),
            Some(b'a') => strings(rest).map(Self::Messages),
            Some(b'm') => string(rest).map(|message| Self::Messages(vec![message])),
            Some(b'c') => close(rest),
            _ => Err(FrameError),
        }
    }

    /// The frame as text.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Open => OPEN.to_owned(),
            Self::Heartbeat => HEARTBEAT.to_owned(),
            Self::Messages(messages) => {
                format!("a{}", super::encode_upload(messages.iter().map(String::as_str)))
            }
            Self::Close { code, reason } => close_frame(*code, reason),
        }
    }
}

fn string(raw: &str) -> Result<String, FrameError> {
    json::validate(raw).map_err(|_| FrameError)?;
    json::unquote(raw.trim()).map(Into::into).map_err(|_| FrameError)
}

fn strings(array: &str) -> Result<Vec<String>, FrameError> {
    let mut elements = Elements::new(array).map_err(|_| FrameError)?;
    let mut messages = Vec::new();
    while let Some(raw) = elements.next_element().map_err(|_| FrameError)? {
        messages.push(json::unquote(raw).map_err(|_| FrameError)?.into_owned());
    }
    Ok(messages)
}

fn close(array: &str) -> Result<Frame, FrameError> {
    let mut elements = Elements::new(array).map_err(|_| FrameError)?;
    let mut next = || elements.next_element().ok().flatten().ok_or(FrameError);
    let code = next()?.parse().map_err(|_| FrameError)?;
    let reason = json::unquote(next()?).map_err(|_| FrameError)?.into_owned();
    match elements.next_element() {
        Ok(None) => Ok(Frame::Close { code, reason }),
        _ => Err(FrameError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn message_frames_are_joined_by_their_quoted_part() {
        let frame = message_frame("a\"b");
        assert_eq!(frame, r#"a["a\"b"]"#);
        assert_eq!(quoted_of(frame.as_bytes()), br#""a\"b""#);
    }

    proptest! {
        #[test]
        fn frames_round_trip(messages in prop::collection::vec(any::<String>(), 0..4)) {
            let frame = Frame::Messages(messages);
            prop_assert_eq!(Frame::parse(&frame.encode()), Ok(frame));
        }

        #[test]
        fn parsing_is_total(text in any::<String>(), letter in "[ohamc]?") {
            let _ = Frame::parse(&format!("{letter}{text}"));
        }
    }
}
