//! A text in the making, written a word at a time.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A text in the making. Copying eight bytes of which some count takes a store; copying just those
/// takes a call.
#[derive(Debug)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
    /// Where the text ends; what lies behind is room.
    length: usize,
}

impl Draft {
    pub(crate) fn with_room(room: usize) -> Self {
        Self { bytes: vec![0; room], length: 0 }
    }

    /// Appends the first `count` bytes of a word.
    #[inline]
    pub(super) fn push_word(&mut self, word: [u8; 8], count: usize) {
        self.reserve(8);
        if let Some(room) = self.bytes[self.length..].first_chunk_mut() {
            *room = word;
        }
        self.length += count;
    }

    /// Appends a few bytes.
    #[inline]
    pub(crate) fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        self.reserve(N);
        if let Some(room) = self.bytes[self.length..].first_chunk_mut() {
            *room = bytes;
        }
        self.length += N;
    }

    pub(super) fn push_str(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.push([byte]));
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.bytes.len() - self.length < more {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.bytes.resize(2 * self.bytes.len() + 64, 0);
    }

    /// The text, which whoever wrote it made of whole characters.
    pub(crate) fn finish(mut self) -> String {
        self.bytes.truncate(self.length);
        String::from_utf8(self.bytes).unwrap_or_default()
    }
}
