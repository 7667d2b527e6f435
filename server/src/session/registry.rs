//! All open sockets of a service, to count them and to close them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use trolleybus_protocol::sockjs::Transport;

use super::door::Place;
use super::stats::{Counters, QueueStats, SocketStats};
use super::{Link, Pace};

/// Sockets that are closed at a pace are closed in steps of this time.
const STEP: Duration = Duration::from_millis(10);

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
    pub(crate) fn register(
        self: &Arc<Self>,
        link: &Arc<Link>,
        place: Option<Place>,
    ) -> Option<Registration> {
        let (id, transport) = (link.info().id(), link.info().transport());
        let mut links = self.links.lock();
        if links.is_draining || links.by_id.len() >= self.max_sockets {
            self.counters.refused();
            return None;
        }
        links.by_id.insert(id, Arc::downgrade(link));
        self.counters.opened(transport);
        Some(Registration { registry: Arc::clone(self), id, transport, _place: place })
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

    /// Closes all sockets that are open now, at a pace and in no order. Later ones are the caller's
    /// to refuse.
    pub(crate) async fn close_at(&self, code: u16, reason: &str, pace: Pace) {
        // A map hashed with random keys gives no order that means anything.
        let links: Vec<_> = self.links.lock().by_id.values().cloned().collect();
        let begin = Instant::now();
        let mut told = 0;
        while told < links.len() {
            let due = pace.due(begin.elapsed(), links.len());
            for link in links[told..due.max(told)].iter().filter_map(Weak::upgrade) {
                link.close(code, reason);
            }
            told = told.max(due);
            if told < links.len() {
                sleep(STEP).await;
            }
        }
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
    _place: Option<Place>,
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

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use trolleybus_protocol::sockjs::Transport;

    use super::super::{Options, SocketInfo};
    use super::*;

    fn link(id: u64) -> Arc<Link> {
        let info = SocketInfo::new(id, Transport::WebSocket, None, "/", &HeaderMap::new());
        Arc::new(Link::new(info, &Options::default(), Arc::default()))
    }

    #[tokio::test(start_paused = true)]
    async fn sockets_are_told_at_the_pace_and_in_no_order() {
        let registry = Arc::new(Registry::new(1000));
        let links: Vec<_> = (0..500).map(link).collect();
        let _held: Vec<_> = links.iter().map(|link| registry.register(link, None)).collect();
        let closed = || links.iter().filter(|link| !link.is_open()).count();
        let pace = Pace::new(100, Duration::from_secs(60));
        let drained = tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.close_at(1012, "Service restart", pace).await }
        });
        sleep(Duration::from_millis(1005)).await;
        let after_a_second = closed();
        assert!((99..=102).contains(&after_a_second), "{after_a_second}");
        let is_in_order = links[..after_a_second].iter().all(|link| !link.is_open());
        assert!(!is_in_order, "the oldest sockets went first");
        drained.await.unwrap();
        assert_eq!(closed(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_told_in_time_whatever_the_rate() {
        let registry = Arc::new(Registry::new(1000));
        let links: Vec<_> = (0..500).map(link).collect();
        let _held: Vec<_> = links.iter().map(|link| registry.register(link, None)).collect();
        let begin = Instant::now();
        let pace = Pace::new(1, Duration::from_secs(2));
        registry.close_at(1012, "Service restart", pace).await;
        assert!(links.iter().all(|link| !link.is_open()));
        assert!(begin.elapsed() <= Duration::from_secs(2) + STEP, "{:?}", begin.elapsed());
    }
}
