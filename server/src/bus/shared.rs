//! What all handles of a bus share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use trolleybus_protocol::{Address, DeliveryContext, Error, Interception};

use super::entry::HandlerId;
use super::extras::{Extras, Switch};
use super::interceptors::{Direction, Interceptors};
use super::metrics::{BusMetrics, DiscardReason};
use super::patterns::Patterns;
use super::registration::Target;
use super::reply::ReplySlot;
use super::stats::{Counters, count};
use super::table::Table;
use super::{Dispatch, Handler, Message};

pub(super) struct Shared {
    pub(super) table: Table,
    pub(super) patterns: Patterns,
    pub(super) interceptors: Interceptors,
    pub(super) switch: Switch,
    pub(super) metrics: Option<Arc<dyn BusMetrics>>,
    pub(super) counters: Counters,
    next_id: AtomicU64,
    is_closed: AtomicBool,
}

impl Shared {
    pub(super) fn new(metrics: Option<Arc<dyn BusMetrics>>) -> Self {
        Self {
            table: Table::new(),
            patterns: Patterns::new(),
            interceptors: Interceptors::default(),
            switch: Switch::default(),
            metrics,
            counters: Counters::default(),
            next_id: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Relaxed)
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Relaxed);
        let removed = self.table.clear() + self.patterns.clear(&self.switch);
        self.counters.here().registrations.fetch_sub(removed as u64, Relaxed);
    }

    pub(super) fn register(
        &self,
        target: &Target,
        is_local: bool,
        handler: Arc<dyn Handler>,
    ) -> HandlerId {
        let id = match target {
            Target::Address(address) => self.table.insert(address, is_local, handler),
            Target::Pattern(pattern) => {
                self.patterns.insert(&self.switch, pattern, is_local, handler)
            }
        };
        count(&self.counters.here().registrations, 1);
        if let Some(metrics) = &self.metrics {
            metrics.handler_registered(target.address(), target.is_pattern());
        }
        if self.is_closed() {
            // Closed before or meanwhile: the tables must stay empty.
            self.unregister(target, id);
        }
        id
    }

    pub(super) fn unregister(&self, target: &Target, id: HandlerId) {
        let removed = match target {
            Target::Address(address) => self.table.remove(address, id),
            Target::Pattern(pattern) => self.patterns.remove(&self.switch, pattern, id),
        };
        if removed {
            self.counters.here().registrations.fetch_sub(1, Relaxed);
            if let Some(metrics) = &self.metrics {
                metrics.handler_unregistered(target.address(), target.is_pattern());
            }
        }
    }

    pub(super) fn note_discarded(&self, address: &Address, reason: DiscardReason) {
        let counters = self.counters.here();
        let counter = match reason {
            DiscardReason::BufferFull => &counters.buffer_full,
            DiscardReason::Unregistered => &counters.unregistered,
            DiscardReason::Intercepted => &counters.intercepted,
        };
        count(counter, 1);
        if let Some(metrics) = &self.metrics {
            metrics.message_discarded(address, reason);
        }
    }

    /// The message as the outbound interceptors leave it, if they do.
    pub(super) fn intercept_outbound(
        &self,
        dispatch: Dispatch,
        is_send: bool,
        reply_address: Option<&Address>,
    ) -> Result<Dispatch, Stopped> {
        let Dispatch { address, body, headers, local_only } = dispatch;
        let mut context =
            DeliveryContext::new(address.clone(), body, headers, is_send, reply_address.cloned());
        self.run(Direction::Outbound, &mut context)?;
        let (body, headers) = context.into_parts();
        Ok(Dispatch { address, body, headers, local_only })
    }

    /// The message as the inbound interceptors leave it for one handler, if they do. A requester
    /// is told what stopped it.
    pub(super) fn intercept_inbound(&self, message: &Message) -> Option<Message> {
        let mut context = message.context();
        match self.run(Direction::Inbound, &mut context) {
            Ok(()) => Some(message.changed_by(context)),
            Err(Stopped::Dropped) => None,
            Err(Stopped::Failed(error)) => {
                message.complete(Err(error));
                None
            }
        }
    }

    /// An answer as the interceptors of both directions leave it.
    pub(super) fn intercept_answer(
        &self,
        extras: Extras,
        slot: &ReplySlot,
        answer: Result<Message, Error>,
    ) {
        let mut context = match &answer {
            Ok(reply) => reply.context(),
            Err(error) => DeliveryContext::of_failure(slot.address().clone(), error.clone()),
        };
        let mut stopped = Ok(());
        for (extra, direction) in
            [(Extras::OUTBOUND, Direction::Outbound), (Extras::INBOUND, Direction::Inbound)]
        {
            if stopped.is_ok() && extras.has(extra) {
                stopped = self.run(direction, &mut context);
            }
        }
        match (stopped, answer) {
            (Ok(()), Ok(reply)) => slot.complete(Ok(reply.changed_by(context))),
            (Ok(()), Err(error)) => slot.complete(Err(error)),
            // The slot stays open for another answer, or for the last holder of the request.
            (Err(Stopped::Dropped), _) => {}
            (Err(Stopped::Failed(error)), reply) => {
                if let Ok(reply) = reply {
                    reply.complete(Err(error.clone()));
                }
                slot.complete(Err(error));
            }
        }
    }

    fn run(&self, direction: Direction, context: &mut DeliveryContext) -> Result<(), Stopped> {
        let stopped = match self.interceptors.run(direction, context) {
            Interception::Continue => return Ok(()),
            Interception::Drop => Stopped::Dropped,
            Interception::Fail(error) => Stopped::Failed(error),
        };
        self.note_discarded(context.address(), DiscardReason::Intercepted);
        Err(stopped)
    }
}

/// How an interceptor stopped a message.
pub(super) enum Stopped {
    Dropped,
    Failed(Error),
}
