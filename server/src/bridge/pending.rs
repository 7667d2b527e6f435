//! Requests of this socket that wait for an answer, ordered by deadline.

use std::collections::VecDeque;
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
    /// What it asked. Like the reply address it may be a part of the envelope's text, if that is short.
    pub(super) address: Address,
    /// How long it was allowed to take.
    pub(super) timeout: Duration,
}

/// Room for more requests than these is given back when none is under way.
const KEPT_CAPACITY: usize = 16;

/// The requests under way. Whoever takes one out answers it, so each is answered once. The
/// bridge's quota bounds how many there are.
///
/// A sorted queue: nearly all requests of a client have the same timeout, so they come in at the
/// back and leave near the front. A client that asks one thing at a time has room for one, where
/// a tree would keep a node of 1 KB.
#[derive(Debug, Default)]
pub(super) struct Pending {
    requests: VecDeque<(PendingKey, Request)>,
    next: u64,
}

impl Pending {
    pub(super) fn insert(&mut self, now: Instant, request: Request) -> PendingKey {
        let key = PendingKey(now + request.timeout, self.next);
        self.next += 1;
        if self.requests.capacity() == 0 {
            self.requests.reserve_exact(1);
        }
        if self.requests.back().is_none_or(|(last, _)| *last < key) {
            self.requests.push_back((key, request));
        } else {
            let place = self.requests.partition_point(|(known, _)| *known < key);
            self.requests.insert(place, (key, request));
        }
        key
    }

    /// Takes a request out, unless its time was up before.
    pub(super) fn take(&mut self, key: PendingKey) -> Option<Request> {
        let place = self.requests.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let (_, request) = self.requests.remove(place)?;
        self.shrink();
        Some(request)
    }

    /// Takes out a request whose time is up.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Request> {
        self.requests.front().filter(|(key, _)| key.0 <= now)?;
        let (_, request) = self.requests.pop_front()?;
        self.shrink();
        Some(request)
    }

    fn shrink(&mut self) {
        if self.requests.is_empty() && self.requests.capacity() > KEPT_CAPACITY {
            self.requests = VecDeque::new();
        }
    }

    /// When a request that had this key began.
    pub(super) fn began(key: PendingKey, request: &Request) -> Instant {
        key.0.checked_sub(request.timeout).unwrap_or(key.0)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.requests.front().map(|(key, _)| key.0)
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
    #[test]
    fn a_client_that_asks_one_thing_at_a_time_has_room_for_one() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        for _ in 0..100 {
            let key = pending.insert(now, request("x", 10));
            assert!(pending.take(key).is_some());
        }
        assert_eq!(pending.requests.capacity(), 1);
        let keys: Vec<_> = (0..100).map(|_| pending.insert(now, request("x", 10))).collect();
        assert!(keys.into_iter().all(|key| pending.take(key).is_some()));
        assert_eq!(pending.requests.capacity(), 0);
    }
}
