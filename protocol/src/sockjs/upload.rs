//! What the client says: a JSON array of strings; over WebSocket one bare string will do.

use crate::json::{self, Elements, JsonError};
use alloc::boxed::Box;
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
    Many(Many),
}

/// Several messages. Beyond the first few they are still the text that came, which has been found
/// to be right: in memory of their own the smallest would take forty times as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many {
    first: Vec<String>,
    further: Box<str>,
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
        // Unless the rest of it is white space or escapes.
        if first.len() < length / 2 {
            first.shrink_to_fit();
        }
        let few = length.min(FEW_BYTES);
        let Some(second) = elements.next_text(few)? else {
            return Ok(Self::One(first));
        };
        first.shrink_to_fit();
        let mut first = vec![first, second];
        while first.len() < AT_ONCE {
            let Some(message) = elements.next_text(few)? else {
                return Ok(Self::Many(Many { first, further: Box::default() }));
            };
            first.push(message);
        }
        Ok(Self::Many(Many { first, further: elements.further_texts()?.into() }))
    }
}

/// Room that each message beside the first has from the start.
const FEW_BYTES: usize = 64;

/// So many messages are taken out of an upload at once.
const AT_ONCE: usize = 32;

impl IntoIterator for Upload {
    type Item = String;
    type IntoIter = Messages;

    fn into_iter(self) -> Messages {
        let (first, some, further) = match self {
            Self::Nothing => (None, Vec::new(), Box::default()),
            Self::One(message) => (Some(message), Vec::new(), Box::default()),
            Self::Many(Many { first, further }) => (None, first, further),
        };
        Messages { first, some: some.into_iter(), further, at: 0 }
    }
}

/// The messages of an upload, each made when it is asked for.
#[derive(Debug, Clone)]
pub struct Messages {
    first: Option<String>,
    some: vec::IntoIter<String>,
    /// The end of an array, behind an element.
    further: Box<str>,
    at: usize,
}

impl Messages {
    fn next_further(&mut self) -> Option<String> {
        if self.at == self.further.len() {
            return None;
        }
        let mut elements = Elements::resumed(&self.further, self.at);
        let message = elements.next_text(FEW_BYTES).ok().flatten();
        self.at = if message.is_some() { elements.at() } else { self.further.len() };
        message
    }
}

impl Iterator for Messages {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.first.take().or_else(|| self.some.next()).or_else(|| self.next_further())
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
        fn of_many_each_is_read_as_serde_json_reads_it(
            pieces in prop::collection::vec(
                r#"[ \n]?("[ a\\"]{0,2}"|"\\u0e[0-9a-fg]9"|"[ -~]{0,9}"|1|"é\\ud83d\\ude00")[ \t]?"#, 30..40,
            ),
            end in "\\]|",
        ) {
            let text = alloc::format!("[{}{end}", pieces.join(","));
            let ours = Upload::parse_body(&text).ok();
            let theirs = serde_json::from_str::<Vec<String>>(&text).ok();
            prop_assert_eq!(ours.map(|upload| upload.into_iter().collect()), theirs);
        }

        #[test]
        fn parsing_is_total(text in any::<String>()) {
            let _ = (Upload::parse_body(&text), Upload::parse_frame(&text));
        }
    }

    #[test]
    fn what_waits_takes_no_more_memory_than_it_came_in() {
        let text = alloc::format!("[{}\"a\"]", "\"a\",".repeat(100_000));
        let Ok(Upload::Many(many)) = Upload::parse_frame(&text) else { panic!("not many") };
        assert!(many.first.len() <= AT_ONCE && many.first.capacity() <= AT_ONCE);
        assert!(many.further.len() < text.len());
        assert_eq!(Upload::Many(many).into_iter().count(), 100_001);
        let text = alloc::format!("[\"a\"{}]", " ".repeat(100_000));
        let Ok(Upload::One(one)) = Upload::parse_frame(&text) else { panic!("not one") };
        assert!(one.capacity() < 100, "{}", one.capacity());
    }
}
