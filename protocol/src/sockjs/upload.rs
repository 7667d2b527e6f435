//! What the client says: a JSON array of strings; over WebSocket one bare string will do.

use crate::json::{self, Elements, JsonError};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// The messages of one upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upload {
    /// None; the client keeps the line alive.
    Nothing,
    /// One, as WebSocket clients send.
    One(String),
    /// Two or more.
    Many(Vec<String>),
}

/// Why an upload was refused; the text is what the client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// Nothing there, or JSON of another shape than an array.
    #[error("Payload expected.")]
    PayloadExpected,
    /// No JSON, or an element that is no string.
    #[error("Broken JSON encoding.")]
    BrokenJson,
}

impl From<JsonError> for UploadError {
    fn from(_: JsonError) -> Self {
        Self::BrokenJson
    }
}

impl Upload {
    /// Reads the body of an HTTP upload.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub fn parse_body(text: &str) -> Result<Self, UploadError> {
        if text.is_empty() {
            return Err(UploadError::PayloadExpected);
        }
        let Ok(elements) = Elements::new(text) else {
            json::validate(text)?;
            return Err(UploadError::PayloadExpected);
        };
        Self::from_elements(elements)
    }

    /// Reads one WebSocket frame: empty, an array, or one bare string.
    ///
    /// # Errors
    /// [`UploadError::BrokenJson`] for everything else.
    pub fn parse_frame(text: &str) -> Result<Self, UploadError> {
        if text.is_empty() {
            return Ok(Self::Nothing);
        }
        if let Ok(elements) = Elements::new(text) {
            return Self::from_elements(elements);
        }
        json::validate(text)?;
        Ok(Self::One(json::unquote(text.trim())?.into_owned()))
    }

    fn from_elements(mut elements: Elements<'_>) -> Result<Self, UploadError> {
        let Some(first) = elements.next_element()? else {
            return Ok(Self::Nothing);
        };
        let first = json::unquote(first)?;
        let Some(second) = elements.next_element()? else {
            return Ok(Self::One(first.into_owned()));
        };
        let mut messages = vec![first.into_owned(), json::unquote(second)?.into_owned()];
        while let Some(raw) = elements.next_element()? {
            messages.push(json::unquote(raw)?.into_owned());
        }
        Ok(Self::Many(messages))
    }
}

impl IntoIterator for Upload {
    type Item = String;
    type IntoIter = core::iter::Chain<core::option::IntoIter<String>, alloc::vec::IntoIter<String>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::Nothing => (None, Vec::new()),
            Self::One(message) => (Some(message), Vec::new()),
            Self::Many(messages) => (None, messages),
        };
        one.into_iter().chain(many)
    }
}

/// The JSON array of `messages`, as a client sends it.
#[must_use]
pub fn encode_upload<'a>(messages: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    for (index, message) in messages.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::quote_into(&mut out, message);
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn uploads_round_trip(messages in prop::collection::vec(any::<String>(), 0..4)) {
            let text = encode_upload(messages.iter().map(String::as_str));
            let upload = Upload::parse_body(&text).unwrap();
            prop_assert_eq!(upload.into_iter().collect::<Vec<_>>(), messages);
        }

        #[test]
        fn parsing_is_total(text in any::<String>()) {
            let _ = (Upload::parse_body(&text), Upload::parse_frame(&text));
        }
    }
}
