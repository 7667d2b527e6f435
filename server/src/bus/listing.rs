//! What is consumed on this node, page by page, for whoever operates it.

use std::collections::BTreeMap;

use trolleybus_protocol::Address;

use super::Bus;
use super::entry::{Entry, Tally};

/// Most rows of one page.
pub const PAGE_MAX: usize = 1000;

/// An address or pattern that is consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The address, or the pattern's text.
    pub address: Address,
    /// How many registrations it has.
    pub registrations: usize,
    /// How many of them are for this node's messages only.
    pub local: usize,
    /// Messages that came for it since its first registration that still stands. A rate is the
    /// difference of two listings.
    pub messages: u64,
}

impl Bus {
    /// The addresses that are consumed, in the order of their texts: at most `limit` of those after
    /// `after`, and at most [`PAGE_MAX`]. Looks at all of them, with a small part of the table
    /// locked for reading at a time; no page is a snapshot of one moment.
    #[must_use]
    pub fn addresses(&self, after: Option<&str>, limit: usize) -> Vec<Listed> {
        self.addresses_under("", after, limit)
    }

    /// Those of [`Bus::addresses`] whose text begins with `prefix`.
    #[must_use]
    pub fn addresses_under(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Listed> {
        let mut page = Page::new(prefix, after, limit);
        self.shared().table.visit(|address, entry| page.offer(address, entry));
        page.into_rows()
    }

    /// The patterns that are consumed, as [`Bus::addresses`].
    #[must_use]
    pub fn patterns(&self, after: Option<&str>, limit: usize) -> Vec<Listed> {
        self.patterns_under("", after, limit)
    }

    /// Those of [`Bus::patterns`] whose text begins with `prefix`.
    #[must_use]
    pub fn patterns_under(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Listed> {
        let mut page = Page::new(prefix, after, limit);
        self.shared().patterns.visit(|found| page.offer(found.pattern.address(), &found.entry));
        page.into_rows()
    }
}

/// The first rows after a text.
struct Page<'a> {
    prefix: &'a str,
    after: Option<&'a str>,
    limit: usize,
    rows: BTreeMap<Address, Tally>,
}

impl<'a> Page<'a> {
    fn new(prefix: &'a str, after: Option<&'a str>, limit: usize) -> Self {
        Self { prefix, after, limit: limit.min(PAGE_MAX), rows: BTreeMap::new() }
    }

    fn offer(&mut self, address: &Address, entry: &Entry) {
        let is_behind = self.after.is_none_or(|after| address.as_str() > after);
        if !is_behind || !address.as_str().starts_with(self.prefix) || self.limit == 0 {
            return;
        }
        if self.rows.len() == self.limit {
            if self.rows.last_key_value().is_some_and(|(last, _)| last < address) {
                return;
            }
            self.rows.pop_last();
        }
        self.rows.insert(address.clone(), entry.tally());
    }

    fn into_rows(self) -> Vec<Listed> {
        let row = |(address, tally)| {
            let Tally { registrations, local, messages } = tally;
            Listed { address, registrations, local, messages }
        };
        self.rows.into_iter().map(row).collect()
    }
}
