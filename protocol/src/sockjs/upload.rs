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
        Self::from_elements(elements, text.len())
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
            return Self::from_elements(elements, text.len());
        }
        json::validate(text)?;
        Ok(Self::One(json::unquote(text.trim())?.into_owned()))
    }

    /// `length` is that of the array. In most uploads one message is nearly all of it.
    fn from_elements(mut elements: Elements<'_>, length: usize) -> Result<Self, UploadError> {
        let Some(mut first) = elements.next_text(length)? else {
            return Ok(Self::Nothing);
        };
        let few = length.min(FEW_BYTES);
        let Some(second) = elements.next_text(few)? else {
            return Ok(Self::One(first));
        };
        first.shrink_to_fit();
        let mut messages = vec![first, second];
        while let Some(message) = elements.next_text(few)? {
            messages.push(message);
        }
        Ok(Self::Many(messages))
    }
}

/// Room that each message beside the first has from the start.
const FEW_BYTES: usize = 64;

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
        fn escapes_of_any_author_are_read_as_serde_json_reads_them(
            text in r#"\[("([ a-zé\u{1F600}]{0,20}|\\["\\/bfnrtux]|\\u00[0-9a-f]{2}|\\ud83d\\ude00|.){0,5}",?){0,3}\]"#,
        ) {
            let ours = Upload::parse_body(&text).map(|upload| upload.into_iter().collect());
            match serde_json::from_str::<Vec<String>>(&text) {
                Ok(theirs) => prop_assert_eq!(ours, Ok(theirs)),
                Err(_) => prop_assert!(ours.is_err() || text.contains("\\ud")),
            }
        }

        #[test]
        fn parsing_is_total(text in any::<String>()) {
            let _ = (Upload::parse_body(&text), Upload::parse_frame(&text));
        }
    }
}
