//! All open sockets of a service, to count them and to close them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use trolleybus_protocol::sockjs::Transport;

use super::Link;
use super::stats::{Counters, QueueStats, SocketStats};

#[derive(Debug)]
pub(crate) struct Registry {
    links: Mutex<Links>,
    next_id: AtomicU64,
    counters: Arc<Counters>,
    max_sockets: usize,
    draining: CancellationToken,
}

#[derive(Debug, Default)]
struct Links {
    by_id: HashMap<u64, Weak<Link>, ahash::RandomState>,
    is_draining: bool,
}

impl Registry {
    pub(crate) fn new(max_sockets: usize) -> Self {
        Self {
            links: Mutex::default(),
            next_id: AtomicU64::new(1),
            counters: Arc::default(),
            max_sockets,
            draining: CancellationToken::new(),
        }
    }

    /// Counts a socket in; `None` when there are too many, or when the service drains.
    pub(crate) fn register(self: &Arc<Self>, link: &Arc<Link>) -> Option<Registration> {
        let (id, transport) = (link.info().id(), link.info().transport());
        let mut links = self.links.lock();
        if links.is_draining || links.by_id.len() >= self.max_sockets {
            self.counters.refused();
            return None;
        }
        links.by_id.insert(id, Arc::downgrade(link));
        self.counters.opened(transport);
        Some(Registration { registry: Arc::clone(self), id, transport })
    }

    /// The number of a new socket.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The counters, and what waits in all queues: it looks into each socket.
    pub(crate) fn stats(&self) -> SocketStats {
        let mut queues = QueueStats::default();
        for link in self.links() {
            link.add_depth(&mut queues);
        }
        self.counters.snapshot(queues)
    }

    fn links(&self) -> Vec<Arc<Link>> {
        self.links.lock().by_id.values().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn open_sockets(&self) -> usize {
        self.links.lock().by_id.len()
    }

    /// From now on [`Registry::register`] refuses.
    pub(crate) fn refuse_more(&self) {
        self.links.lock().is_draining = true;
        self.draining.cancel();
    }

    pub(crate) fn close_all(&self, code: u16, reason: &str) {
        for link in self.links() {
            link.close(code, reason);
        }
    }
}

/// Counts the socket out when dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    id: u64,
    transport: Transport,
}

impl Registration {
    /// Cancelled when the service drains.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.registry.draining
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.links.lock().by_id.remove(&self.id);
        self.registry.counters.ended(self.transport);
    }
}
