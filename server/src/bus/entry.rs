//! The handlers of one address or one pattern.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::RwLock;

use super::Handler;

/// Tells the handlers of one entry apart, in the order of their registration.
pub(super) type HandlerId = u64;

/// Handlers as they stood at one moment.
#[derive(Clone)]
pub(super) enum Handlers {
    None,
    /// The only one, which needs no list: most addresses of a large bus have just one.
    One(Arc<dyn Handler>),
    Many(Arc<[Arc<dyn Handler>]>),
}

impl Handlers {
    pub(super) fn as_slice(&self) -> &[Arc<dyn Handler>] {
        match self {
            Self::None => &[],
            Self::One(handler) => std::slice::from_ref(handler),
            Self::Many(handlers) => handlers,
        }
    }
}

/// All handlers of one address or pattern, and whose turn it is. What a message touches is one
/// cache line, which threads have to hand to each other.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Entry {
    next: AtomicUsize,
    messages: AtomicU64,
    list: RwLock<List>,
}

/// Handlers in the order of their registration.
enum List {
    One(Option<Held>),
    Many(Box<Many>),
}

/// With the copy that publishing walks over. It is made by the first publish after a change, so
/// that many registrations in a row cost no more than one publish.
struct Many {
    handlers: Vec<Held>,
    snapshot: Option<Arc<[Arc<dyn Handler>]>>,
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

impl Default for List {
    fn default() -> Self {
        Self::One(None)
    }
}

impl List {
    fn as_slice(&self) -> &[Held] {
        match self {
            Self::One(held) => held.as_slice(),
            Self::Many(many) => &many.handlers,
        }
    }

    fn push(&mut self, held: Held) {
        *self = match std::mem::take(self) {
            Self::One(None) => Self::One(Some(held)),
            Self::One(Some(first)) => {
                Self::Many(Box::new(Many { handlers: vec![first, held], snapshot: None }))
            }
            Self::Many(mut many) => {
                many.snapshot = None;
                many.handlers.push(held);
                Self::Many(many)
            }
        }
    }

    fn remove(&mut self, id: HandlerId) -> Option<Held> {
        match self {
            Self::One(held) => held.take_if(|held| held.id == id),
            Self::Many(many) => {
                // Ids grow, so the list is sorted by them.
                let index = many.handlers.binary_search_by_key(&id, |held| held.id).ok()?;
                many.snapshot = None;
                Some(many.handlers.remove(index))
            }
        }
    }

    /// All handlers, unless they have to be copied first.
    fn snapshot(&self) -> Option<Handlers> {
        match self {
            Self::One(None) => Some(Handlers::None),
            Self::One(Some(held)) => Some(Handlers::One(Arc::clone(&held.handler))),
            Self::Many(many) => many.snapshot.clone().map(Handlers::Many),
        }
    }

    /// All handlers; the copy is made if it is not there.
    fn copied(&mut self) -> Handlers {
        if let Self::Many(many) = self {
            let handlers = &many.handlers;
            let copy = || handlers.iter().map(|held| Arc::clone(&held.handler)).collect();
            many.snapshot.get_or_insert_with(copy);
        }
        self.snapshot().unwrap_or(Handlers::None)
    }
}

impl Entry {
    /// Gives the id that the handler is removed by.
    pub(super) fn push(&self, is_local: bool, handler: Arc<dyn Handler>) -> HandlerId {
        let mut list = self.list.write();
        // One that was removed may have had it: nobody removes a handler twice.
        let id = list.as_slice().last().map_or(0, |last| last.id + 1);
        list.push(Held { id, is_local, handler });
        id
    }

    /// The handler, if it was there. It may do anything when it is dropped, so do that without a
    /// lock.
    #[must_use]
    pub(super) fn remove(&self, id: HandlerId) -> Option<Arc<dyn Handler>> {
        self.list.write().remove(id).map(|held| held.handler)
    }

    pub(super) fn len(&self) -> usize {
        self.list.read().as_slice().len()
    }

    pub(super) fn tally(&self) -> Tally {
        let list = self.list.read();
        let handlers = list.as_slice();
        Tally {
            registrations: handlers.len(),
            local: handlers.iter().filter(|held| held.is_local).count(),
            messages: self.messages.load(Relaxed),
        }
    }

    /// A message came for it.
    pub(super) fn note_message(&self) {
        self.messages.fetch_add(1, Relaxed);
    }

    /// A message came, for all: as they stand.
    pub(super) fn hear(&self) -> Handlers {
        self.note_message();
        self.snapshot()
    }

    /// All handlers as they stand.
    fn snapshot(&self) -> Handlers {
        let standing = self.list.read().snapshot();
        standing.unwrap_or_else(|| self.list.write().copied())
    }

    /// The handler whose turn it is, and how many there are.
    pub(super) fn next(&self) -> Option<(Arc<dyn Handler>, usize)> {
        let list = self.list.read();
        let handlers = list.as_slice();
        let turn = match handlers.len() {
            0 => return None,
            1 => 0,
            count => self.turn() % count,
        };
        Some((Arc::clone(&handlers[turn].handler), handlers.len()))
    }

    /// Moves the turn on and gives what it was.
    pub(super) fn turn(&self) -> usize {
        self.next.fetch_add(1, Relaxed)
    }

    /// The handler at a place in the order.
    pub(super) fn at(&self, index: usize) -> Option<Arc<dyn Handler>> {
        self.list.read().as_slice().get(index).map(|held| Arc::clone(&held.handler))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Delivery, Message};

    struct Nothing;

    impl Handler for Nothing {
        fn deliver(&self, _: &Message) -> Delivery {
            Delivery::Taken
        }
    }

    #[test]
    fn it_is_one_cache_line() {
        assert_eq!(size_of::<Entry>(), 64);
    }

    #[test]
    fn handlers_come_and_go_in_any_order() {
        let (entry, handlers) = (Entry::default(), [(); 4].map(|()| Arc::new(Nothing)));
        let ids = [0, 1, 2, 3].map(|place: usize| entry.push(false, handlers[place].clone()));
        let standing = |places: &[usize]| {
            let snapshot = entry.snapshot();
            assert_eq!(snapshot.as_slice().len(), places.len());
            for (index, (held, place)) in snapshot.as_slice().iter().zip(places).enumerate() {
                let wanted: Arc<dyn Handler> = handlers[*place].clone();
                assert!(
                    Arc::ptr_eq(held, &wanted) && Arc::ptr_eq(&entry.at(index).unwrap(), &wanted)
                );
            }
        };
        standing(&[0, 1, 2, 3]);
        assert!(entry.remove(ids[1]).is_some() && entry.remove(ids[1]).is_none());
        standing(&[0, 2, 3]);
        assert!(entry.remove(ids[3]).is_some() && entry.remove(ids[0]).is_some());
        standing(&[2]);
        let last = entry.push(false, handlers[0].clone());
        standing(&[2, 0]);
        assert!(entry.remove(ids[2]).is_some() && entry.remove(last).is_some());
        standing(&[]);
        assert!(entry.next().is_none() && entry.at(0).is_none());
    }
}
