//! The address table: who consumes what on this node.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use ahash::RandomState;
use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use trolleybus_protocol::Address;

use super::Handler;
use super::entry::{Entry, HandlerId};

/// Locks that addresses are spread over; a power of two.
const SHARDS: usize = 32;

type Entries = HashMap<Address, Box<Entry>, RandomState>;

/// Some of the addresses. Messages and most registrations only read the map, which each thread
/// does through a lock of its own; an address that comes or goes takes the locks of all.
#[repr(align(128))]
struct Shard(ShardedLock<Entries>);

impl Shard {
    fn read(&self) -> ShardedLockReadGuard<'_, Entries> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> ShardedLockWriteGuard<'_, Entries> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address to handlers. Look-ups touch one shard and one entry, each for an instant; messages
/// are delivered with no lock held.
pub(super) struct Table {
    shards: Box<[Shard]>,
    hasher: RandomState,
}

impl Table {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        let shard = |_| Shard(ShardedLock::new(HashMap::with_hasher(hasher.clone())));
        Self { shards: (0..SHARDS).map(shard).collect(), hasher }
    }

    #[inline]
    fn shard(&self, address: &str) -> &Shard {
        // The map inside a shard uses the low bits of the same hash and the top seven.
        let hash = self.hasher.hash_one(address) as usize;
        &self.shards[(hash >> 32) % SHARDS]
    }

    /// What `look` says of the entry of an address that is consumed. It must not call handlers,
    /// nor drop them.
    pub(super) fn look<T>(&self, address: &str, look: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.shard(address).read().get(address).map(|entry| look(entry))
    }

    pub(super) fn insert(
        &self,
        address: &Address,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) -> HandlerId {
        let shard = self.shard(address.as_str());
        if let Some(entry) = shard.read().get(address.as_str()) {
            return entry.push(is_local, handler);
        }
        shard.write().entry(address.clone()).or_default().push(is_local, handler)
    }

    /// True when it was there.
    pub(super) fn remove(&self, address: &Address, id: HandlerId) -> bool {
        let address = address.as_str();
        let shard = self.shard(address);
        let found = shard.read().get(address).map(|entry| (entry.remove(id), entry.len() == 0));
        let Some((removed, is_last)) = found else { return false };
        if is_last {
            let mut entries = shard.write();
            // Unless another has come meanwhile.
            if entries.get(address).is_some_and(|entry| entry.len() == 0) {
                entries.remove(address);
            }
        }
        removed.is_some()
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
