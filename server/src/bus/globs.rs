//! Patterns that go on behind a `#`: what is left of an address against what is left of a pattern.

use std::sync::Arc;

use trolleybus_protocol::Word;

use super::patterns::PatternEntry;

/// A pattern from its first `#` on. In a tree of words, each word of an address would lead to each
/// word of each such pattern again.
pub(super) struct Glob {
    pub(super) entry: Arc<PatternEntry>,
    parts: Box<[Part]>,
}

enum Part {
    Exact(Box<str>),
    One,
    Any,
}

impl Part {
    fn takes(&self, word: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *word,
            Self::One => true,
            Self::Any => false,
        }
    }
}

impl Glob {
    pub(super) fn new(entry: Arc<PatternEntry>, words: &[Word<'_>]) -> Self {
        let mut parts = Vec::with_capacity(words.len());
        for word in words {
            match word {
                Word::Exact(exact) => parts.push(Part::Exact((*exact).into())),
                Word::One => parts.push(Part::One),
                Word::Any => parts.push(Part::Any),
                Word::OneOrMore => parts.extend([Part::One, Part::Any]),
            }
        }
        Self { entry, parts: parts.into() }
    }

    /// What follows an `Any` is taken where it fits first: a later place would leave less for the
    /// rest. So at most each word is tried with each part between two of them.
    pub(super) fn matches(&self, words: &[&str]) -> bool {
        let (mut part, mut at) = (0, 0);
        // Behind the last `Any`, and the first word that is not left to it.
        let mut again = None;
        while let Some(word) = words.get(at) {
            match self.parts.get(part) {
                Some(Part::Any) => {
                    part += 1;
                    again = Some((part, at));
                }
                Some(other) if other.takes(word) => (part, at) = (part + 1, at + 1),
                _ => {
                    let Some((behind, first)) = again else { return false };
                    again = Some((behind, first + 1));
                    (part, at) = (behind, first + 1);
                }
            }
        }
        self.parts[part..].iter().all(|part| matches!(part, Part::Any))
    }
}
