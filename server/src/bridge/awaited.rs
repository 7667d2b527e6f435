//! Requests of others that this socket has to answer, by the reply address it was told.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ahash::RandomState;
use tokio::time::Instant;
use trolleybus_protocol::{Address, BusMessage as _};

use crate::bus::Message;

/// The requests that were delivered to this socket and are not answered yet. They are forgotten
/// after the reply timeout, when nobody waits any more. Only this socket can answer them.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    messages: HashMap<Address, Message, RandomState>,
    deadlines: VecDeque<(Instant, Address)>,
}

impl Awaited {
    /// Keeps a request until it is answered; false when `limit` are kept already.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        timeout: Duration,
        limit: usize,
        message: &Message,
    ) -> bool {
        let Some(address) = message.reply_address() else {
            return true;
        };
        if self.messages.len() >= limit {
            return false;
        }
        self.drop_answered();
        self.deadlines.push_back((now + timeout, address.clone()));
        self.messages.insert(address.clone(), message.clone());
        true
    }

    pub(super) fn contains(&self, address: &Address) -> bool {
        self.messages.contains_key(address)
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn take(&mut self, address: &Address) -> Option<Message> {
        self.messages.remove(address)
    }

    /// Takes out a request whose time is up.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Message> {
        while let Some((deadline, _)) = self.deadlines.front() {
            if *deadline > now {
                return None;
            }
            let (_, address) = self.deadlines.pop_front()?;
            if let Some(message) = self.messages.remove(&address) {
                return Some(message);
            }
        }
        None
    }

    /// Forgets the deadlines of answered requests: at the front always, and everywhere when they
    /// are the most of what is kept, so that the queue stays as bounded as the requests are.
    fn drop_answered(&mut self) {
        while let Some((_, address)) = self.deadlines.front() {
            if self.messages.contains_key(address) {
                break;
            }
            self.deadlines.pop_front();
        }
        if self.deadlines.len() > 2 * self.messages.len() + 16 {
            let messages = &self.messages;
            self.deadlines.retain(|(_, address)| messages.contains_key(address));
        }
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::EventBus as _;

    use super::*;
    use crate::bus::Bus;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn requests_are_kept_up_to_the_limit_and_taken_once() {
        let bus = Bus::new();
        let mut consumer = bus.consumer("a");
        let _responses: Vec<_> = (0..3).map(|_| bus.request("a", "x")).collect();
        let mut awaited = Awaited::default();
        let now = Instant::now();
        for kept in [true, true, false] {
            let message = consumer.recv().await.unwrap();
            assert_eq!(awaited.insert(now, TIMEOUT, 2, &message), kept);
        }
        let (_, address) = awaited.deadlines[0].clone();
        assert!(awaited.contains(&address));
        assert!(awaited.take(&address).is_some() && awaited.take(&address).is_none());
        assert!(awaited.take_overdue(now).is_none());
        assert!(awaited.take_overdue(now + TIMEOUT).is_some());
        assert!(awaited.take_overdue(now + TIMEOUT).is_none());
    }

    #[tokio::test]
    async fn answered_requests_leave_nothing_behind() {
        let bus = Bus::new();
        let mut consumer = bus.consumer("a");
        let mut awaited = Awaited::default();
        let _kept = bus.request("a", "kept");
        awaited.insert(Instant::now(), TIMEOUT, 10, &consumer.recv().await.unwrap());
        for _ in 0..1000 {
            let _response = bus.request("a", "x");
            let message = consumer.recv().await.unwrap();
            awaited.insert(Instant::now(), TIMEOUT, 10, &message);
            awaited.take(message.reply_address().unwrap());
        }
        assert!(awaited.deadlines.len() < 32, "{}", awaited.deadlines.len());
    }
}
