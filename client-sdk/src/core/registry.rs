//! Consumers by address or pattern: the first registers with the server, the last unregisters.

use alloc::vec::Vec;
use trolleybus_protocol::{Address, ConsumerOptions, Error, Overflow, Pattern};

use super::output::{ConsumerId, RequestId};

/// An address, or a pattern, with its consumers and what the server knows of it.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) address: Address,
    pub(super) is_pattern: bool,
    /// What the pattern means within this client.
    matcher: Option<Matcher>,
    /// That of the consumer which brought the registration about; others share it.
    pub(super) overflow: Overflow,
    /// The receipt that is waited for, or came.
    pub(super) receipt: Option<RequestId>,
    /// What the server said on the present connection.
    pub(super) outcome: Option<Result<(), Error>>,
    consumers: Vec<(ConsumerId, Scope)>,
    /// Whose turn it is among consumers that a local message may go to.
    turn: usize,
}

/// Which messages a consumer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Those of the whole bus; the address is registered with the server.
    Bus,
    /// Those of this client alone.
    Local,
}

/// Finds the addresses that a pattern means. It comes from outside, because who leaves that to
/// the server should not download it.
#[derive(Debug, Clone)]
pub struct Matcher {
    pattern: Pattern,
    matches: fn(&Pattern, &str) -> bool,
}

impl Matcher {
    /// Of a pattern.
    #[must_use]
    pub fn new(pattern: Pattern) -> Self {
        Self { pattern, matches: Pattern::matches }
    }

    fn matches(&self, address: &str) -> bool {
        (self.matches)(&self.pattern, address)
    }
}

/// Whether the server has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Nothing,
    Server,
}

/// Registrations, sorted by address, those of patterns apart.
#[derive(Debug, Default)]
pub(super) struct Registry {
    exact: Vec<Registration>,
    patterns: Vec<Registration>,
    last: u64,
}

impl Registry {
    /// Adds a consumer. The server has to hear of the first one, and of one more after a refusal.
    pub(super) fn add(
        &mut self,
        address: &Address,
        options: &ConsumerOptions,
        matcher: Option<Matcher>,
    ) -> (ConsumerId, Tell, &mut Registration) {
        self.last += 1;
        let id = ConsumerId(self.last);
        let scope = if options.local_only { Scope::Local } else { Scope::Bus };
        let rows = self.rows(options.is_pattern);
        let at = match position(rows, address.as_str()) {
            Ok(at) => at,
            Err(at) => {
                rows.insert(at, Registration::new(address, options.is_pattern));
                at
            }
        };
        let row = &mut rows[at];
        let refused = matches!(row.outcome, Some(Err(_)));
        let is_new = scope == Scope::Bus && (refused || !row.is_on_bus());
        if is_new {
            row.overflow = options.overflow;
        }
        row.matcher = matcher.or(row.matcher.take());
        row.consumers.push((id, scope));
        (id, if is_new { Tell::Server } else { Tell::Nothing }, row)
    }

    /// Removes a consumer; gives the registration when it was the last one that the server knew.
    pub(super) fn remove(&mut self, id: ConsumerId) -> Option<Registration> {
        remove(&mut self.exact, id).or_else(|| remove(&mut self.patterns, id)).flatten()
    }

    /// The registration of an address, or a pattern.
    pub(super) fn row(&mut self, address: &str, is_pattern: bool) -> Option<&mut Registration> {
        let rows = self.rows(is_pattern);
        position(rows, address).ok().map(|at| &mut rows[at])
    }

    /// The registration that waits for a receipt.
    pub(super) fn awaiting(&mut self, receipt: RequestId) -> Option<&mut Registration> {
        self.all().find(|row| row.receipt == Some(receipt))
    }

    /// Registrations that the server has to know.
    pub(super) fn on_bus(&mut self) -> impl Iterator<Item = &mut Registration> {
        self.all().filter(|row| row.is_on_bus())
    }

    /// What the server said holds no longer.
    pub(super) fn forget(&mut self) {
        for row in self.all() {
            (row.receipt, row.outcome) = (None, None);
        }
    }

    /// Consumers that a message of this client reaches without the server, by registration: local
    /// ones, and all when the message itself is bound to this client.
    pub(super) fn within(
        &mut self,
        address: &str,
        local_only: bool,
    ) -> Vec<(&mut Registration, Vec<ConsumerId>)> {
        let exact = match position(&self.exact, address) {
            Ok(at) => &mut self.exact[at..=at],
            Err(_) => &mut [],
        };
        let meant = |row: &&mut Registration| {
            row.matcher.as_ref().is_some_and(|matcher| matcher.matches(address))
        };
        let rows = exact.iter_mut().chain(self.patterns.iter_mut().filter(meant));
        let groups = rows.map(|row| {
            let consumers = row.select(|scope| local_only || scope == Scope::Local);
            (row, consumers)
        });
        groups.filter(|(_, consumers)| !consumers.is_empty()).collect()
    }

    /// One of [`Registry::within`], each in turn, with the pattern that it consumes.
    pub(super) fn one_within(
        &mut self,
        address: &str,
        local_only: bool,
    ) -> Option<(ConsumerId, Option<Address>)> {
        let mut groups = self.within(address, local_only);
        let len = groups.iter().map(|(_, consumers)| consumers.len()).sum();
        let turn = &mut groups.first_mut()?.0.turn;
        let mut index = turn.checked_rem(len)?;
        *turn = turn.wrapping_add(1);
        for (row, consumers) in groups {
            match consumers.get(index) {
                Some(id) => return Some((*id, row.pattern())),
                None => index -= consumers.len(),
            }
        }
        None
    }

    fn rows(&mut self, is_pattern: bool) -> &mut Vec<Registration> {
        if is_pattern { &mut self.patterns } else { &mut self.exact }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Registration> {
        self.exact.iter_mut().chain(&mut self.patterns)
    }
}

fn position(rows: &[Registration], address: &str) -> Result<usize, usize> {
    rows.binary_search_by(|row| row.address.as_str().cmp(address))
}

/// None when the consumer is not among them; an inner none when the server need not know.
#[expect(clippy::option_option, reason = "two different absences, and the caller serves both")]
fn remove(rows: &mut Vec<Registration>, id: ConsumerId) -> Option<Option<Registration>> {
    let holds = |row: &Registration| row.consumers.iter().position(|(held, _)| *held == id);
    let (at, index) =
        rows.iter().enumerate().find_map(|(at, row)| holds(row).map(|index| (at, index)))?;
    let row = &mut rows[at];
    let (_, scope) = row.consumers.remove(index);
    let left = scope == Scope::Bus && !row.is_on_bus();
    if row.consumers.is_empty() {
        let row = rows.remove(at);
        return Some(left.then_some(row));
    }
    if !left {
        return Some(None);
    }
    // Local ones stay, without what the server knew.
    let mut local = Registration::new(&row.address, row.is_pattern);
    (local.consumers, local.turn) = (core::mem::take(&mut row.consumers), row.turn);
    local.matcher = row.matcher.take();
    Some(Some(core::mem::replace(row, local)))
}

impl Registration {
    fn new(address: &Address, is_pattern: bool) -> Self {
        let address = address.detached();
        Self {
            address,
            is_pattern,
            matcher: None,
            overflow: Overflow::default(),
            receipt: None,
            outcome: None,
            consumers: Vec::new(),
            turn: 0,
        }
    }

    /// The pattern, if it is one.
    pub(super) fn pattern(&self) -> Option<Address> {
        self.is_pattern.then(|| self.address.clone())
    }

    /// Consumers that the server's messages go to.
    pub(super) fn bus_consumers(&self) -> Vec<ConsumerId> {
        self.select(|scope| scope == Scope::Bus)
    }

    fn is_on_bus(&self) -> bool {
        self.consumers.iter().any(|(_, scope)| *scope == Scope::Bus)
    }

    fn select(&self, fits: impl Fn(Scope) -> bool) -> Vec<ConsumerId> {
        let fitting = self.consumers.iter().filter(|(_, scope)| fits(*scope));
        fitting.map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> ConsumerOptions {
        ConsumerOptions::new().local_only()
    }

    fn bus() -> ConsumerOptions {
        ConsumerOptions::new()
    }

    fn add(
        registry: &mut Registry,
        address: &str,
        options: &ConsumerOptions,
    ) -> (ConsumerId, Tell) {
        let pattern = options.is_pattern.then(|| Pattern::parse(address).unwrap());
        let (id, tell, _) = registry.add(&address.into(), options, pattern.map(Matcher::new));
        (id, tell)
    }

    fn within(registry: &mut Registry, address: &str, local_only: bool) -> Vec<ConsumerId> {
        let groups = registry.within(address, local_only).into_iter();
        groups.flat_map(|(_, consumers)| consumers).collect()
    }

    #[test]
    fn first_registers_and_last_unregisters() {
        let mut registry = Registry::default();
        let (on_this_side, tell) = add(&mut registry, "a", &local());
        assert_eq!(tell, Tell::Nothing);
        let (first, tell) = add(&mut registry, "a", &bus());
        assert_eq!(tell, Tell::Server);
        let (second, tell) = add(&mut registry, "a", &bus());
        assert_eq!(tell, Tell::Nothing);
        assert_eq!(registry.row("a", false).unwrap().bus_consumers(), [first, second]);
        assert_eq!(within(&mut registry, "a", false), [on_this_side]);
        assert_eq!(within(&mut registry, "a", true), [on_this_side, first, second]);
        assert!(registry.remove(first).is_none());
        assert_eq!(registry.remove(second).unwrap().address.as_str(), "a");
        assert!(registry.remove(second).is_none());
        assert_eq!(registry.on_bus().count(), 0);
        assert_eq!(within(&mut registry, "a", false), [on_this_side]);
        assert!(registry.remove(on_this_side).is_none());
        assert_eq!(registry.all().count(), 0);
    }

    #[test]
    fn address_and_pattern_of_one_text_are_two_registrations() {
        let mut registry = Registry::default();
        let (exact, _) = add(&mut registry, "a.*", &bus());
        let (pattern, tell) = add(&mut registry, "a.*", &bus().pattern());
        assert_eq!(tell, Tell::Server);
        assert_eq!(registry.row("a.*", false).unwrap().bus_consumers(), [exact]);
        assert_eq!(registry.row("a.*", true).unwrap().bus_consumers(), [pattern]);
        assert_eq!(within(&mut registry, "a.*", true), [exact, pattern]);
        assert_eq!(within(&mut registry, "a.b", true), [pattern]);
        assert!(registry.remove(pattern).unwrap().is_pattern);
    }

    #[test]
    fn local_messages_take_turns() {
        let mut registry = Registry::default();
        let (first, _) = add(&mut registry, "a.b", &local());
        let (second, _) = add(&mut registry, "a.b", &local());
        let (third, _) = add(&mut registry, "a.>", &local().pattern());
        let mut next = || registry.one_within("a.b", false);
        assert_eq!([next(), next()], [Some((first, None)), Some((second, None))]);
        assert_eq!([next(), next()], [Some((third, Some("a.>".into()))), Some((first, None))]);
        assert_eq!(registry.one_within("b", true), None);
    }
}
