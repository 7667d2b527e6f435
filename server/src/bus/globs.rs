//! Patterns that go on behind a `#`: what is left of an address against what is left of a pattern.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use trolleybus_protocol::{Address, Pattern, Word};

use super::Handler;
use super::entry::HandlerId;
use super::patterns::PatternEntry;

/// Patterns that are the same up to a `#`, each by its text. In a tree of words, each word of an
/// address would lead to each word of each of them again; here those are tried of which the last
/// exact word stands in the address.
#[derive(Default)]
pub(super) struct Globs {
    by_word: HashMap<Box<str>, ByText, RandomState>,
    /// Those of wildcards alone.
    wild: ByText,
}

type ByText = HashMap<Address, Glob, RandomState>;

/// A pattern from its first `#` on.
struct Glob {
    entry: Arc<PatternEntry>,
    parts: Box<[Part]>,
}

/// The word of a pattern that its address must have.
fn last_exact<'a>(words: &[Word<'a>]) -> Option<&'a str> {
    words.iter().rev().find_map(|word| match word {
        Word::Exact(word) => Some(*word),
        _ => None,
    })
}

impl Globs {
    pub(super) fn is_empty(&self) -> bool {
        self.by_word.is_empty() && self.wild.is_empty()
    }

    /// The place of a pattern with these words to go, the first of which is `Any`; what `new` gives
    /// if it is not there.
    pub(super) fn place(
        &mut self,
        pattern: &Pattern,
        words: &[Word<'_>],
        new: impl FnOnce() -> Arc<PatternEntry>,
    ) -> &Arc<PatternEntry> {
        let globs = match last_exact(words) {
            Some(word) => self.by_word.entry(word.into()).or_default(),
            None => &mut self.wild,
        };
        let glob = globs.entry(pattern.address().clone());
        &glob.or_insert_with(|| Glob::new(new(), words)).entry
    }

    /// Removes a handler of a pattern with these words to go.
    pub(super) fn remove(
        &mut self,
        pattern: &Pattern,
        words: &[Word<'_>],
        id: HandlerId,
    ) -> Option<Arc<dyn Handler>> {
        let Some(word) = last_exact(words) else {
            return remove_from(&mut self.wild, pattern, id);
        };
        let globs = self.by_word.get_mut(word)?;
        let removed = remove_from(globs, pattern, id);
        if globs.is_empty() {
            self.by_word.remove(word);
        }
        removed
    }

    /// Adds those that mean an address of which these words are left, none if they are too many.
    pub(super) fn find<'a>(
        &self,
        words: impl Iterator<Item = &'a str>,
        at_most: usize,
        found: &mut Vec<Arc<PatternEntry>>,
    ) {
        let words: Vec<_> = words.take(at_most + 1).collect();
        if words.len() > at_most {
            return;
        }
        let first = |(at, word): &(usize, &&str)| !words[..*at].contains(word);
        let with_word = words.iter().enumerate().filter(first);
        let with_word = with_word.filter_map(|(_, word)| self.by_word.get(*word));
        let globs = with_word.chain([&self.wild]).flat_map(HashMap::values);
        let matching = globs.filter(|glob| glob.matches(&words));
        found.extend(matching.map(|glob| Arc::clone(&glob.entry)));
    }

    pub(super) fn visit(&self, visit: &mut impl FnMut(&PatternEntry)) {
        let globs = self.by_word.values().chain([&self.wild]).flat_map(HashMap::values);
        globs.for_each(|glob| visit(&glob.entry));
    }
}

fn remove_from(globs: &mut ByText, pattern: &Pattern, id: HandlerId) -> Option<Arc<dyn Handler>> {
    let entry = &globs.get(pattern.address())?.entry.entry;
    let removed = entry.remove(id);
    if entry.len() == 0 {
        globs.remove(pattern.address());
    }
    removed
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
    fn new(entry: Arc<PatternEntry>, words: &[Word<'_>]) -> Self {
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
    fn matches(&self, words: &[&str]) -> bool {
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
