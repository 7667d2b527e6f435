//! Which transport to try next, and how long until another joins it.

use crate::Transport;
use alloc::vec::Vec;

/// Shortest and longest time in milliseconds that a transport has before the next joins it.
const PATIENCE: (u64, u64) = (500, 3000);
/// Time in milliseconds that all have once the last has joined.
const LAST_PATIENCE: u64 = 10_000;

#[derive(Debug)]
pub(super) struct Fallback {
    /// What the present attempt has yet to try, the next one last.
    left: Vec<Transport>,
    patience: u64,
    worked: Option<(Transport, u64)>,
}

impl Fallback {
    pub(super) fn new() -> Self {
        Self { left: Vec::new(), patience: PATIENCE.1, worked: None }
    }

    /// Starts an attempt with `transports`, best first; but the one that worked until less than
    /// `climb_after` ago goes before all others.
    pub(super) fn start(
        &mut self,
        transports: impl Iterator<Item = Transport>,
        now: u64,
        climb_after: u64,
    ) {
        self.left = transports.collect();
        self.left.reverse();
        let Some((transport, at)) = self.worked else {
            return;
        };
        let known = self.left.iter().position(|&left| left == transport);
        if let (Some(index), true) = (known, now.saturating_sub(at) < climb_after) {
            let transport = self.left.remove(index);
            self.left.push(transport);
        }
    }

    /// Takes four round trips of `/info` as the time that a transport may take.
    pub(super) fn measure(&mut self, round_trip: u64) {
        self.patience = round_trip.saturating_mul(4).clamp(PATIENCE.0, PATIENCE.1);
    }

    pub(super) fn patience(&self) -> u64 {
        if self.left.is_empty() { LAST_PATIENCE } else { self.patience }
    }

    /// Whether the next one is this.
    pub(super) fn starts_with(&self, transport: Transport) -> bool {
        self.left.last() == Some(&transport)
    }

    pub(super) fn is_over(&self) -> bool {
        self.left.is_empty()
    }

    /// No other follows on this attempt.
    pub(super) fn clear(&mut self) {
        self.left.clear();
    }

    /// The next transport and the milliseconds until another may join it.
    pub(super) fn next(&mut self) -> Option<(Transport, u64)> {
        let transport = self.left.pop()?;
        Some((transport, self.patience()))
    }

    /// Remembers that `transport` worked until `now`.
    pub(super) fn worked(&mut self, transport: Transport, now: u64) {
        self.worked = Some((transport, now));
    }

    /// Forgets what worked.
    pub(super) fn forget(&mut self) {
        self.worked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{WebSocket, XhrPolling, XhrStreaming};

    fn order(fallback: &mut Fallback, now: u64) -> Vec<Transport> {
        let all = [WebSocket, XhrStreaming, XhrPolling];
        fallback.start(all.into_iter(), now, 1000);
        std::iter::from_fn(|| fallback.next().map(|(transport, _)| transport)).collect()
    }

    #[test]
    fn what_worked_goes_first_for_a_while() {
        let mut fallback = Fallback::new();
        assert_eq!(order(&mut fallback, 0), [WebSocket, XhrStreaming, XhrPolling]);
        fallback.worked(XhrPolling, 100);
        assert_eq!(order(&mut fallback, 1099), [XhrPolling, WebSocket, XhrStreaming]);
        assert_eq!(order(&mut fallback, 1100), [WebSocket, XhrStreaming, XhrPolling]);
    }

    #[test]
    fn patience_follows_the_round_trip_within_bounds() {
        let mut fallback = Fallback::new();
        for (round_trip, patience) in [(1, 500), (500, 2000), (60_000, 3000)] {
            fallback.measure(round_trip);
            fallback.start([WebSocket, XhrPolling].into_iter(), 0, 0);
            assert_eq!(fallback.next(), Some((WebSocket, patience)));
            assert_eq!(fallback.next(), Some((XhrPolling, 10_000)));
            assert_eq!(fallback.next(), None);
        }
    }
}
