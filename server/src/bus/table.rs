//! The address table: who consumes what on this node.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::RwLock;
use trolleybus_protocol::Address;

use super::Handler;
use super::entry::{Entry, HandlerId};

/// Locks that registrations and look-ups are spread over; a power of two.
const SHARDS: usize = 32;

type Shard = RwLock<HashMap<Address, Arc<Entry>, RandomState>>;

/// Address to handlers. Look-ups touch one shard and one entry, each for an instant; messages
/// are delivered with no lock held.
pub(super) struct Table {
    shards: Box<[Shard]>,
    hasher: RandomState,
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

    pub(super) fn insert(
        &self,
        address: &Address,
        id: HandlerId,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) {
        let mut shard = self.shard(address.as_str()).write();
        shard.entry(address.clone()).or_default().push(id, is_local, handler);
    }

    /// True when it was there.
    pub(super) fn remove(&self, address: &Address, id: HandlerId) -> bool {
        let mut shard = self.shard(address.as_str()).write();
        let Some(entry) = shard.get(address.as_str()) else {
            return false;
        };
        let removed = entry.remove(id);
        if entry.len() == 0 {
            shard.remove(address.as_str());
        }
        removed
    }

    /// Empties the table and gives how many handlers that were.
    pub(super) fn clear(&self) -> usize {
        let mut removed = 0;
        for shard in &self.shards {
            let entries = std::mem::take(&mut *shard.write());
            removed += entries.values().map(|entry| entry.len()).sum::<usize>();
        }
        removed
    }

    /// Calls `visit` for each address, with one shard locked for reading at a time.
    pub(super) fn visit(&self, mut visit: impl FnMut(&Address, &Entry)) {
        for shard in &self.shards {
            for (address, entry) in &*shard.read() {
                visit(address, entry);
            }
        }
    }
}
