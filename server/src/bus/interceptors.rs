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
