//! Plain counters of the sockets of one service.

use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use trolleybus_protocol::codes::CLOSES;
use trolleybus_protocol::sockjs::Transport;

use crate::meter::Sharded;

const TRANSPORTS: usize = Transport::ALL.len();

/// A snapshot of what happened on the sockets of a service since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SocketStats {
    /// One line for each transport, in the order of [`Transport::ALL`].
    pub transports: Vec<TransportStats>,
    /// Sockets closed by the server, by the code that their clients were told. A code outside the
    /// table of codes is counted as 0.
    pub closed_by_code: Vec<(u16, u64)>,
    /// Sockets that their clients closed or lost.
    pub closed_by_client: u64,
    /// Sockets that were refused with 503: too many, or the service drains.
    pub refused: u64,
    /// Messages thrown away because their socket's outbox was full.
    pub discarded_slow: u64,
    /// Messages thrown away because their socket went before it had taken them.
    pub discarded_gone: u64,
    /// What waits now, over all sockets.
    pub queues: QueueStats,
}

/// What happened on one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportStats {
    /// Which one.
    pub transport: Transport,
    /// Sockets open now.
    pub open: u64,
    /// Sockets opened ever.
    pub opened: u64,
    /// Messages and bytes.
    pub traffic: TrafficStats,
}

/// Messages by direction. Bytes are those of the messages, without any framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficStats {
    /// Messages of clients.
    pub received_messages: u64,
    /// Bytes of messages of clients.
    pub received_bytes: u64,
    /// Messages to clients.
    pub sent_messages: u64,
    /// Bytes of messages to clients.
    pub sent_bytes: u64,
    /// Those of the messages to clients that went compressed.
    pub compressed_messages: u64,
    /// Bytes that compressing them has saved.
    pub saved_bytes: u64,
}

/// What waits in queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Messages that wait for their client.
    pub outbox_messages: u64,
    /// What they count against the limit, in bytes, with those that are being written.
    pub outbox_bytes: u64,
    /// The fullest outbox, in bytes.
    pub fullest_outbox_bytes: u64,
    /// Messages that wait for the service.
    pub inbox_messages: u64,
    /// Their bytes.
    pub inbox_bytes: u64,
}

/// Counters of one service. What is counted for each message is counted in batches, and in memory
/// of the thread that counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    traffic: Sharded<[Traffic; TRANSPORTS]>,
    open: [AtomicU64; TRANSPORTS],
    opened: [AtomicU64; TRANSPORTS],
    closed: [AtomicU64; CLOSES.len()],
    closed_otherwise: AtomicU64,
    closed_by_client: AtomicU64,
    refused: AtomicU64,
    discarded_slow: AtomicU64,
    discarded_gone: AtomicU64,
}

#[derive(Debug, Default)]
struct Traffic {
    received_messages: AtomicU64,
    received_bytes: AtomicU64,
    sent_messages: AtomicU64,
    sent_bytes: AtomicU64,
    compressed_messages: AtomicU64,
    saved_bytes: AtomicU64,
}

/// Counts of one batch, on their way to the [`Counters`].
#[derive(Debug, Default)]
pub(crate) struct Tally {
    received_messages: u32,
    sent_messages: u32,
    compressed_messages: u32,
    received_bytes: u64,
    sent_bytes: u64,
    saved_bytes: u64,
}

/// Why messages were thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discard {
    Slow,
    Gone,
}

impl Tally {
    pub(crate) fn receive(&mut self, bytes: usize) {
        self.received_messages += 1;
        self.received_bytes += bytes as u64;
    }

    pub(crate) fn send(&mut self, bytes: usize) {
        self.sent_messages += 1;
        self.sent_bytes += bytes as u64;
    }

    /// One of those that were sent went compressed.
    pub(crate) fn compress(&mut self, saved: usize) {
        self.compressed_messages += 1;
        self.saved_bytes += saved as u64;
    }
}

impl Counters {
    /// Adds a batch, which begins anew.
    #[inline]
    pub(crate) fn add(&self, transport: Transport, tally: &mut Tally) {
        let traffic = || &self.traffic.here()[transport as usize];
        if tally.received_messages > 0 {
            let traffic = traffic();
            traffic.received_messages.fetch_add(tally.received_messages.into(), Relaxed);
            traffic.received_bytes.fetch_add(tally.received_bytes, Relaxed);
            (tally.received_messages, tally.received_bytes) = (0, 0);
        }
        if tally.sent_messages > 0 {
            let traffic = traffic();
            traffic.sent_messages.fetch_add(tally.sent_messages.into(), Relaxed);
            traffic.sent_bytes.fetch_add(tally.sent_bytes, Relaxed);
            (tally.sent_messages, tally.sent_bytes) = (0, 0);
        }
        if tally.compressed_messages > 0 {
            let traffic = traffic();
            traffic.compressed_messages.fetch_add(tally.compressed_messages.into(), Relaxed);
            traffic.saved_bytes.fetch_add(tally.saved_bytes, Relaxed);
            (tally.compressed_messages, tally.saved_bytes) = (0, 0);
        }
    }

    pub(super) fn opened(&self, transport: Transport) {
        self.open[transport as usize].fetch_add(1, Relaxed);
        self.opened[transport as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn ended(&self, transport: Transport) {
        self.open[transport as usize].fetch_sub(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn closed(&self, code: u16) {
        let place = CLOSES.iter().position(|close| close.code == code);
        place.map_or(&self.closed_otherwise, |place| &self.closed[place]).fetch_add(1, Relaxed);
    }

    pub(super) fn closed_by_client(&self) {
        self.closed_by_client.fetch_add(1, Relaxed);
    }

    pub(super) fn discarded(&self, why: Discard, messages: usize) {
        let counter = match why {
            Discard::Slow => &self.discarded_slow,
            Discard::Gone => &self.discarded_gone,
        };
        if messages > 0 {
            counter.fetch_add(messages as u64, Relaxed);
        }
    }

    pub(super) fn snapshot(&self, queues: QueueStats) -> SocketStats {
        let transports = Transport::ALL.into_iter().map(|transport| TransportStats {
            transport,
            open: self.open[transport as usize].load(Relaxed),
            opened: self.opened[transport as usize].load(Relaxed),
            traffic: self.traffic_of(transport),
        });
        let counts: [u64; CLOSES.len()] = from_fn(|place| self.closed[place].load(Relaxed));
        // Two reasons may share a code; the first place counts both.
        let places = 0..CLOSES.len();
        let is_first = |place: &usize| {
            CLOSES.iter().position(|close| close.code == CLOSES[*place].code) == Some(*place)
        };
        let by_code = places.filter(is_first).map(|place| (CLOSES[place].code, counts[place]));
        SocketStats {
            transports: transports.collect(),
            closed_by_code: by_code.chain([(0, self.closed_otherwise.load(Relaxed))]).collect(),
            closed_by_client: self.closed_by_client.load(Relaxed),
            refused: self.refused.load(Relaxed),
            discarded_slow: self.discarded_slow.load(Relaxed),
            discarded_gone: self.discarded_gone.load(Relaxed),
            queues,
        }
    }

    fn traffic_of(&self, transport: Transport) -> TrafficStats {
        let mut sum = TrafficStats::default();
        for copy in self.traffic.iter() {
            let traffic = &copy[transport as usize];
            sum.received_messages += traffic.received_messages.load(Relaxed);
            sum.received_bytes += traffic.received_bytes.load(Relaxed);
            sum.sent_messages += traffic.sent_messages.load(Relaxed);
            sum.sent_bytes += traffic.sent_bytes.load(Relaxed);
            sum.compressed_messages += traffic.compressed_messages.load(Relaxed);
            sum.saved_bytes += traffic.saved_bytes.load(Relaxed);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::codes::Close;

    use super::*;

    #[test]
    fn a_transport_is_at_its_place_in_the_list() {
        for (place, transport) in Transport::ALL.into_iter().enumerate() {
            assert_eq!(place, transport as usize);
        }
    }

    #[test]
    fn batches_are_added_once() {
        let (counters, mut tally) = (Counters::default(), Tally::default());
        tally.receive(10);
        tally.send(3);
        tally.send(4);
        tally.compress(2);
        counters.add(Transport::XhrPolling, &mut tally);
        counters.add(Transport::XhrPolling, &mut tally);
        let stats = counters.snapshot(QueueStats::default());
        let expected = TrafficStats {
            received_messages: 1,
            received_bytes: 10,
            sent_messages: 2,
            sent_bytes: 7,
            compressed_messages: 1,
            saved_bytes: 2,
        };
        assert_eq!(stats.transports[Transport::XhrPolling as usize].traffic, expected);
        assert_eq!(
            stats.transports[Transport::WebSocket as usize].traffic,
            TrafficStats::default()
        );
    }

    #[test]
    fn each_code_has_one_line_and_strange_ones_share_one() {
        let counters = Counters::default();
        counters.closed(Close::GO_AWAY.code);
        counters.closed(Close::BROKEN_FRAMING.code);
        counters.closed(4711);
        let stats = counters.snapshot(QueueStats::default());
        let of_code = |code| stats.closed_by_code.iter().filter(move |(known, _)| *known == code);
        assert_eq!(of_code(3000).collect::<Vec<_>>(), [&(3000, 2)]);
        assert_eq!(of_code(0).collect::<Vec<_>>(), [&(0, 1)]);
    }
}
