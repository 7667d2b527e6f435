//! What an observer of the bus is told: the hooks that metrics are made of.

use std::time::Duration;

use trolleybus_protocol::Address;
use trolleybus_protocol::codes::FailureType;

/// An observer of a bus, see [`Bus::with_metrics`](super::Bus::with_metrics). It is called in the
/// task of whoever sends, answers or registers, for every message: it must be quick, must not
/// block and must not call the bus. A bus without one pays a branch.
///
/// Addresses are what clients make up; a metric must not carry them as a label.
pub trait BusMetrics: Send + Sync + 'static {
    /// An address, or a pattern, has one more handler.
    fn handler_registered(&self, address: &Address, is_pattern: bool) {
        let _ = (address, is_pattern);
    }

    /// An address, or a pattern, has one handler less.
    fn handler_unregistered(&self, address: &Address, is_pattern: bool) {
        let _ = (address, is_pattern);
    }

    /// A message was sent (a request too) or published, and `handlers` took it, maybe none.
    fn message_sent(&self, address: &Address, is_publish: bool, handlers: usize) {
        let _ = (address, is_publish, handlers);
    }

    /// A message was taken out of its buffer by a [`Consumer`](super::Consumer).
    fn message_delivered(&self, address: &Address) {
        let _ = address;
    }

    /// A message, or a reply, was discarded on its way to a handler.
    fn message_discarded(&self, address: &Address, reason: DiscardReason) {
        let _ = (address, reason);
    }

    /// A request to `address` got its reply so long after it was made.
    fn reply_received(&self, address: &Address, latency: Duration) {
        let _ = (address, latency);
    }

    /// A request to `address` failed.
    fn reply_failed(&self, address: &Address, failure: FailureType) {
        let _ = (address, failure);
    }
}

/// Why a message was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiscardReason {
    /// The consumer's buffer was full.
    BufferFull,
    /// The consumer ended with the message in its buffer.
    Unregistered,
    /// An interceptor dropped or failed it.
    Intercepted,
}

impl DiscardReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BufferFull, Self::Unregistered, Self::Intercepted];

    /// A word for it, fit for a metric's label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BufferFull => "buffer_full",
            Self::Unregistered => "unregistered",
            Self::Intercepted => "intercepted",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use trolleybus_protocol::{
        BusConsumer as _, BusMessage as _, ConsumerOptions, DeliveryOptions, EventBus as _,
        Interception,
    };

    use super::*;
    use crate::bus::Bus;

    #[derive(Default)]
    struct Log(Mutex<Vec<String>>);

    impl Log {
        fn note(&self, what: String) {
            self.0.lock().push(what);
        }

        fn take(&self) -> Vec<String> {
            std::mem::take(&mut *self.0.lock())
        }
    }

    impl BusMetrics for Log {
        fn handler_registered(&self, address: &Address, is_pattern: bool) {
            self.note(format!("registered {address} {is_pattern}"));
        }

        fn handler_unregistered(&self, address: &Address, is_pattern: bool) {
            self.note(format!("unregistered {address} {is_pattern}"));
        }

        fn message_sent(&self, address: &Address, is_publish: bool, handlers: usize) {
            self.note(format!("sent {address} {is_publish} {handlers}"));
        }

        fn message_delivered(&self, address: &Address) {
            self.note(format!("delivered {address}"));
        }

        fn message_discarded(&self, address: &Address, reason: DiscardReason) {
            self.note(format!("discarded {address} {}", reason.word()));
        }

        fn reply_received(&self, address: &Address, _: Duration) {
            self.note(format!("reply {address}"));
        }

        fn reply_failed(&self, address: &Address, failure: FailureType) {
            self.note(format!("failed {address} {}", failure.word()));
        }
    }

    fn observed() -> (Bus, Arc<Log>) {
        let log = Arc::<Log>::default();
        (Bus::with_metrics(log.clone()), log)
    }

    #[tokio::test]
    async fn messages_and_registrations_are_told() {
        let (bus, log) = observed();
        let mut consumer = bus.consumer_with("a.*", ConsumerOptions::new().pattern());
        bus.publish("a.b", "x").unwrap();
        bus.send("b", "x").unwrap();
        consumer.recv().await.unwrap();
        drop(consumer);
        let expected = [
            "registered a.* true",
            "sent a.b true 1",
            "sent b false 0",
            "delivered a.b",
            "unregistered a.* true",
        ];
        assert_eq!(log.take(), expected);
    }

    #[tokio::test]
    async fn each_request_ends_once() {
        let (bus, log) = observed();
        let mut consumer = bus.consumer("a");
        let answer = bus.request("a", "x");
        let request = consumer.recv().await.unwrap();
        log.take();
        request.reply("y").unwrap();
        request.reply("again").unwrap();
        answer.await.unwrap();
        assert_eq!(log.take(), ["reply a"]);

        bus.request("nobody", "x").await.unwrap_err();
        assert_eq!(log.take(), ["sent nobody false 0", "failed nobody NO_HANDLERS"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_is_told_when_it_happens_and_a_late_reply_not() {
        let (bus, log) = observed();
        let mut consumer = bus.consumer("a");
        let options = DeliveryOptions::new().timeout(Duration::from_millis(5));
        let answer = bus.request_with("a", "x", options);
        let late = consumer.recv().await.unwrap();
        log.take();
        answer.await.unwrap_err();
        assert_eq!(log.take(), ["failed a TIMEOUT"]);
        late.reply("late").unwrap();
        assert!(log.take().is_empty());
    }

    #[tokio::test]
    async fn discards_are_told_by_reason() {
        let (bus, log) = observed();
        let mut consumer = bus.consumer_with_buffer("a", 1);
        for _ in 0..2 {
            bus.send("a", "x").unwrap();
        }
        consumer.unregister().await.unwrap();
        let _guard = bus.add_outbound_interceptor(|_| Interception::Drop);
        bus.send("a", "x").unwrap();
        let discards = log.take().into_iter().filter(|what| what.starts_with("discarded"));
        let expected = DiscardReason::ALL.map(|reason| format!("discarded a {}", reason.word()));
        assert_eq!(discards.collect::<Vec<_>>(), expected);
        let stats = bus.stats();
        assert_eq!((stats.buffer_full, stats.unregistered, stats.intercepted), (1, 1, 1));
        assert_eq!(stats.discarded, 2);
    }
}
