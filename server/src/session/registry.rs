//! All open sockets of a service, to count them and to close them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::Link;

#[derive(Debug)]
pub(crate) struct Registry {
    links: Mutex<Links>,
    next_key: AtomicU64,
    max_sockets: usize,
    draining: CancellationToken,
}

#[derive(Debug, Default)]
struct Links {
    by_key: HashMap<u64, Weak<Link>, ahash::RandomState>,
    is_draining: bool,
}

impl Registry {
    pub(crate) fn new(max_sockets: usize) -> Self {
        Self {
            links: Mutex::default(),
            next_key: AtomicU64::new(0),
            max_sockets,
            draining: CancellationToken::new(),
        }
    }

    /// Counts a socket in; `None` when there are too many, or when the service drains.
    pub(crate) fn register(self: &Arc<Self>, link: &Arc<Link>) -> Option<Registration> {
        let key = self.next_key.fetch_add(1, Ordering::Relaxed);
        let mut links = self.links.lock();
        if links.is_draining || links.by_key.len() >= self.max_sockets {
            return None;
        }
        links.by_key.insert(key, Arc::downgrade(link));
        Some(Registration { registry: Arc::clone(self), key })
    }

    pub(crate) fn open_sockets(&self) -> usize {
        self.links.lock().by_key.len()
    }

    /// From now on [`Registry::register`] refuses.
    pub(crate) fn refuse_more(&self) {
        self.links.lock().is_draining = true;
        self.draining.cancel();
    }

    pub(crate) fn close_all(&self, code: u16, reason: &str) {
        let links: Vec<_> = self.links.lock().by_key.values().filter_map(Weak::upgrade).collect();
        for link in links {
            link.close(code, reason);
        }
    }
}

/// Counts the socket out when dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    key: u64,
}

impl Registration {
    /// Cancelled when the service drains.
    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.registry.draining
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.links.lock().by_key.remove(&self.key);
    }
}
