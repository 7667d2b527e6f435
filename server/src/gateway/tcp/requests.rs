//! Requests of this connection that are under way, and requests of others that it has to answer:
//! each bounded, each with a deadline.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ahash::RandomState;
use tokio::time::Instant;
use trolleybus_protocol::{Address, BusMessage as _};

use crate::bus::{Message, Requester};

/// When something runs out, and a number that tells apart what runs out in one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Instant, u64);

/// Things with a deadline. Whoever takes one out deals with it, so each is dealt with once.
#[derive(Debug)]
struct ByDeadline<T> {
    entries: BTreeMap<Key, T>,
    next: u64,
}

impl<T> Default for ByDeadline<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), next: 0 }
    }
}

impl<T> ByDeadline<T> {
    fn insert(&mut self, deadline: Instant, entry: T) -> Key {
        let key = Key(deadline, self.next);
        self.next += 1;
        self.entries.insert(key, entry);
        key
    }

    fn take(&mut self, key: Key) -> Option<T> {
        self.entries.remove(&key)
    }

    fn take_overdue(&mut self, now: Instant) -> Option<T> {
        let entry = self.entries.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.entries.first_key_value().map(|(key, _)| key.0)
    }
}

/// A request of the client that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The client's own reply address: where it waits.
    pub(super) reply_address: Address,
    /// What it asked.
    pub(super) address: Address,
    /// How long it was allowed to take.
    pub(super) timeout: Duration,
}

/// The requests of the client that are under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(ByDeadline<Request>);

impl UnderWay {
    pub(super) fn insert(&mut self, now: Instant, request: Request) -> Key {
        self.0.insert(now + request.timeout, request)
    }

    /// Takes a request out, unless its time was up before.
    pub(super) fn take(&mut self, key: Key) -> Option<Request> {
        self.0.take(key)
    }

    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Request> {
        self.0.take_overdue(now)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.next_deadline()
    }

    pub(super) fn len(&self) -> usize {
        self.0.entries.len()
    }
}

/// The requests that the client was sent and has to answer, by the reply address it was told. Only
/// this client can answer them, and they are forgotten when nobody waits any more. What was asked is
/// not kept.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    requesters: HashMap<Address, (Key, Requester), RandomState>,
    addresses: ByDeadline<Address>,
}

impl Awaited {
    /// Keeps a request until `deadline`; false when `limit` are kept already.
    pub(super) fn insert(&mut self, deadline: Instant, limit: usize, message: &Message) -> bool {
        let (Some(address), Some(requester)) = (message.reply_address(), message.requester())
        else {
            return true;
        };
        if self.requesters.len() >= limit {
            return false;
        }
        let key = self.addresses.insert(deadline, address.clone());
        self.requesters.insert(address.clone(), (key, requester));
        true
    }

    pub(super) fn contains(&self, address: &Address) -> bool {
        self.requesters.contains_key(address)
    }

    pub(super) fn take(&mut self, address: &Address) -> Option<Requester> {
        let (key, requester) = self.requesters.remove(address)?;
        self.addresses.take(key);
        Some(requester)
    }

    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Requester> {
        let address = self.addresses.take_overdue(now)?;
        self.requesters.remove(&address).map(|(_, requester)| requester)
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::EventBus as _;

    use super::*;
    use crate::bus::Bus;

    #[test]
    fn requests_run_out_in_the_order_of_their_deadlines() {
        let (mut under_way, now) = (UnderWay::default(), Instant::now());
        let request = |name: &str, milliseconds| Request {
            reply_address: name.into(),
            address: "a".into(),
            timeout: Duration::from_millis(milliseconds),
        };
        under_way.insert(now, request("late", 20));
        let soon = under_way.insert(now, request("soon", 10));
        let answered = under_way.insert(now, request("answered", 10));
        assert_eq!(under_way.take(answered), Some(request("answered", 10)));
        assert_eq!(under_way.next_deadline(), Some(now + Duration::from_millis(10)));
        let at = now + Duration::from_millis(15);
        assert_eq!(under_way.take_overdue(at), Some(request("soon", 10)));
        assert_eq!((under_way.take_overdue(at), under_way.take(soon)), (None, None));
        assert_eq!(under_way.len(), 1);
    }

    #[tokio::test]
    async fn requests_to_answer_are_bounded_and_leave_nothing_behind() {
        let (bus, now) = (Bus::new(), Instant::now());
        let mut consumer = bus.consumer("a");
        let _responses: Vec<_> = (0..3).map(|_| bus.request("a", "x")).collect();
        let mut awaited = Awaited::default();
        let mut addresses = Vec::new();
        for kept in [true, true, false] {
            let message = consumer.recv().await.unwrap();
            assert_eq!(awaited.insert(now, 2, &message), kept);
            addresses.push(message.reply_address().unwrap().clone());
        }
        assert!(awaited.contains(&addresses[0]) && !awaited.contains(&addresses[2]));
        assert!(awaited.take(&addresses[0]).is_some() && awaited.take(&addresses[0]).is_none());
        assert!(awaited.take_overdue(now).is_some() && awaited.take_overdue(now).is_none());
        assert!(awaited.requesters.is_empty() && awaited.addresses.entries.is_empty());
    }
}
