//! How often the limits refused something, by what it was and whose limit.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// An envelope, or a request over HTTP.
    Message,
    /// A socket.
    Connection,
    /// A TCP connection, before anything was read from it.
    Tcp,
    /// The handshake of a socket, which was not opened even to be closed.
    Handshake,
    Registration,
}

const REFUSED: [&str; 5] = ["message", "connection", "tcp_connection", "handshake", "registration"];

/// Whose limit it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// The connection's own: it had been refused too often.
    Connection,
    Ip,
    User,
    Address,
}

const TIERS: [&str; 4] = ["connection", "ip", "user", "address"];

/// A snapshot of what limits did since they were made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LimitStats {
    /// What was refused, whose limit it was, and how often; only pairs that can be.
    pub refused: Vec<(&'static str, &'static str, u64)>,
    /// How often a connection was not read for a while, for its own rate.
    pub paused: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    refused: [[AtomicU64; TIERS.len()]; REFUSED.len()],
    paused: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, what: Refused, tier: Tier) {
        self.refused[what as usize][tier as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn paused(&self) {
        self.paused.fetch_add(1, Relaxed);
    }

    pub(super) fn snapshot(&self) -> LimitStats {
        let rows = REFUSED.into_iter().zip(&self.refused);
        let cells = rows.flat_map(|(what, counts)| {
            let cells = TIERS.into_iter().zip(counts);
            cells.map(move |(tier, count)| (what, tier, count.load(Relaxed)))
        });
        let refused = cells.filter(|(what, tier, _)| can_be(what, tier)).collect();
        LimitStats { refused, paused: self.paused.load(Relaxed) }
    }
}

fn can_be(what: &str, tier: &str) -> bool {
    match what {
        "message" => true,
        "connection" => matches!(tier, "ip" | "user"),
        "registration" => tier != "connection",
        _ => tier == "ip",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let counters = Counters::default();
        counters.count(Refused::Message, Tier::Address);
        counters.count(Refused::Registration, Tier::User);
        let shown = counters.snapshot().refused;
        assert!(shown.contains(&("message", "address", 1)));
        assert!(shown.contains(&("registration", "user", 1)));
        assert_eq!(shown.iter().map(|(_, _, count)| count).sum::<u64>(), 2);
        assert_eq!(shown.len(), 4 + 2 + 1 + 1 + 3);
    }
}
