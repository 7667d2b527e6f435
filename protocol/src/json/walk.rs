//! Walks over the items of one array or object, passing over what is inside them.

use alloc::borrow::Cow;
use alloc::string::String;

use super::scan::{JsonError, Scanner};
use super::{is_null, part, unquote};

/// Walks over the members of a JSON object, in order, duplicates included.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    scanner: Scanner<'a>,
    state: State,
}

/// How far a walk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Next,
    Done,
}

impl<'a> Members<'a> {
    /// Starts on `text`, which must be one JSON object and nothing else.
    ///
    /// # Errors
    /// When the first token is not `{`. Later offences come from [`Members::next_member`].
    pub fn new(text: &'a str) -> Result<Self, JsonError> {
        let scanner = Scanner::opened(text, b'{', "not an object")?;
        Ok(Self { scanner, state: State::First })
    }

    /// The next name (quoted, as written) and value (without surrounding white space).
    ///
    /// # Errors
    /// The first syntax error met on the way, text behind the closing brace included.
    pub fn next_member(&mut self) -> Result<Option<(&'a str, &'a str)>, JsonError> {
        Ok(self.next_field()?.map(|field| (field.name.raw, field.value.raw)))
    }

    /// The next member with what was seen of it on the way.
    pub(crate) fn next_field(&mut self) -> Result<Option<Field<'a>>, JsonError> {
        if !self.scanner.advance(&mut self.state, b'}')? {
            return Ok(None);
        }
        let name = self.scanner.seen_string()?;
        self.scanner.colon()?;
        let value = if self.scanner.peek() == Some(b'"') {
            self.scanner.seen_string()?
        } else {
            let start = self.scanner.at;
            self.scanner.value()?;
            Seen { raw: self.scanner.since(start), is_plain: false }
        };
        Ok(Some(Field { name, value }))
    }
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) name: Seen<'a>,
    pub(crate) value: Seen<'a>,
}

/// A value that was passed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// As written.
    pub(crate) raw: &'a str,
    /// It is a string without escapes, so that its text need not be looked for again.
    is_plain: bool,
}

impl<'a> Seen<'a> {
    /// The text of a string.
    pub(crate) fn text(self) -> Result<Cow<'a, str>, JsonError> {
        if self.is_plain {
            return Ok(Cow::Borrowed(part(self.raw, 1..self.raw.len() - 1)));
        }
        unquote(self.raw)
    }

    /// The text of what should be a string: `null` counts as absent, and any other value as its
    /// text.
    pub(crate) fn text_or_raw(self) -> Option<Cow<'a, str>> {
        (!is_null(self.raw)).then(|| self.text().unwrap_or(Cow::Borrowed(self.raw)))
    }
}

/// Walks over the elements of a JSON array.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    scanner: Scanner<'a>,
    state: State,
}

impl<'a> Elements<'a> {
    /// Starts on `text`, which must be one JSON array and nothing else.
    ///
    /// # Errors
    /// When the first token is not `[`. Later offences come from [`Elements::next_element`].
    pub fn new(text: &'a str) -> Result<Self, JsonError> {
        let scanner = Scanner::opened(text, b'[', "not an array")?;
        Ok(Self { scanner, state: State::First })
    }

    /// The next element as written, without surrounding white space.
    ///
    /// # Errors
    /// The first syntax error met on the way, text behind the closing bracket included.
    pub fn next_element(&mut self) -> Result<Option<&'a str>, JsonError> {
        if !self.scanner.advance(&mut self.state, b']')? {
            return Ok(None);
        }
        let start = self.scanner.at;
        self.scanner.value()?;
        Ok(Some(self.scanner.since(start)))
    }

    /// Starts at a place where [`Elements::at`] was, in the text of [`Elements::further_texts`].
    pub(crate) fn resumed(text: &'a str, at: usize) -> Self {
        let mut scanner = Scanner::new(text);
        scanner.at = at;
        Self { scanner, state: State::Next }
    }

    /// How far it has come in its text.
    pub(crate) fn at(&self) -> usize {
        self.scanner.at
    }

    /// The text behind the last element that was asked for. What is in it must be strings.
    pub(crate) fn further_texts(mut self) -> Result<&'a str, JsonError> {
        let start = self.scanner.at;
        while self.scanner.advance(&mut self.state, b']')? {
            self.scanner.string()?;
        }
        Ok(self.scanner.since(start))
    }

    /// The next element, which must be a string, as the text that it stands for. It is made with
    /// room for `length` bytes.
    pub(crate) fn next_text(&mut self, length: usize) -> Result<Option<String>, JsonError> {
        if !self.scanner.advance(&mut self.state, b']')? {
            return Ok(None);
        }
        self.scanner.text(length).map(Some)
    }
}

impl<'a> Scanner<'a> {
    #[inline]
    fn seen_string(&mut self) -> Result<Seen<'a>, JsonError> {
        let start = self.at;
        let is_plain = !self.string()?;
        Ok(Seen { raw: self.since(start), is_plain })
    }

    /// Moves to the next item of the outermost bracket; false behind its end.
    fn advance(&mut self, state: &mut State, close: u8) -> Result<bool, JsonError> {
        if *state == State::Done {
            return Ok(false);
        }
        self.white_space();
        match (self.peek(), *state) {
            (Some(byte), _) if byte == close => {
                self.at += 1;
                *state = State::Done;
                self.end()?;
                return Ok(false);
            }
            (_, State::First) => *state = State::Next,
            (Some(b','), _) => {
                self.at += 1;
                self.white_space();
            }
            _ => return self.fail("expected a comma or the closing bracket"),
        }
        Ok(true)
    }
}
