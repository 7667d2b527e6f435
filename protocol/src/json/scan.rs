//! The strict scanner: says where a JSON value ends, or why it is none.

use alloc::string::String;
use alloc::vec::Vec;

use super::quote::unescape_unicode;

/// Deepest nesting of arrays and objects that is accepted. Deeper text is refused, so that no
/// reader behind us has to trust its stack.
pub const MAX_DEPTH: u32 = 128;

/// Why a text is not JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub struct JsonError {
    /// Byte offset of the first character that cannot be there.
    pub at: usize,
    /// What was wrong, in words fit for a log line.
    pub reason: &'static str,
}

/// Checks that `text` is exactly one JSON value (RFC 8259), white space around it allowed.
///
/// # Errors
/// The first offence: a syntax error, nesting over [`MAX_DEPTH`], or text behind the value.
pub fn validate(text: &str) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(text);
    scanner.white_space();
    scanner.value()?;
    scanner.end()
}

#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pub(super) at: usize,
}

/// Which of the open brackets are objects: one bit a level.
#[derive(Default)]
struct Nesting {
    objects: u128,
    depth: u32,
}

impl Nesting {
    fn push(&mut self, is_object: bool) -> bool {
        if self.depth == MAX_DEPTH {
            return false;
        }
        self.objects = (self.objects << 1) | u128::from(is_object);
        self.depth += 1;
        true
    }

    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0 }
    }

    pub(super) fn opened(
        text: &'a str,
        bracket: u8,
        reason: &'static str,
    ) -> Result<Self, JsonError> {
        let mut scanner = Self::new(text);
        scanner.white_space();
        if scanner.peek() != Some(bracket) {
            return scanner.fail(reason);
        }
        scanner.at += 1;
        Ok(scanner)
    }

    pub(super) fn since(&self, start: usize) -> &'a str {
        super::part(self.text, start..self.at)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn fail<T>(&self, reason: &'static str) -> Result<T, JsonError> {
        Err(JsonError { at: self.at, reason })
    }

    pub(super) fn white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        self.white_space();
        if self.at < self.bytes.len() { self.fail("text behind the value") } else { Ok(()) }
    }

    pub(super) fn colon(&mut self) -> Result<(), JsonError> {
        self.white_space();
        if self.peek() != Some(b':') {
            return self.fail("expected a colon");
        }
        self.at += 1;
        self.white_space();
        Ok(())
    }

    /// Passes over one value of any kind; `at` is on its first character.
    pub(super) fn value(&mut self) -> Result<(), JsonError> {
        let mut nesting = Nesting::default();
        loop {
            if self.open_or_scalar(&mut nesting)? {
                continue;
            }
            if self.close_or_next(&mut nesting)? {
                return Ok(());
            }
        }
    }

    /// True when a bracket was opened and a value has to follow inside it.
    fn open_or_scalar(&mut self, nesting: &mut Nesting) -> Result<bool, JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b'{') => self.open(nesting, true),
            Some(b'[') => self.open(nesting, false),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(_) => self.fail("expected a value"),
            None => self.fail("expected a value, found the end"),
        }
    }

    fn open(&mut self, nesting: &mut Nesting, is_object: bool) -> Result<bool, JsonError> {
        if !nesting.push(is_object) {
            return self.fail("nested too deep");
        }
        self.at += 1;
        self.white_space();
        let close = if is_object { b'}' } else { b']' };
        if self.peek() == Some(close) {
            self.at += 1;
            nesting.pop();
            return Ok(false);
        }
        if is_object {
            self.string()?;
            self.colon()?;
        }
        Ok(true)
    }

    /// Behind a value: closes brackets, or moves on to the next value. True when all is closed.
    fn close_or_next(&mut self, nesting: &mut Nesting) -> Result<bool, JsonError> {
        while nesting.depth > 0 {
            self.white_space();
            match (self.peek(), nesting.in_object()) {
                (Some(b'}'), true) | (Some(b']'), false) => nesting.pop(),
                (Some(b','), in_object) => {
                    self.at += 1;
                    self.white_space();
                    if in_object {
                        self.string()?;
                        self.colon()?;
                    }
                    return Ok(false);
                }
                _ => return self.fail("expected a comma or the closing bracket"),
            }
            self.at += 1;
        }
        Ok(true)
    }

    fn literal(&mut self, word: &'static str) -> Result<bool, JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return self.fail("expected a value");
        }
        self.at += word.len();
        Ok(false)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { self.fail("expected a digit") } else { Ok(()) }
    }

    /// Passes over a string; true when there are escapes in it.
    pub(super) fn string(&mut self) -> Result<bool, JsonError> {
        if self.peek() != Some(b'"') {
            return self.fail("expected a string");
        }
        self.at += 1;
        let mut has_escapes = false;
        loop {
            self.at += plain_prefix(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(0..=0x1f) => return self.fail("control character in a string"),
                Some(_) => self.at += 1,
                None => return self.fail("unterminated string"),
            }
        }
    }

    /// Passes over a string and gives its text: what [`Scanner::string`] and
    /// [`unquote`](super::unquote) do, in one pass that copies a word at a time. Made for texts
    /// full of escapes, such as a message in a frame. The text is expected to be about `length` long.
    pub(super) fn text(&mut self, length: usize) -> Result<String, JsonError> {
        if self.peek() != Some(b'"') {
            return self.fail("expected a string");
        }
        self.at += 1;
        let mut out = Vec::with_capacity(length);
        loop {
            self.copy_words(&mut out);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.unescape(&mut out)?,
                Some(0..=0x1f) => return self.fail("control character in a string"),
                Some(byte) => {
                    out.push(byte);
                    self.at += 1;
                }
                None => return self.fail("unterminated string"),
            }
        }
        self.at += 1;
        // Whole characters were copied, and none of them changed.
        Ok(String::from_utf8(out).unwrap_or_default())
    }

    /// Copies what is plain and what is a quote, the one escape that such texts are full of, up to
    /// anything else or until less than a word is left.
    #[inline]
    fn copy_words(&mut self, out: &mut Vec<u8>) {
        let mut run = 0;
        while let Some((word, chunk)) = word_at(self.bytes, self.at) {
            let marks = special_bytes(word);
            if marks == 0 {
                out.extend_from_slice(&chunk);
                self.at += 8;
                run += 8;
                while run >= LONG_RUN
                    && let Some(block) = plain_block_at(self.bytes, self.at)
                {
                    out.extend_from_slice(block);
                    self.at += 16;
                }
                continue;
            }
            run = 0;
            let shift = marks.trailing_zeros() - 7;
            let plain = (shift / 8) as usize;
            let is_quote = word >> shift & 0xffff == ESCAPED_QUOTE;
            // The backslash becomes the quote that it stands before.
            let change = if is_quote { u64::from(b'\\' ^ b'"') << shift } else { 0 };
            let kept = plain + usize::from(is_quote);
            out.extend_from_slice(&(word ^ change).to_le_bytes());
            out.truncate(out.len() - 8 + kept);
            self.at += plain;
            if !is_quote {
                return;
            }
            self.at += 2;
        }
    }

    fn unescape(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let plain = match self.bytes.get(self.at + 1) {
            Some(&plain @ (b'"' | b'\\' | b'/')) => plain,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            _ => {
                let escape = super::part(self.text, self.at + 1..);
                let Some((character, length)) = Some(escape)
                    .filter(|escape| escape.starts_with('u'))
                    .and_then(unescape_unicode)
                else {
                    return self.fail("unknown escape in a string");
                };
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                self.at += 1 + length;
                return Ok(());
            }
        };
        out.push(plain);
        self.at += 2;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = &self.bytes[self.at + 1..];
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.len() > 4 && rest[1..5].iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return self.fail("unknown escape in a string"),
        };
        self.at += length;
        Ok(())
    }
}

pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at a place as a word, and as they are; none where fewer are left.
#[inline(always)]
pub(super) fn word_at(bytes: &[u8], at: usize) -> Option<(u64, [u8; 8])> {
    let chunk = *bytes.get(at..)?.first_chunk()?;
    Some((u64::from_le_bytes(chunk), chunk))
}

/// A mask whose high bits mark bytes that are zero, exact up to the first.
#[inline]
pub(super) fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// A mask whose high bits mark bytes that are below 0x20, a quote or a backslash. A byte behind
/// the first mark may be marked wrongly, so callers look at the first only.
#[inline(always)]
pub(super) fn special_bytes(word: u64) -> u64 {
    let below = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let slash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (below | quote | slash) & !word & HIGHS
}

/// A backslash and the quote behind it, as they stand in a word.
const ESCAPED_QUOTE: u64 = 0x225c;

/// After so many plain bytes it pays to look for sixteen more.
pub(super) const LONG_RUN: usize = 32;

/// The sixteen bytes at a place if none of them is special. Compiled to a few vector instructions, it
/// takes half as long as two words, but does not say where a special byte is. So it is for runs.
#[inline(always)]
pub(super) fn plain_block_at(bytes: &[u8], at: usize) -> Option<&[u8; 16]> {
    let block: &[u8; 16] = bytes.get(at..)?.first_chunk()?;
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    let marked = block.iter().fold(false, |marked, &byte| marked | is_special(byte));
    (!marked).then_some(block)
}

/// How many bytes at the front need no look inside a JSON string. Eight at a time: most strings
/// are long runs of plain characters. It may stop early, on a byte that turns out to be plain.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        let marks = special_bytes(u64::from_le_bytes(word));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at
}
