//! Requests of this socket that wait for an answer, ordered by deadline.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use trolleybus_protocol::Address;

/// When a request runs out, and a number that tells apart those of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PendingKey(Instant, u64);

/// A request under way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The client's own reply address: where it waits.
    pub(super) reply_address: Address,
    /// What it asked.
    pub(super) address: Box<str>,
    /// How long it was allowed to take.
    pub(super) timeout: Duration,
}

/// The requests under way. Whoever takes one out answers it, so each is answered once. The
/// bridge's quota bounds how many there are. With none it holds no memory: an empty map would keep
/// its last node of 1 KB.
#[derive(Debug, Default)]
pub(super) struct Pending {
    requests: BTreeMap<PendingKey, Request>,
    next: u64,
}

impl Pending {
    pub(super) fn insert(&mut self, now: Instant, request: Request) -> PendingKey {
        let key = PendingKey(now + request.timeout, self.next);
        self.next += 1;
        self.requests.insert(key, request);
        key
    }

    /// Takes a request out, unless its time was up before.
    pub(super) fn take(&mut self, key: PendingKey) -> Option<Request> {
        let request = self.requests.remove(&key);
        self.free_if_empty();
        request
    }

    /// Takes out a request whose time is up.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Request> {
        let entry = self.requests.first_entry()?;
        let request = (entry.key().0 <= now).then(|| entry.remove());
        self.free_if_empty();
        request
    }

    fn free_if_empty(&mut self) {
        if self.requests.is_empty() {
            self.requests = BTreeMap::new();
        }
    }

    /// When a request that had this key began.
    pub(super) fn began(key: PendingKey, request: &Request) -> Instant {
        key.0.checked_sub(request.timeout).unwrap_or(key.0)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.requests.first_key_value().map(|(key, _)| key.0)
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, milliseconds: u64) -> Request {
        let timeout = Duration::from_millis(milliseconds);
        Request { reply_address: name.into(), address: "a".into(), timeout }
    }

    #[test]
    fn each_request_is_taken_once_in_the_order_of_deadlines() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let late = pending.insert(now, request("late", 20));
        let soon = pending.insert(now, request("soon", 10));
        let twin = pending.insert(now, request("twin", 10));
        assert_eq!(pending.next_deadline(), Some(now + Duration::from_millis(10)));
        assert_eq!(pending.take(twin), Some(request("twin", 10)));
        let at = now + Duration::from_millis(15);
        assert_eq!(pending.take_overdue(at), Some(request("soon", 10)));
        assert_eq!((pending.take_overdue(at), pending.take(soon)), (None, None));
        assert_eq!((pending.take(late), pending.len()), (Some(request("late", 20)), 0));
    }
}
