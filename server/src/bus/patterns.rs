//! Patterns that are consumed, in an index whose cost depends on what an address could match:
//! one tree of words for each style, so that patterns that differ early are never looked at.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::RwLock;
use trolleybus_protocol::{Pattern, Style, Word};

use super::Handler;
use super::entry::{Entry, HandlerId};
use super::extras::{Extras, Switch};

/// A consumed pattern and its handlers.
pub(super) struct PatternEntry {
    pub(super) pattern: Arc<Pattern>,
    pub(super) entry: Entry,
    /// The id of its first handler: gives patterns an order.
    first: HandlerId,
}

/// All consumed patterns.
#[derive(Default)]
pub(super) struct Patterns(RwLock<Trees>);

#[derive(Default)]
struct Trees {
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
        Self::default()
    }

    pub(super) fn insert(
        &self,
        switch: &Switch,
        pattern: &Arc<Pattern>,
        id: HandlerId,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) {
        let mut trees = self.0.write();
        let slot = trees.tree_mut(pattern.style()).slot(pattern.words());
        let new = || {
            let (pattern, entry) = (Arc::clone(pattern), Entry::default());
            Arc::new(PatternEntry { pattern, entry, first: id })
        };
        slot.get_or_insert_with(new).entry.push(id, is_local, handler);
        switch.set(Extras::PATTERNS, true);
    }

    /// True when it was there.
    pub(super) fn remove(&self, switch: &Switch, pattern: &Pattern, id: HandlerId) -> bool {
        let mut trees = self.0.write();
        let words: Vec<_> = pattern.words().collect();
        let removed = trees.tree_mut(pattern.style()).remove(&words, id);
        switch.set(Extras::PATTERNS, !trees.is_empty());
        removed
    }

    /// Removes all and gives how many handlers that were.
    pub(super) fn clear(&self, switch: &Switch) -> usize {
        let mut trees = self.0.write();
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
        let trees = self.0.read();
        for style in [Style::Words, Style::Levels] {
            let tree = trees.tree(style);
            if !tree.is_empty() {
                tree.find(address.split(style.separator()), &mut found);
            }
        }
        drop(trees);
        if found.len() > 1 {
            // One may have been found over several ways.
            found.sort_unstable_by_key(|entry| entry.first);
            found.dedup_by_key(|entry| entry.first);
        }
        found
    }

    /// Calls `visit` for each pattern, with the index locked for reading.
    pub(super) fn visit(&self, mut visit: impl FnMut(&PatternEntry)) {
        self.0.read().visit(&mut visit);
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
    fn remove(&mut self, words: &[Word<'_>], id: HandlerId) -> bool {
        let Some((word, further)) = words.split_first() else {
            return remove_from(&mut self.here, id);
        };
        match word {
            Word::OneOrMore => remove_from(&mut self.rest, id),
            Word::Exact(word) => {
                let Some(node) = self.exact.get_mut(*word) else { return false };
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

fn remove_from(slot: &mut Option<Arc<PatternEntry>>, id: HandlerId) -> bool {
    let Some(entry) = slot else { return false };
    let removed = entry.entry.remove(id);
    if entry.entry.len() == 0 {
        *slot = None;
    }
    removed
}

fn remove_below(below: &mut Option<Box<Node>>, words: &[Word<'_>], id: HandlerId) -> bool {
    let Some(node) = below else { return false };
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
        for (id, pattern) in patterns.iter().enumerate() {
            index.insert(&switch, pattern, id as u64, false, Arc::new(Nothing));
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
            for (id, pattern) in patterns.iter().enumerate() {
                prop_assert!(switch.load().has(Extras::PATTERNS));
                prop_assert!(index.remove(&switch, pattern, id as u64));
                prop_assert!(!index.remove(&switch, pattern, id as u64));
            }
            prop_assert!(index.0.read().is_empty());
            prop_assert!(!switch.load().has(Extras::PATTERNS));
        }
    }
}
