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

#[cfg(test)]
mod tests {
    use trolleybus_protocol::{ConsumerOptions, EventBus as _};

    use super::*;

    #[test]
    fn pages_follow_each_other_in_the_order_of_addresses() {
        let bus = Bus::new();
        let _consumers: Vec<_> =
            (0..250).map(|number| bus.consumer(format!("a{number:03}"))).collect();
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = bus.addresses(after.as_deref(), 100);
            let Some(last) = page.last() else { break };
            after = Some(last.address.as_str().to_owned());
            seen.extend(page.into_iter().map(|row| row.address));
        }
        let expected: Vec<_> = (0..250).map(|number| format!("a{number:03}").into()).collect();
        assert_eq!(seen, expected);
        assert!(bus.addresses(None, 0).is_empty());
    }

    #[test]
    fn rows_count_registrations_and_messages() {
        let bus = Bus::new();
        let _consumers = (bus.consumer("a"), bus.consumer("a"), bus.local_consumer("a"));
        let _pattern = bus.consumer_with("#", ConsumerOptions::new().pattern());
        bus.publish("a", "x").unwrap();
        bus.send("a", "x").unwrap();
        bus.send("b", "x").unwrap();
        let row = |page: Vec<Listed>| {
            let [row] = &page[..] else { panic!("not one row: {page:?}") };
            (row.address.as_str().to_owned(), row.registrations, row.local, row.messages)
        };
        assert_eq!(row(bus.addresses(None, 10)), ("a".to_owned(), 3, 1, 2));
        assert_eq!(row(bus.patterns(None, 10)), ("#".to_owned(), 1, 0, 3));
    }
}
