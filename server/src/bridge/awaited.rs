//! Requests of others that this socket has to answer, by the reply address it was told.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ahash::RandomState;
use tokio::time::Instant;
use trolleybus_protocol::{Address, BusMessage as _};

use crate::bus::{Message, Requester};

/// The requests that were delivered to this socket and are not answered yet. They are forgotten
/// after the reply timeout, when nobody waits any more. Only this socket can answer them. What was asked
/// is not kept. A socket that is never asked anything holds next to nothing.
#[derive(Debug, Default)]
pub(super) struct Awaited(Option<Box<Requests>>);

#[derive(Debug, Default)]
struct Requests {
    requesters: HashMap<Address, Requester, RandomState>,
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
        let (Some(address), Some(requester)) = (message.reply_address(), message.requester())
        else {
            return true;
        };
        let requests = self.0.get_or_insert_default();
        if requests.requesters.len() >= limit {
            return false;
        }
        requests.drop_answered();
        requests.deadlines.push_back((now + timeout, address.clone()));
        requests.requesters.insert(address.clone(), requester);
        true
    }

    pub(super) fn contains(&self, address: &Address) -> bool {
        self.0.as_ref().is_some_and(|requests| requests.requesters.contains_key(address))
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |requests| requests.requesters.len())
    }

    pub(super) fn take(&mut self, address: &Address) -> Option<Requester> {
        self.0.as_mut()?.requesters.remove(address)
    }

    /// Takes out a request whose time is up.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Requester> {
        self.0.as_mut()?.take_overdue(now)
    }
}

impl Requests {
    fn take_overdue(&mut self, now: Instant) -> Option<Requester> {
        while let Some((deadline, _)) = self.deadlines.front() {
            if *deadline > now {
                return None;
            }
            let (_, address) = self.deadlines.pop_front()?;
            if let Some(requester) = self.requesters.remove(&address) {
                return Some(requester);
            }
        }
        None
    }

    /// Forgets the deadlines of answered requests: at the front always, and everywhere when they
    /// are the most of what is kept, so that the queue stays as bounded as the requests are.
    fn drop_answered(&mut self) {
        while let Some((_, address)) = self.deadlines.front() {
            if self.requesters.contains_key(address) {
                break;
            }
            self.deadlines.pop_front();
        }
        if self.deadlines.len() > 2 * self.requesters.len() + 16 {
            let requesters = &self.requesters;
            self.deadlines.retain(|(_, address)| requesters.contains_key(address));
        }
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::{Body, ByteString, EventBus as _, Headers};

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
        let (_, address) = awaited.0.as_ref().unwrap().deadlines[0].clone();
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
        let kept = awaited.0.unwrap().deadlines.len();
        assert!(kept < 32, "{kept}");
    }

    #[tokio::test]
    async fn what_was_asked_is_not_kept() {
        let bus = Bus::new();
        let mut consumer = bus.consumer("a");
        let text = ByteString::from("\"a long body\"".to_owned());
        let response = bus.request("a", Body::from_json(text.clone()).unwrap());
        let mut awaited = Awaited::default();
        let message = consumer.recv().await.unwrap();
        let address = message.reply_address().unwrap().clone();
        awaited.insert(Instant::now(), TIMEOUT, 10, &message);
        assert!(!text.as_bytes().is_unique());
        drop(message);
        assert!(text.as_bytes().is_unique());
        let requester = awaited.take(&address).unwrap();
        requester.reply_message(Body::from_text("answer"), Headers::new(), None);
        assert_eq!(response.await.unwrap().body().as_json(), "\"answer\"");
    }
}
