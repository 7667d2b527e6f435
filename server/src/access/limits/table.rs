//! Names to their usage, bounded: what nobody uses any more is forgotten once its debts are paid.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::Mutex;

use super::usage::Usage;

/// Locks that names are spread over; a power of two.
const SHARDS: usize = 16;
/// Names of a shard that are not looked through before there are as many.
const FEW: usize = 64;
/// Names of a shard, above which unpaid debts are forgotten too. Names in use always stay: as many
/// as there are connections.
const MANY: usize = 4096;

/// Hashes are keyed at random, so that nobody can choose names that collide.
#[derive(Debug)]
pub(super) struct Table<K> {
    hasher: RandomState,
    shards: Box<[Mutex<Shard<K>>]>,
}

#[derive(Debug)]
struct Shard<K> {
    names: HashMap<K, Arc<Usage>, RandomState>,
    /// How many names there may be before the shard is looked through.
    sweep_at: usize,
}

impl<K: Hash + Eq> Table<K> {
    pub(super) fn new() -> Self {
        let hasher = RandomState::new();
        let shard =
            |_| Mutex::new(Shard { names: HashMap::with_hasher(hasher.clone()), sweep_at: FEW });
        Self { shards: (0..SHARDS).map(shard).collect(), hasher }
    }

    /// The usage of a name, a new one if nothing is known of it.
    pub(super) fn get<Q>(&self, name: &Q, now: u64) -> Arc<Usage>
    where
        K: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(name) as usize;
        let mut shard = self.shards[(hash >> 32) % SHARDS].lock();
        if let Some(usage) = shard.names.get(name) {
            return Arc::clone(usage);
        }
        if shard.names.len() >= shard.sweep_at {
            shard.sweep(now);
        }
        let usage = Arc::new(Usage::default());
        shard.names.insert(name.into(), Arc::clone(&usage));
        usage
    }

    /// The hash of a name, which nobody can foresee.
    pub(super) fn hash<Q: Hash + ?Sized>(&self, name: &Q) -> u64 {
        self.hasher.hash_one(name)
    }

    /// How many bytes the longest name takes.
    #[cfg(test)]
    pub(super) fn longest(&self) -> usize
    where
        K: AsRef<str>,
    {
        let names = |shard: &Mutex<Shard<K>>| {
            shard.lock().names.keys().map(|name| name.as_ref().len()).max()
        };
        self.shards.iter().filter_map(names).max().unwrap_or_default()
    }

    /// Names that are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().names.len()).sum()
    }
}

impl<K: Hash + Eq> Shard<K> {
    /// Usages are handed out under the shard's lock only, so one that is held here alone stays so.
    fn sweep(&mut self, now: u64) {
        let is_held = |usage: &Arc<Usage>| Arc::strong_count(usage) > 1;
        self.names.retain(|_, usage| is_held(usage) || !usage.is_settled(now));
        if self.names.len() >= MANY {
            self.names.retain(|_, usage| is_held(usage));
        }
        self.sweep_at = FEW.max(2 * self.names.len());
        if self.names.capacity() > 2 * self.sweep_at {
            self.names.shrink_to(self.sweep_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::Rate;
    use super::super::config::Pace;
    use super::*;

    #[test]
    fn names_in_use_stay_and_the_others_are_forgotten() {
        let table = Table::<Box<str>>::new();
        let held = table.get("held", 0);
        for number in 0..100_000 {
            table.get(number.to_string().as_str(), 0);
        }
        assert!(table.len() <= SHARDS * (FEW + 1), "{}", table.len());
        assert!(Arc::ptr_eq(&held, &table.get("held", 0)));
    }

    #[test]
    fn debts_are_remembered_until_they_are_paid_or_too_many() {
        let pace = Pace { messages: Rate::new(1, 1), bytes: None };
        let table = Table::<Box<str>>::new();
        assert!(table.get("debtor", 0).take(pace, 0, 1).is_ok());
        for number in 0..10_000 {
            table.get(number.to_string().as_str(), 0);
        }
        assert!(table.get("debtor", 0).take(pace, 0, 1).is_err());
        for number in 0..500_000 {
            table.get(format!("flood {number}").as_str(), 0).take(pace, 0, 1).ok();
        }
        assert!(table.len() <= SHARDS * 2 * MANY, "{}", table.len());
    }
}
