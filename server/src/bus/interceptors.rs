//! Interceptors in their order, and the running of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use trolleybus_protocol::{DeliveryContext, Interception};

use super::extras::{Extras, Switch};
use super::shared::Shared;

pub(super) type Intercept = dyn Fn(&mut DeliveryContext) -> Interception + Send + Sync;
type List = Arc<[(u64, Arc<Intercept>)]>;

/// Which way messages go that an interceptor sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Outbound,
    Inbound,
}

impl Direction {
    fn extra(self) -> Extras {
        match self {
            Self::Outbound => Extras::OUTBOUND,
            Self::Inbound => Extras::INBOUND,
        }
    }
}

/// Both chains. A message runs through the chain as it stood when it came.
#[derive(Default)]
pub(super) struct Interceptors {
    outbound: RwLock<List>,
    inbound: RwLock<List>,
}

impl Interceptors {
    fn chain(&self, direction: Direction) -> &RwLock<List> {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        }
    }

    pub(super) fn add(
        &self,
        switch: &Switch,
        direction: Direction,
        id: u64,
        intercept: Arc<Intercept>,
    ) {
        let mut list = self.chain(direction).write();
        *list = list.iter().cloned().chain([(id, intercept)]).collect();
        switch.set(direction.extra(), true);
    }

    fn remove(&self, switch: &Switch, direction: Direction, id: u64) {
        let mut list = self.chain(direction).write();
        *list = list.iter().filter(|(held, _)| *held != id).cloned().collect();
        switch.set(direction.extra(), !list.is_empty());
    }

    /// Runs the interceptors of one direction until one of them stops the message.
    pub(super) fn run(&self, direction: Direction, context: &mut DeliveryContext) -> Interception {
        let list = Arc::clone(&self.chain(direction).read());
        for (_, intercept) in &*list {
            match catch_unwind(AssertUnwindSafe(|| intercept(context))) {
                Ok(Interception::Continue) => {}
                Ok(stopped) => return stopped,
                Err(_) => {
                    tracing::error!(address = %context.address(), "an interceptor panicked");
                    return Interception::Drop;
                }
            }
        }
        Interception::Continue
    }
}

/// Keeps an interceptor in place. Dropping it takes the interceptor out; messages that run
/// through it at that moment still do.
#[must_use = "the interceptor is taken out when this is dropped"]
pub struct Interceptor {
    bus: Weak<Shared>,
    direction: Direction,
    id: u64,
}

impl Interceptor {
    pub(super) fn new(bus: &Arc<Shared>, direction: Direction, id: u64) -> Self {
        Self { bus: Arc::downgrade(bus), direction, id }
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            bus.interceptors.remove(&bus.switch, self.direction, self.id);
        }
    }
}

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interceptor").field(&self.direction).finish()
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::{BusMessage as _, ErrorKind, EventBus as _};

    use super::*;
    use crate::bus::Bus;

    #[tokio::test]
    async fn a_panic_drops_the_message_and_nothing_else() {
        let bus = Bus::new();
        let mut consumer = bus.consumer("a");
        let guard = bus.add_inbound_interceptor(|context| {
            assert!(!context.body().is_null(), "null is too much for this interceptor");
            Interception::Continue
        });
        let error = bus.request("a", trolleybus_protocol::Body::null()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        bus.send("a", "x").unwrap();
        assert_eq!(consumer.recv().await.unwrap().body().as_json(), "\"x\"");
        drop(guard);
        assert!(!bus.shared().switch.load().intercepts());
    }

    #[tokio::test]
    async fn a_reply_that_is_dropped_leaves_room_for_another() {
        let bus = Bus::new();
        let mut consumer = bus.consumer("a");
        let guard = bus.add_outbound_interceptor(|context| match context.body().as_json() {
            "1" => Interception::Drop,
            _ => Interception::Continue,
        });
        let answer = bus.request("a", "x");
        let request = consumer.recv().await.unwrap();
        let follow_up = request.reply_and_request(&1);
        assert_eq!(follow_up.await.unwrap_err().kind(), ErrorKind::Timeout);
        request.reply(&2).unwrap();
        assert_eq!(answer.await.unwrap().body().as_json(), "2");
        drop(bus);
        // The bus lives on in its consumer; an interceptor does not need it to be taken out.
        drop(consumer);
        drop(guard);
    }

    #[tokio::test]
    async fn what_the_bus_says_itself_is_not_intercepted() {
        let bus = Bus::new();
        let _guard = bus.add_inbound_interceptor(|_| Interception::Drop);
        let error = bus.request("nobody", "x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoHandlers);
    }

    #[test]
    fn interceptors_may_use_the_bus() {
        let bus = Bus::new();
        let inner = bus.clone();
        let guard = bus.add_outbound_interceptor(move |context| {
            if context.address().as_str() != "log" {
                inner.publish("log", context.address().as_str()).unwrap();
            }
            Interception::Continue
        });
        let mut log = bus.consumer("log");
        bus.publish("a", "x").unwrap();
        let noted = futures_util::FutureExt::now_or_never(log.recv()).unwrap().unwrap();
        assert_eq!(noted.body().as_json(), "\"a\"");
        drop(guard);
    }
}
