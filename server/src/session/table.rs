//! The HTTP sessions of one service by their id.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::life::Attach;
use super::{Receiver, Session};

const SHARDS: usize = 16;

type Shard = HashMap<Box<str>, Arc<Session>, ahash::RandomState>;

#[derive(Debug, Default)]
pub(crate) struct Table {
    hasher: ahash::RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// What a receiving request got.
#[derive(Debug)]
pub(crate) enum Attached {
    Receiver(Receiver),
    /// The session has a receiver.
    Busy,
    /// There may be no more sessions.
    Refused,
}

impl Table {
    fn shard(&self, id: &str) -> &Mutex<Shard> {
        let hash = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or_default();
        &self.shards[hash]
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Session>> {
        let session = self.shard(id).lock().get(id).cloned();
        session.filter(|session| !session.is_gone())
    }

    /// Attaches a receiver to the session `id`, which `create` makes if there is none.
    pub(crate) fn attach(
        &self,
        id: &str,
        create: impl FnOnce() -> Option<Arc<Session>>,
    ) -> Attached {
        let mut shard = self.shard(id).lock();
        if let Some(session) = shard.get(id) {
            match session.attach() {
                Attach::Busy => return Attached::Busy,
                Attach::Gone => {}
                attach => return Attached::Receiver(Receiver::new(Arc::clone(session), attach)),
            }
        }
        let Some(session) = create() else {
            return Attached::Refused;
        };
        let attach = session.attach();
        shard.insert(id.into(), Arc::clone(&session));
        Attached::Receiver(Receiver::new(session, attach))
    }

    /// Forgets `session`, unless its id has been taken by a new one.
    pub(crate) fn remove(&self, session: &Arc<Session>) {
        let mut shard = self.shard(session.id()).lock();
        if shard.get(session.id()).is_some_and(|known| Arc::ptr_eq(known, session)) {
            shard.remove(session.id());
        }
    }
}
