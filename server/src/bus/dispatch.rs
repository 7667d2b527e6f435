//! From a message to the handlers that take it.

use std::sync::Arc;

use trolleybus_protocol::{Address, Body, BusMessage as _, Error, Headers};

use super::entry::{Entry, Handlers};
use super::extras::Extras;
use super::patterns::PatternEntry;
use super::reply::{ReplySink, ReplySlot};
use super::shared::{Shared, Stopped};
use super::stats::count;
use super::{Bus, Delivery, Handler, Message};

/// One message on its way in: what the operations of the bus take.
#[derive(Debug)]
pub struct Dispatch {
    /// Where it goes.
    pub address: Address,
    /// What it says.
    pub body: Body,
    /// What goes with it.
    pub headers: Headers,
    /// It stays on this node.
    pub local_only: bool,
}

impl Dispatch {
    /// A message for everybody, not only for this node.
    #[must_use]
    pub fn new(address: Address, body: Body, headers: Headers) -> Self {
        Self { address, body, headers, local_only: false }
    }
}

impl Bus {
    /// Publishes and gives how many handlers took it; none too when an interceptor stopped it.
    pub fn publish_message(&self, dispatch: Dispatch) -> usize {
        let shared = self.shared();
        let extras = shared.switch.load();
        match shared.outbound(dispatch, extras, false, None) {
            Ok(dispatch) => shared.publish(dispatch, extras).unwrap_or(0),
            Err(_) => 0,
        }
    }

    /// Publishes and tells how that went.
    ///
    /// # Errors
    /// `NoHandlers` when nobody consumes the address, or an interceptor's error. A message that an
    /// interceptor dropped is no error.
    pub fn try_publish(&self, dispatch: Dispatch) -> Result<(), Error> {
        let shared = self.shared();
        let extras = shared.switch.load();
        match shared.outbound(dispatch, extras, false, None) {
            Ok(dispatch) => shared
                .publish(dispatch, extras)
                .map(drop)
                .map_err(|address| Error::no_handlers(address.as_str())),
            Err(stopped) => stopped.into_write(),
        }
    }

    /// Sends to one consumer; false when there is none, or an interceptor stopped it.
    pub fn send_message(&self, dispatch: Dispatch) -> bool {
        let shared = self.shared();
        let extras = shared.switch.load();
        match shared.outbound(dispatch, extras, true, None) {
            Ok(dispatch) => shared.send(&Message::outgoing(dispatch, true, None), extras),
            Err(_) => false,
        }
    }

    /// Sends to one consumer and tells how that went.
    ///
    /// # Errors
    /// As [`Bus::try_publish`].
    pub fn try_send(&self, dispatch: Dispatch) -> Result<(), Error> {
        let shared = self.shared();
        let extras = shared.switch.load();
        let dispatch = match shared.outbound(dispatch, extras, true, None) {
            Ok(dispatch) => dispatch,
            Err(stopped) => return stopped.into_write(),
        };
        let message = Message::outgoing(dispatch, true, None);
        if shared.send(&message, extras) {
            return Ok(());
        }
        Err(Error::no_handlers(message.address().as_str()))
    }

    /// Sends to one consumer and hands the answer to `sink`: the reply, the recipient's failure,
    /// or that nobody is there. The caller keeps the time.
    pub fn request_message(&self, dispatch: Dispatch, sink: Box<dyn ReplySink>) {
        let slot = ReplySlot::new(self.near(), dispatch.address.clone(), sink.into());
        self.request_through(dispatch, slot);
    }

    pub(super) fn request_through(&self, dispatch: Dispatch, slot: Arc<ReplySlot>) {
        let shared = self.shared();
        let extras = shared.switch.load();
        match shared.outbound(dispatch, extras, true, Some(&slot)) {
            Ok(dispatch) => {
                let message = Message::outgoing(dispatch, true, Some(slot));
                if !shared.send(&message, extras) {
                    message.complete(Err(Error::no_handlers(message.address().as_str())));
                }
            }
            Err(Stopped::Failed(error)) => slot.complete(Err(error)),
            // Dropped with the slot, which tells the requester.
            Err(Stopped::Dropped) => {}
        }
    }
}

impl Stopped {
    /// What it means to who wrote the message.
    fn into_write(self) -> Result<(), Error> {
        match self {
            Self::Dropped => Ok(()),
            Self::Failed(error) => Err(error),
        }
    }
}

impl Shared {
    fn outbound(
        &self,
        dispatch: Dispatch,
        extras: Extras,
        is_send: bool,
        slot: Option<&Arc<ReplySlot>>,
    ) -> Result<Dispatch, Stopped> {
        if extras.has(Extras::OUTBOUND) {
            let reply_address = slot.map(|slot| slot.address());
            return self.intercept_outbound(dispatch, is_send, reply_address);
        }
        Ok(dispatch)
    }

    fn matching(&self, address: &Address, extras: Extras) -> Vec<Arc<PatternEntry>> {
        if extras.has(Extras::PATTERNS) { self.patterns.find(address.as_str()) } else { Vec::new() }
    }

    /// To all; gives how many took it, or the address back when nobody consumes it.
    fn publish(&self, dispatch: Dispatch, extras: Extras) -> Result<usize, Address> {
        count(&self.counters.here().published, 1);
        let handlers = self.table.look(dispatch.address.as_str(), Entry::hear);
        let patterns = self.matching(&dispatch.address, extras);
        if handlers.is_none() && patterns.is_empty() {
            self.note_sent(&dispatch.address, true, 0);
            return Err(dispatch.address);
        }
        let message = Message::outgoing(dispatch, false, None);
        let mut taken = handlers.map_or(0, |handlers| self.to_all(&handlers, &message, extras));
        for found in &patterns {
            let message = message.through(&found.through);
            taken += self.to_all(&found.entry.hear(), &message, extras);
        }
        self.note_sent(message.address(), true, taken);
        if taken == 0 { Err(message.address().clone()) } else { Ok(taken) }
    }

    fn to_all(&self, handlers: &Handlers, message: &Message, extras: Extras) -> usize {
        let taken = handlers
            .as_slice()
            .iter()
            .filter(|handler| self.deliver(&***handler, message, extras) == Delivery::Taken);
        taken.count()
    }

    /// To one; false when nobody takes it.
    fn send(&self, message: &Message, extras: Extras) -> bool {
        count(&self.counters.here().sent, 1);
        let patterns = self.matching(message.address(), extras);
        let is_taken = if patterns.is_empty() {
            self.to_next(message, extras)
        } else {
            self.to_one_of(&patterns, message, extras)
        };
        self.note_sent(message.address(), false, usize::from(is_taken));
        is_taken
    }

    /// Offers the message to the handler whose turn it is, and to the next while they are gone.
    fn to_next(&self, message: &Message, extras: Extras) -> bool {
        let address = message.address().as_str();
        let first = |entry: &Entry| {
            entry.note_message();
            entry.next()
        };
        let mut next = self.table.look(address, first).flatten();
        let mut tries = 0;
        while let Some((handler, handlers)) = next {
            if self.deliver(&*handler, message, extras) == Delivery::Taken {
                return true;
            }
            tries += 1;
            if tries >= handlers {
                break;
            }
            next = self.table.look(address, Entry::next).flatten();
        }
        false
    }

    /// One turn goes round over the handlers of the address and then of each pattern that means
    /// it. It is the turn of the address, or of its oldest pattern when only patterns mean it; so
    /// among handlers of one pattern the share is exact over all its addresses together.
    fn to_one_of(&self, patterns: &[Arc<PatternEntry>], message: &Message, extras: Extras) -> bool {
        let address = message.address().as_str();
        let exact = self.table.look(address, Entry::len).unwrap_or(0);
        let counts: Vec<_> = patterns.iter().map(|found| found.entry.len()).collect();
        let places = exact + counts.iter().sum::<usize>();
        if places == 0 {
            return false;
        }
        let turn = |entry: &Entry| {
            entry.note_message();
            entry.turn()
        };
        let own_turn = self.table.look(address, turn);
        patterns.iter().for_each(|found| found.entry.note_message());
        let start = own_turn.unwrap_or_else(|| patterns[0].entry.turn()) % places;
        (0..places).any(|offset| {
            let mut index = (start + offset) % places;
            if index < exact {
                let handler = self.table.look(address, |entry| entry.at(index)).flatten();
                return handler.is_some_and(|handler| {
                    self.deliver(&*handler, message, extras) == Delivery::Taken
                });
            }
            index -= exact;
            let mut source = 0;
            while index >= counts[source] {
                index -= counts[source];
                source += 1;
            }
            let found = &patterns[source];
            found.entry.at(index).is_some_and(|handler| {
                let message = message.through(&found.through);
                self.deliver(&*handler, &message, extras) == Delivery::Taken
            })
        })
    }

    // A call for each of many handlers would cost more than all else here.
    #[inline]
    fn deliver(&self, handler: &dyn Handler, message: &Message, extras: Extras) -> Delivery {
        if extras.has(Extras::INBOUND) {
            return self.deliver_intercepted(handler, message);
        }
        handler.deliver(message)
    }

    #[cold]
    fn deliver_intercepted(&self, handler: &dyn Handler, message: &Message) -> Delivery {
        match self.intercept_inbound(message) {
            Some(message) => handler.deliver(&message),
            None => Delivery::Taken,
        }
    }

    fn note_sent(&self, address: &Address, is_publish: bool, taken: usize) {
        let counters = self.counters.here();
        let counter = if taken == 0 { &counters.undelivered } else { &counters.delivered };
        count(counter, taken.max(1));
        if let Some(metrics) = &self.metrics {
            metrics.message_sent(address, is_publish, taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use trolleybus_protocol::{EventBus as _, Interception, Pattern};

    use super::*;

    /// Asks for the encoded form of each message, as sockets do.
    #[derive(Default)]
    struct Encoding(Mutex<Vec<Arc<String>>>);

    impl Handler for Encoding {
        fn deliver(&self, message: &Message) -> Delivery {
            let encode = || Arc::new(format!("{:?}", message.pattern()));
            self.0.lock().push(message.encoded(encode));
            Delivery::Taken
        }
    }

    struct Leaving;

    impl Handler for Leaving {
        fn deliver(&self, _: &Message) -> Delivery {
            Delivery::Gone
        }
    }

    fn dispatch(address: &str) -> Dispatch {
        Dispatch::new(address.into(), Body::null(), Headers::new())
    }

    #[test]
    fn a_message_is_encoded_once_and_once_for_each_pattern() {
        let bus = Bus::new();
        let seen = Arc::new(Encoding::default());
        let address = Address::from("a.b");
        let patterns = ["a.*", "#"].map(|text| Pattern::parse(text).unwrap());
        let _guards: Vec<_> = (0..2)
            .flat_map(|_| {
                let through =
                    patterns.iter().map(|pattern| bus.register_pattern(pattern, seen.clone()));
                [bus.register(&address, seen.clone())]
                    .into_iter()
                    .chain(through)
                    .collect::<Vec<_>>()
            })
            .collect();
        let _guard = bus.add_inbound_interceptor(|_| Interception::Continue);
        assert_eq!(bus.publish_message(dispatch("a.b")), 6);
        let seen = seen.0.lock();
        for pair in seen.chunks(2) {
            assert!(Arc::ptr_eq(&pair[0], &pair[1]), "{seen:?}");
        }
        let forms: Vec<_> = seen.iter().step_by(2).map(|form| form.as_str()).collect();
        assert_eq!(forms, ["None", "Some(\"a.*\")", "Some(\"#\")"]);
    }

    #[test]
    fn what_is_sent_passes_over_handlers_that_leave() {
        let bus = Bus::new();
        let seen = Arc::new(Encoding::default());
        let pattern = Pattern::parse("a.*").unwrap();
        let _leaving = bus.register(&"a.b".into(), Arc::new(Leaving));
        let staying = bus.register_pattern(&pattern, seen.clone());
        for _ in 0..10 {
            assert!(bus.send_message(dispatch("a.b")));
        }
        assert_eq!(seen.0.lock().len(), 10);
        drop(staying);
        assert!(!bus.send_message(dispatch("a.b")));
        assert!(bus.try_publish(dispatch("a.b")).is_err());
        assert!(bus.try_send(dispatch("a.b")).is_err());
    }
}
