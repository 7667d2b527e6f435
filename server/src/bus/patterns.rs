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

/// A consumed pattern and its handlers.
pub(super) struct PatternEntry {
    pub(super) pattern: Arc<Pattern>,
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

/// What the words up to here lead to.
#[derive(Default)]
struct Node {
    exact: HashMap<Box<str>, Self, RandomState>,
    one: Option<Box<Self>>,
    any: Option<Box<Self>>,
    /// This node stands for `Any`: it takes any number of words.
    takes_all: bool,
    /// The pattern that ends here.
    here: Option<Arc<PatternEntry>>,
    /// The pattern that ends here with one word or more to follow.
    rest: Option<Arc<PatternEntry>>,
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
        let slot = trees.tree_mut(pattern.style()).slot(pattern.words());
        let new = || {
            let (pattern, entry) = (Arc::clone(pattern), Entry::default());
            Arc::new(PatternEntry { pattern, entry, number })
        };
        let id = slot.get_or_insert_with(new).entry.push(is_local, handler);
        switch.set(Extras::PATTERNS, true);
        id
    }

    /// True when it was there.
    pub(super) fn remove(&self, switch: &Switch, pattern: &Pattern, id: HandlerId) -> bool {
        let mut trees = self.write();
        let words: Vec<_> = pattern.words().collect();
        let removed = trees.tree_mut(pattern.style()).remove(&words, id);
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
                tree.find(address.split(style.separator()), &mut found);
            }
        }
        drop(trees);
        if found.len() > 1 {
            // One may have been found over several ways.
            found.sort_unstable_by_key(|entry| entry.number);
            found.dedup_by_key(|entry| entry.number);
        }
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
        let is_leaf = self.exact.is_empty() && self.one.is_none() && self.any.is_none();
        is_leaf && self.here.is_none() && self.rest.is_none()
    }

    /// The place of a pattern, made if it is not there.
    fn slot<'a>(
        &mut self,
        mut words: impl Iterator<Item = Word<'a>>,
    ) -> &mut Option<Arc<PatternEntry>> {
        let mut node = self;
        loop {
            node = match words.next() {
                None => return &mut node.here,
                Some(Word::OneOrMore) => return &mut node.rest,
                Some(Word::Exact(word)) => node.exact.entry(word.into()).or_default(),
                Some(Word::One) => node.one.get_or_insert_default(),
                Some(Word::Any) => {
                    let node = node.any.get_or_insert_default();
                    node.takes_all = true;
                    node
                }
            };
        }
    }

    /// Removes a handler, and every node that leads nowhere without it. As deep as a pattern has
    /// words, so bounded.
    fn remove(&mut self, words: &[Word<'_>], id: HandlerId) -> Option<Arc<dyn Handler>> {
        let Some((word, further)) = words.split_first() else {
            return remove_from(&mut self.here, id);
        };
        match word {
            Word::OneOrMore => remove_from(&mut self.rest, id),
            Word::Exact(word) => {
                let node = self.exact.get_mut(*word)?;
                let removed = node.remove(further, id);
                if node.is_empty() {
                    self.exact.remove(*word);
                }
                removed
            }
            Word::One => remove_below(&mut self.one, further, id),
            Word::Any => remove_below(&mut self.any, further, id),
        }
    }

    /// Follows all ways at once that the words may take through the tree.
    fn find<'a>(&self, words: impl Iterator<Item = &'a str>, found: &mut Vec<Arc<PatternEntry>>) {
        let mut reached = Vec::with_capacity(8);
        let mut next = Vec::with_capacity(8);
        self.reach(&mut reached);
        for word in words {
            for node in reached.drain(..) {
                node.step(word, &mut next, found);
            }
            std::mem::swap(&mut reached, &mut next);
            if reached.is_empty() {
                return;
            }
            if reached.iter().filter(|node| node.takes_all).nth(1).is_some() {
                // Only such nodes can be reached in two ways: by staying, and from above.
                reached.sort_unstable_by_key(|node| std::ptr::from_ref::<Self>(node).addr());
                reached.dedup_by(|left, right| std::ptr::eq(*left, *right));
            }
        }
        found.extend(reached.iter().filter_map(|node| node.here.clone()));
    }

    /// Where one more word leads from here.
    fn step<'n>(
        &'n self,
        word: &str,
        next: &mut Vec<&'n Self>,
        found: &mut Vec<Arc<PatternEntry>>,
    ) {
        found.extend(self.rest.clone());
        if self.takes_all {
            next.push(self);
        }
        if let Some(node) = self.exact.get(word) {
            node.reach(next);
        }
        if let Some(node) = &self.one {
            node.reach(next);
        }
    }

    /// Adds this node, and those that no further word is needed for.
    fn reach<'n>(&'n self, reached: &mut Vec<&'n Self>) {
        let mut node = self;
        reached.push(node);
        while let Some(any) = &node.any {
            node = any;
            reached.push(node);
        }
    }

    fn visit(&self, visit: &mut impl FnMut(&PatternEntry)) {
        self.here.iter().chain(&self.rest).for_each(|entry| visit(entry));
        let wild = self.one.iter().chain(&self.any).map(|node| &**node);
        for node in self.exact.values().chain(wild) {
            node.visit(visit);
        }
    }
}

fn remove_from(slot: &mut Option<Arc<PatternEntry>>, id: HandlerId) -> Option<Arc<dyn Handler>> {
    let entry = slot.as_ref()?;
    let removed = entry.entry.remove(id);
    if entry.entry.len() == 0 {
        *slot = None;
    }
    removed
}

fn remove_below(
    below: &mut Option<Box<Node>>,
    words: &[Word<'_>],
    id: HandlerId,
) -> Option<Arc<dyn Handler>> {
    let node = below.as_mut()?;
    let removed = node.remove(words, id);
    if node.is_empty() {
        *below = None;
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
}
