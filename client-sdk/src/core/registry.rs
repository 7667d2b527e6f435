//! Consumers by address: the first registers with the server, the last unregisters.

use alloc::vec::Vec;
use trolleybus_protocol::Address;

use super::output::{ConsumerId, Scope};

#[derive(Debug)]
struct Registration {
    address: Address,
    consumers: Vec<(ConsumerId, Scope)>,
    /// Whose turn it is among consumers that a local message may go to.
    turn: usize,
}

/// Whether the server has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Nothing,
    Server,
}

/// Registrations, sorted by address.
#[derive(Debug, Default)]
pub(super) struct Registry {
    rows: Vec<Registration>,
    last: u64,
}

impl Registry {
    pub(super) fn add(&mut self, address: &Address, scope: Scope) -> (ConsumerId, Tell) {
        self.last += 1;
        let id = ConsumerId(self.last);
        let at = match self.position(address.as_str()) {
            Ok(at) => at,
            Err(at) => {
                let row =
                    Registration { address: address.detached(), consumers: Vec::new(), turn: 0 };
                self.rows.insert(at, row);
                at
            }
        };
        let row = &mut self.rows[at];
        let first = scope == Scope::Bus && !row.is_on_bus();
        row.consumers.push((id, scope));
        (id, if first { Tell::Server } else { Tell::Nothing })
    }

    /// Removes a consumer; gives the address when it was the last one that the server knew.
    pub(super) fn remove(&mut self, id: ConsumerId) -> Option<Address> {
        let holds = |row: &Registration| row.consumers.iter().position(|(held, _)| *held == id);
        let (at, index) = (self.rows.iter().enumerate())
            .find_map(|(at, row)| holds(row).map(|index| (at, index)))?;
        let row = &mut self.rows[at];
        let (_, scope) = row.consumers.remove(index);
        let address = row.address.clone();
        let left = scope == Scope::Bus && !row.is_on_bus();
        if row.consumers.is_empty() {
            self.rows.remove(at);
        }
        left.then_some(address)
    }

    /// Consumers that the server's message for `address` goes to.
    pub(super) fn on_bus(&self, address: &str) -> Vec<ConsumerId> {
        self.select(address, |scope| scope == Scope::Bus)
    }

    /// Consumers that a message of this client reaches without the server: local ones, and all
    /// when the message itself is bound to this client.
    pub(super) fn within(&self, address: &str, local_only: bool) -> Vec<ConsumerId> {
        self.select(address, |scope| local_only || scope == Scope::Local)
    }

    /// One of [`Registry::within`], each in turn.
    pub(super) fn one_within(&mut self, address: &str, local_only: bool) -> Option<ConsumerId> {
        let consumers = self.within(address, local_only);
        let at = self.position(address).ok()?;
        let turn = self.rows[at].turn;
        self.rows[at].turn = turn.wrapping_add(1);
        let index = turn.checked_rem(consumers.len())?;
        consumers.get(index).copied()
    }

    /// Addresses that the server has to know.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        let rows = self.rows.iter().filter(|row| row.is_on_bus());
        rows.map(|row| &row.address)
    }

    fn select(&self, address: &str, fits: impl Fn(Scope) -> bool) -> Vec<ConsumerId> {
        let Ok(at) = self.position(address) else {
            return Vec::new();
        };
        let consumers = self.rows[at].consumers.iter();
        let fitting = consumers.filter(|(_, scope)| fits(*scope));
        fitting.map(|(id, _)| *id).collect()
    }

    fn position(&self, address: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.address.as_str().cmp(address))
    }
}

impl Registration {
    fn is_on_bus(&self) -> bool {
        self.consumers.iter().any(|(_, scope)| *scope == Scope::Bus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_registers_and_last_unregisters() {
        let mut registry = Registry::default();
        let address = Address::from("a");
        let (local, tell) = registry.add(&address, Scope::Local);
        assert_eq!(tell, Tell::Nothing);
        let (first, tell) = registry.add(&address, Scope::Bus);
        assert_eq!(tell, Tell::Server);
        let (second, tell) = registry.add(&address, Scope::Bus);
        assert_eq!(tell, Tell::Nothing);
        assert_eq!(registry.on_bus("a"), [first, second]);
        assert_eq!(registry.within("a", false), [local]);
        assert_eq!(registry.within("a", true), [local, first, second]);
        assert_eq!(registry.remove(first), None);
        assert_eq!(registry.remove(second), Some(address.clone()));
        assert_eq!(registry.remove(second), None);
        assert_eq!(registry.addresses().count(), 0);
        assert_eq!(registry.remove(local), None);
        assert!(registry.rows.is_empty());
    }

    #[test]
    fn local_messages_take_turns() {
        let mut registry = Registry::default();
        let address = Address::from("a");
        let (first, _) = registry.add(&address, Scope::Local);
        let (second, _) = registry.add(&address, Scope::Local);
        let mut next = || registry.one_within("a", false);
        assert_eq!([next(), next(), next()], [Some(first), Some(second), Some(first)]);
        assert_eq!(registry.one_within("b", true), None);
    }
}
