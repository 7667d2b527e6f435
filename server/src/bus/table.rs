//! The address table: who consumes what on this node.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use ahash::RandomState;
use parking_lot::RwLock;
use trolleybus_protocol::Address;

use super::{AddressStats, Handler};

/// Locks that registrations and look-ups are spread over; a power of two.
const SHARDS: usize = 32;

pub(super) type HandlerId = u64;
type Handlers = Arc<[Arc<dyn Handler>]>;
type Shard = RwLock<HashMap<Address, Arc<Entry>, RandomState>>;

/// Address to handlers. Look-ups touch one shard and one entry, each for an instant; messages
/// are delivered with no lock held.
pub(super) struct Table {
    shards: Box<[Shard]>,
    hasher: RandomState,
}

/// All handlers of one address.
#[derive(Default)]
pub(super) struct Entry {
    next: AtomicUsize,
    messages: AtomicU64,
    list: RwLock<List>,
}

/// Handlers in the order of their registration, and the copy that publishing walks over. The
/// copy is made by the first publish after a change, so that many registrations in a row cost no
/// more than one publish.
#[derive(Default)]
struct List {
    handlers: Vec<(HandlerId, Arc<dyn Handler>)>,
    snapshot: Option<Handlers>,
}

impl Table {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        let shard = |_| RwLock::new(HashMap::with_hasher(hasher.clone()));
        Self { shards: (0..SHARDS).map(shard).collect(), hasher }
    }

    fn shard(&self, address: &str) -> &Shard {
        // The map inside a shard uses the low bits of the same hash and the top seven.
        let hash = self.hasher.hash_one(address) as usize;
        &self.shards[(hash >> 32) % SHARDS]
    }

    pub(super) fn find(&self, address: &str) -> Option<Arc<Entry>> {
        self.shard(address).read().get(address).cloned()
    }

    pub(super) fn insert(&self, address: &Address, id: HandlerId, handler: Arc<dyn Handler>) {
        let mut shard = self.shard(address.as_str()).write();
        let entry = shard.entry(address.clone()).or_default();
        let mut list = entry.list.write();
        list.snapshot = None;
        list.handlers.push((id, handler));
    }

    /// True when it was there.
    pub(super) fn remove(&self, address: &Address, id: HandlerId) -> bool {
        let mut shard = self.shard(address.as_str()).write();
        let Some(entry) = shard.get(address.as_str()) else {
            return false;
        };
        let mut list = entry.list.write();
        // Ids only grow, so the list is sorted by them.
        let Ok(index) = list.handlers.binary_search_by_key(&id, |(id, _)| *id) else {
            return false;
        };
        list.snapshot = None;
        list.handlers.remove(index);
        let is_empty = list.handlers.is_empty();
        drop(list);
        if is_empty {
            shard.remove(address.as_str());
        }
        true
    }

    /// At most `limit` addresses that start with `prefix` and sort behind `after`, in order. It
    /// walks over all addresses, one shard after the other.
    pub(super) fn page(&self, prefix: &str, after: &str, limit: usize) -> Vec<AddressStats> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.read();
            let wanted = shard.iter().filter(|(address, _)| {
                address.as_str() > after && address.as_str().starts_with(prefix)
            });
            found.extend(wanted.map(|(address, entry)| (address.clone(), Arc::clone(entry))));
            drop(shard);
            if found.len() > limit {
                found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                found.truncate(limit);
            }
        }
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let stats = |(address, entry): (Address, Arc<Entry>)| AddressStats {
            address,
            registrations: entry.list.read().handlers.len(),
            messages: entry.messages.load(Relaxed),
        };
        found.into_iter().map(stats).collect()
    }

    /// Empties the table and gives how many handlers that were.
    pub(super) fn clear(&self) -> usize {
        let mut removed = 0;
        for shard in &self.shards {
            let entries = std::mem::take(&mut *shard.write());
            removed +=
                entries.values().map(|entry| entry.list.read().handlers.len()).sum::<usize>();
        }
        removed
    }
}

impl Entry {
    /// All handlers as they stand, for one message.
    pub(super) fn snapshot(&self) -> Handlers {
        self.messages.fetch_add(1, Relaxed);
        if let Some(snapshot) = &self.list.read().snapshot {
            return Arc::clone(snapshot);
        }
        let mut list = self.list.write();
        let List { handlers, snapshot } = &mut *list;
        let copy = || handlers.iter().map(|(_, handler)| Arc::clone(handler)).collect();
        Arc::clone(snapshot.get_or_insert_with(copy))
    }

    /// The handler whose turn it is, and how many there are.
    pub(super) fn next(&self) -> Option<(Arc<dyn Handler>, usize)> {
        self.messages.fetch_add(1, Relaxed);
        let list = self.list.read();
        let count = list.handlers.len();
        if count == 0 {
            return None;
        }
        let turn = if count == 1 { 0 } else { self.next.fetch_add(1, Relaxed) % count };
        Some((Arc::clone(&list.handlers[turn].1), count))
    }
}
