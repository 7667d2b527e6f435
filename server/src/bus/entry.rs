//! The handlers of one address or one pattern.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::RwLock;

use super::Handler;

pub(super) type HandlerId = u64;

/// Handlers as they stood at one moment.
#[derive(Clone)]
pub(super) enum Handlers {
    /// The only one, which needs no list: most addresses of a large bus have just one.
    One(Arc<dyn Handler>),
    Many(Arc<[Arc<dyn Handler>]>),
}

impl Handlers {
    pub(super) fn as_slice(&self) -> &[Arc<dyn Handler>] {
        match self {
            Self::One(handler) => std::slice::from_ref(handler),
            Self::Many(handlers) => handlers,
        }
    }
}

/// All handlers of one address or pattern, and whose turn it is.
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
    handlers: Vec<Held>,
    snapshot: Option<Handlers>,
}

struct Held {
    id: HandlerId,
    is_local: bool,
    handler: Arc<dyn Handler>,
}

/// How many handlers there are, and how many of them are for this node's messages only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) registrations: usize,
    pub(super) local: usize,
    pub(super) messages: u64,
}

impl Entry {
    pub(super) fn push(&self, id: HandlerId, is_local: bool, handler: Arc<dyn Handler>) {
        let mut list = self.list.write();
        list.snapshot = None;
        if list.handlers.is_empty() {
            // Most addresses of a large bus have just one.
            list.handlers.reserve_exact(1);
        }
        list.handlers.push(Held { id, is_local, handler });
    }

    /// True when it was there.
    pub(super) fn remove(&self, id: HandlerId) -> bool {
        let mut list = self.list.write();
        // Ids grow, so the list is sorted by them, unless two registrations overtook each other
        // on their way here.
        let handlers = &list.handlers;
        let place = handlers.binary_search_by_key(&id, |held| held.id).ok();
        let place = place.or_else(|| handlers.iter().position(|held| held.id == id));
        let Some(index) = place else {
            return false;
        };
        list.snapshot = None;
        list.handlers.remove(index);
        true
    }

    pub(super) fn len(&self) -> usize {
        self.list.read().handlers.len()
    }

    pub(super) fn tally(&self) -> Tally {
        let list = self.list.read();
        Tally {
            registrations: list.handlers.len(),
            local: list.handlers.iter().filter(|held| held.is_local).count(),
            messages: self.messages.load(Relaxed),
        }
    }

    /// A message came for it.
    pub(super) fn note_message(&self) {
        self.messages.fetch_add(1, Relaxed);
    }

    /// All handlers as they stand.
    pub(super) fn snapshot(&self) -> Handlers {
        if let Some(snapshot) = &self.list.read().snapshot {
            return snapshot.clone();
        }
        let mut list = self.list.write();
        let List { handlers, snapshot } = &mut *list;
        let copy = || match &handlers[..] {
            [only] => Handlers::One(Arc::clone(&only.handler)),
            all => Handlers::Many(all.iter().map(|held| Arc::clone(&held.handler)).collect()),
        };
        snapshot.get_or_insert_with(copy).clone()
    }

    /// The handler whose turn it is, and how many there are.
    pub(super) fn next(&self) -> Option<(Arc<dyn Handler>, usize)> {
        let list = self.list.read();
        let count = list.handlers.len();
        if count == 0 {
            return None;
        }
        let turn = if count == 1 { 0 } else { self.turn() % count };
        Some((Arc::clone(&list.handlers[turn].handler), count))
    }

    /// Moves the turn on and gives what it was.
    pub(super) fn turn(&self) -> usize {
        self.next.fetch_add(1, Relaxed)
    }

    /// The handler at a place in the order.
    pub(super) fn at(&self, index: usize) -> Option<Arc<dyn Handler>> {
        self.list.read().handlers.get(index).map(|held| Arc::clone(&held.handler))
    }
}
