//! Patterns that are consumed, in an index whose cost depends on what an address could match:
//! one tree of words for each style, so that patterns that differ early are never looked at.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use ahash::RandomState;
use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use trolleybus_protocol::{Pattern, Style, Word};

use super::Handler;
use super::entry::{Entry, HandlerId};
use super::extras::{Extras, Switch};
use super::globs::Globs;
use super::message::Through;

/// A consumed pattern and its handlers.
pub(super) struct PatternEntry {
    pub(super) pattern: Arc<Pattern>,
    /// What its messages come through.
    pub(super) through: Arc<Through>,
    pub(super) entry: Entry,
    /// How many came before it: gives patterns an order.
    number: u64,
}

/// All consumed patterns. Each thread looks at them through a lock of its own; a registration takes
/// the locks of all.
pub(super) struct Patterns(ShardedLock<Trees>);

#[derive(Default)]
struct Trees {
    /// The number of the next pattern that comes.
    next: u64,
    words: Node,
    levels: Node,
}

type Slot = Option<Arc<PatternEntry>>;

/// What the words up to here lead to. An address comes to a node in one way only, so looking one up
/// never takes more steps than there are nodes.
#[derive(Default)]
struct Node {
    exact: HashMap<Box<str>, Self, RandomState>,
    one: Option<Box<Self>>,
    /// The pattern that ends here.
    here: Slot,
    /// The pattern that ends here with one word or more to follow.
    rest: Slot,
    /// The pattern that ends here with any number of words to follow.
    all: Slot,
    /// Patterns that go on behind an `Any`.
    globs: Option<Box<Globs>>,
}

/// What comes next of a pattern.
enum Step<'a> {
    End,
    OneOrMore,
    All,
    /// These words, of which the first is `Any`.
    Glob(&'a [Word<'a>]),
    Exact(&'a str),
    One,
}

impl<'a> Step<'a> {
    /// With what is behind it.
    fn of(words: &'a [Word<'a>]) -> (Self, &'a [Word<'a>]) {
        let Some((word, further)) = words.split_first() else { return (Self::End, words) };
        let step = match word {
            Word::OneOrMore => Self::OneOrMore,
            Word::Any if further.is_empty() => Self::All,
            Word::Any => Self::Glob(words),
            Word::Exact(word) => Self::Exact(word),
            Word::One => Self::One,
        };
        (step, further)
    }
}

impl Patterns {
    pub(super) fn new() -> Self {
        Self(ShardedLock::new(Trees::default()))
    }

    fn read(&self) -> ShardedLockReadGuard<'_, Trees> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> ShardedLockWriteGuard<'_, Trees> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(
        &self,
        switch: &Switch,
        pattern: &Arc<Pattern>,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) -> HandlerId {
        let mut trees = self.write();
        let number = trees.next;
        trees.next += 1;
        let new = || {
            let (pattern, entry) = (Arc::clone(pattern), Entry::default());
            let through = Arc::new(Through::new(Arc::clone(&pattern)));
            Arc::new(PatternEntry { pattern, through, entry, number })
        };
        let words: Vec<_> = pattern.words().collect();
        let tree = trees.tree_mut(pattern.style());
        let id = tree.place(pattern, &words, new).entry.push(is_local, handler);
        switch.set(Extras::PATTERNS, true);
        id
    }

    /// True when it was there.
    pub(super) fn remove(&self, switch: &Switch, pattern: &Pattern, id: HandlerId) -> bool {
        let mut trees = self.write();
        let words: Vec<_> = pattern.words().collect();
        let removed = trees.tree_mut(pattern.style()).remove(pattern, &words, id);
        switch.set(Extras::PATTERNS, !trees.is_empty());
        drop(trees);
        removed.is_some()
    }

    /// Removes all and gives how many handlers that were.
    pub(super) fn clear(&self, switch: &Switch) -> usize {
        let mut trees = self.write();
        let removed = std::mem::take(&mut *trees);
        switch.set(Extras::PATTERNS, false);
        drop(trees);
        let mut handlers = 0;
        removed.visit(&mut |entry| handlers += entry.entry.len());
        handlers
    }

    /// The patterns that mean an address, oldest first.
    pub(super) fn find(&self, address: &str) -> Vec<Arc<PatternEntry>> {
        let mut found = Vec::new();
        let trees = self.read();
        for style in [Style::Words, Style::Levels] {
            let tree = trees.tree(style);
            if !tree.is_empty() {
                tree.find(&address.split(style.separator()), &mut found);
            }
        }
        drop(trees);
        found.sort_unstable_by_key(|entry| entry.number);
        found
    }

    /// Calls `visit` for each pattern, with the index locked for reading.
    pub(super) fn visit(&self, mut visit: impl FnMut(&PatternEntry)) {
        self.read().visit(&mut visit);
    }
}

impl Trees {
    fn tree(&self, style: Style) -> &Node {
        match style {
            Style::Words => &self.words,
            Style::Levels => &self.levels,
        }
    }

    fn tree_mut(&mut self, style: Style) -> &mut Node {
        match style {
            Style::Words => &mut self.words,
            Style::Levels => &mut self.levels,
        }
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.levels.is_empty()
    }

    fn visit(&self, visit: &mut impl FnMut(&PatternEntry)) {
        self.words.visit(visit);
        self.levels.visit(visit);
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        let slots = [&self.here, &self.rest, &self.all];
        let is_leaf = self.exact.is_empty() && self.one.is_none() && self.globs.is_none();
        is_leaf && slots.iter().all(|slot| slot.is_none())
    }

    /// The place of a pattern with these words to go; what `new` gives if it is not there.
    fn place<'n, 'w>(
        &'n mut self,
        pattern: &Pattern,
        mut words: &'w [Word<'w>],
        new: impl FnOnce() -> Arc<PatternEntry>,
    ) -> &'n Arc<PatternEntry> {
        let mut node = self;
        loop {
            let (step, further) = Step::of(words);
            words = further;
            node = match step {
                Step::End => return node.here.get_or_insert_with(new),
                Step::OneOrMore => return node.rest.get_or_insert_with(new),
                Step::All => return node.all.get_or_insert_with(new),
                Step::Glob(words) => {
                    return node.globs.get_or_insert_default().place(pattern, words, new);
                }
                Step::Exact(word) => node.exact.entry(word.into()).or_default(),
                Step::One => node.one.get_or_insert_default(),
            };
        }
    }

    /// Removes a handler, and every node that leads nowhere without it. As deep as a pattern has
    /// words, so bounded.
    fn remove(
        &mut self,
        pattern: &Pattern,
        words: &[Word<'_>],
        id: HandlerId,
    ) -> Option<Arc<dyn Handler>> {
        let (step, further) = Step::of(words);
        match step {
            Step::End => remove_from(&mut self.here, id),
            Step::OneOrMore => remove_from(&mut self.rest, id),
            Step::All => remove_from(&mut self.all, id),
            Step::Glob(words) => {
                let globs = self.globs.as_mut()?;
                let removed = globs.remove(pattern, words, id);
                if globs.is_empty() {
                    self.globs = None;
                }
                removed
            }
            Step::Exact(word) => {
                let node = self.exact.get_mut(word)?;
                let removed = node.remove(pattern, further, id);
                if node.is_empty() {
                    self.exact.remove(word);
                }
                removed
            }
            Step::One => {
                let node = self.one.as_mut()?;
                let removed = node.remove(pattern, further, id);
                if node.is_empty() {
                    self.one = None;
                }
                removed
            }
        }
    }

    /// Follows all ways at once that the words may take through the tree, which is no deeper than
    /// patterns have words.
    fn find<'a>(
        &self,
        all: &(impl Iterator<Item = &'a str> + Clone),
        found: &mut Vec<Arc<PatternEntry>>,
    ) {
        let (mut reached, mut next) = (Vec::with_capacity(8), Vec::with_capacity(8));
        reached.push(self);
        let (mut words, mut passed) = (all.clone(), 0);
        while !reached.is_empty() {
            let word = words.next();
            for node in reached.drain(..) {
                if let Some(entry) = &node.all {
                    found.push(Arc::clone(entry));
                }
                if let Some(globs) = &node.globs {
                    globs.find(all.clone().skip(passed), Pattern::MAX_WORDS - passed, found);
                }
                match word {
                    Some(word) => node.step(word, &mut next, found),
                    None => found.extend(node.here.clone()),
                }
            }
            std::mem::swap(&mut reached, &mut next);
            passed += 1;
        }
    }

    /// Where one more word leads from here.
    fn step<'n>(
        &'n self,
        word: &str,
        next: &mut Vec<&'n Self>,
        found: &mut Vec<Arc<PatternEntry>>,
    ) {
        if let Some(rest) = &self.rest {
            found.push(Arc::clone(rest));
        }
        if let Some(node) = self.exact.get(word) {
            next.push(node);
        }
        if let Some(node) = &self.one {
            next.push(node);
        }
    }

    fn visit(&self, visit: &mut impl FnMut(&PatternEntry)) {
        let slots = [&self.here, &self.rest, &self.all].into_iter().flatten();
        slots.for_each(|entry| visit(entry));
        self.globs.iter().for_each(|globs| globs.visit(visit));
        for node in self.exact.values().chain(self.one.as_deref()) {
            node.visit(visit);
        }
    }
}

fn remove_from(slot: &mut Slot, id: HandlerId) -> Option<Arc<dyn Handler>> {
    let entry = slot.as_ref()?;
    let removed = entry.entry.remove(id);
    if entry.entry.len() == 0 {
        *slot = None;
    }
    removed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bus::{Delivery, Message};

    struct Nothing;

    impl Handler for Nothing {
        fn deliver(&self, _: &Message) -> Delivery {
            Delivery::Taken
        }
    }

    fn index(patterns: &[Arc<Pattern>]) -> (Patterns, Switch) {
        let (index, switch) = (Patterns::new(), Switch::default());
        for pattern in patterns {
            assert_eq!(index.insert(&switch, pattern, false, Arc::new(Nothing)), 0);
        }
        (index, switch)
    }

    fn texts(found: &[Arc<PatternEntry>]) -> Vec<&str> {
        found.iter().map(|entry| entry.pattern.as_str()).collect()
    }

    proptest! {
        #[test]
        fn the_index_finds_what_patterns_match_and_is_left_empty(
            texts_of_patterns in proptest::collection::vec("([ab*#]|>)([./+]([ab*#+]|>)){0,4}", 1..20),
            addresses in proptest::collection::vec("[ab]?([./][ab]?){0,6}", 1..20),
        ) {
            let mut patterns: Vec<_> = texts_of_patterns.iter()
                .filter_map(|text| Pattern::parse(text.as_str()).ok().map(Arc::new)).collect();
            patterns.sort();
            patterns.dedup();
            let (index, switch) = index(&patterns);
            for address in &addresses {
                let matching: Vec<_> = patterns.iter()
                    .filter(|pattern| pattern.matches(address)).map(|pattern| pattern.as_str())
                    .collect();
                let found = index.find(address);
                prop_assert_eq!(texts(&found), matching, "{}", address);
            }
            for pattern in &patterns {
                prop_assert!(switch.load().has(Extras::PATTERNS));
                prop_assert!(index.remove(&switch, pattern, 0));
                prop_assert!(!index.remove(&switch, pattern, 0));
            }
            prop_assert!(index.read().is_empty());
            prop_assert!(!switch.load().has(Extras::PATTERNS));
        }
    }

    /// A thousand patterns, each of which may begin anywhere, and an address of a quarter of a
    /// megabyte: it was minutes, in which the index was locked.
    #[test]
    fn patterns_that_begin_anywhere_do_not_try_all_words_of_a_long_address() {
        let pattern = |number: usize| {
            let word = |bit: usize| if number >> bit & 1 == 0 { "#.a" } else { "#.*" };
            let words: Vec<_> = (0..31).map(|bit| word(bit % 10)).collect();
            Arc::new(Pattern::parse(format!("{}.b", words.join("."))).unwrap())
        };
        let patterns: Vec<_> = (0..1000).map(pattern).collect();
        let (index, _) = index(&patterns);
        let began = std::time::Instant::now();
        assert!(index.find(&["a"; 130_000].join(".")).is_empty());
        assert_eq!(index.find(&(["a"; 63].join(".") + ".b")).len(), 1000);
        assert!(index.find(&["a"; 64].join(".")).is_empty());
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
