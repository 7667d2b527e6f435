//! Plain counters of the gateways; those of each message in memory of the thread that counts.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::access::AuthFailure;
use crate::meter::Sharded;

/// What a TCP bridge did since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TcpStats {
    /// Connections open now.
    pub open: u64,
    /// Connections that were let in.
    pub opened: u64,
    /// Connections that were closed at once, because there were too many.
    pub refused: u64,
    /// Frames of clients.
    pub received_frames: u64,
    /// Bytes of these frames, without their lengths.
    pub received_bytes: u64,
    /// Frames to clients.
    pub sent_frames: u64,
    /// Bytes of these frames, without their lengths.
    pub sent_bytes: u64,
    /// Tokens that were shown, by what they were: `accepted`, `invalid`, `expired`, `unavailable`.
    pub authentications: [(&'static str, u64); 4],
}

/// What an HTTP gateway did since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HttpStats {
    /// Requests by operation and class of status, such as `publish` and `2xx`; all pairs are there.
    pub requests: Vec<(&'static str, &'static str, u64)>,
    /// Streams of events open now.
    pub streams_open: u64,
    /// Streams of events that were opened.
    pub streams_opened: u64,
    /// Messages put into streams.
    pub events: u64,
    /// Messages that went again because a reader was too slow.
    pub events_dropped: u64,
    /// Tokens that were shown, by what they were: `accepted`, `invalid`, `expired`, `unavailable`.
    pub authentications: [(&'static str, u64); 4],
}

/// Tokens by what they were.
#[derive(Debug, Default)]
pub(super) struct Authentications([AtomicU64; AUTHENTICATIONS.len()]);

const AUTHENTICATIONS: [&str; 4] = ["accepted", "invalid", "expired", "unavailable"];

impl Authentications {
    pub(super) fn count<T>(&self, outcome: &Result<T, AuthFailure>) {
        let place = match outcome {
            Ok(_) => 0,
            Err(AuthFailure::Invalid) => 1,
            Err(AuthFailure::Expired) => 2,
            Err(AuthFailure::Unavailable) => 3,
        };
        self.0[place].fetch_add(1, Relaxed);
    }

    fn snapshot(&self) -> [(&'static str, u64); AUTHENTICATIONS.len()] {
        from_fn(|place| (AUTHENTICATIONS[place], self.0[place].load(Relaxed)))
    }
}

/// What came and went, by one thread.
#[derive(Debug, Default)]
struct Traffic {
    received: [AtomicU64; 2],
    sent: [AtomicU64; 2],
}

#[derive(Debug, Default)]
pub(super) struct TcpCounters {
    opened: AtomicU64,
    closed: AtomicU64,
    refused: AtomicU64,
    traffic: Sharded<Traffic>,
    pub(super) authentications: Authentications,
}

impl TcpCounters {
    /// Counts a connection, and gives its number.
    pub(super) fn opened(&self) -> u64 {
        self.opened.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        count(&self.traffic.here().received, bytes);
    }

    pub(super) fn sent(&self, bytes: usize) {
        count(&self.traffic.here().sent, bytes);
    }

    pub(super) fn snapshot(&self) -> TcpStats {
        // Ends first, so that no more are open than were opened.
        let closed = self.closed.load(Relaxed);
        let opened = self.opened.load(Relaxed);
        let sum = |count: fn(&Traffic) -> &AtomicU64| {
            self.traffic.iter().map(|traffic| count(traffic).load(Relaxed)).sum()
        };
        TcpStats {
            open: opened.saturating_sub(closed),
            opened,
            refused: self.refused.load(Relaxed),
            received_frames: sum(|traffic| &traffic.received[0]),
            received_bytes: sum(|traffic| &traffic.received[1]),
            sent_frames: sum(|traffic| &traffic.sent[0]),
            sent_bytes: sum(|traffic| &traffic.sent[1]),
            authentications: self.authentications.snapshot(),
        }
    }
}

fn count([messages, in_bytes]: &[AtomicU64; 2], bytes: usize) {
    messages.fetch_add(1, Relaxed);
    in_bytes.fetch_add(bytes as u64, Relaxed);
}

const OPERATIONS: [&str; 5] = ["publish", "send", "request", "subscribe", "other"];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Debug, Default)]
struct Requests([[AtomicU64; CLASSES.len()]; OPERATIONS.len()]);

#[derive(Debug, Default)]
struct Events {
    queued: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct HttpCounters {
    requests: Sharded<Requests>,
    opened: AtomicU64,
    closed: AtomicU64,
    events: Sharded<Events>,
    pub(super) authentications: Authentications,
}

impl HttpCounters {
    /// The operation that a path below that of the gateway names, by its number.
    pub(super) fn operation(path: &str) -> usize {
        let first = path.trim_start_matches('/').split('/').next();
        let known = OPERATIONS.iter().position(|operation| Some(*operation) == first);
        known.unwrap_or(OPERATIONS.len() - 1)
    }

    pub(super) fn answered(&self, operation: usize, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.requests.here().0[operation][class].fetch_add(1, Relaxed);
    }

    pub(super) fn stream_opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(super) fn stream_closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    /// One event was put into a stream, and so many went for it.
    pub(super) fn event(&self, dropped: u64) {
        let events = self.events.here();
        events.queued.fetch_add(1, Relaxed);
        if dropped > 0 {
            events.dropped.fetch_add(dropped, Relaxed);
        }
    }

    /// A message went before it was put into a stream.
    pub(super) fn dropped(&self) {
        self.events.here().dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn snapshot(&self) -> HttpStats {
        let closed = self.closed.load(Relaxed);
        let opened = self.opened.load(Relaxed);
        let pairs = (0..OPERATIONS.len())
            .flat_map(|operation| (0..CLASSES.len()).map(move |class| (operation, class)));
        let requests = pairs.map(|(operation, class)| {
            let copies = self.requests.iter().map(|copy| copy.0[operation][class].load(Relaxed));
            (OPERATIONS[operation], CLASSES[class], copies.sum())
        });
        HttpStats {
            requests: requests.collect(),
            streams_open: opened.saturating_sub(closed),
            streams_opened: opened,
            events: self.events.iter().map(|events| events.queued.load(Relaxed)).sum(),
            events_dropped: self.events.iter().map(|events| events.dropped.load(Relaxed)).sum(),
            authentications: self.authentications.snapshot(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn requests_are_counted_by_what_they_ask_and_get() {
        let counters = HttpCounters::default();
        for (path, status) in [
            ("/publish/a/b", StatusCode::NO_CONTENT),
            ("/publish/a", StatusCode::NOT_FOUND),
            ("/openapi.json", StatusCode::OK),
            ("/send.me", StatusCode::NOT_FOUND),
        ] {
            counters.answered(HttpCounters::operation(path), status);
        }
        let counted = counters.snapshot().requests.into_iter().filter(|(_, _, count)| *count > 0);
        let expected = [
            ("publish", "2xx", 1),
            ("publish", "4xx", 1),
            ("other", "2xx", 1),
            ("other", "4xx", 1),
        ];
        assert_eq!(counted.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_open_was_opened_and_not_closed() {
        let counters = TcpCounters::default();
        assert_eq!([(); 3].map(|()| counters.opened()), [1, 2, 3]);
        counters.closed();
        counters.received(5);
        counters.received(7);
        let stats = counters.snapshot();
        assert_eq!((stats.open, stats.opened), (2, 3));
        assert_eq!((stats.received_frames, stats.received_bytes, stats.sent_frames), (2, 12, 0));
    }
}
