//! What everybody of one name uses together.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use super::bucket::SharedBucket;
use super::config::{AddressLimits, Pace, SharedLimits};

/// What all connections from one place, of one user, or all that goes to one address use.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) connections: Count,
    pub(super) tcp_connections: Count,
    /// Sockets, those that are only told to go included.
    pub(super) handshakes: Count,
    pub(super) registrations: Count,
    messages: SharedBucket,
    bytes: SharedBucket,
}

impl Usage {
    /// Takes one message of so many bytes, if that is within the rates; else gives how long to wait.
    pub(super) fn take(&self, pace: Pace, now: u64, bytes: usize) -> Result<(), Duration> {
        pace.messages.map_or(Ok(()), |rate| self.messages.take(rate, now, 1))?;
        pace.bytes.map_or(Ok(()), |rate| self.bytes.take(rate, now, bytes as u64))
    }

    /// Whether nothing is lost when it is forgotten, as far as time goes.
    pub(super) fn is_settled(&self, now: u64) -> bool {
        self.messages.is_full(now) && self.bytes.is_full(now)
    }
}

/// A number with an upper bound.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicUsize);

impl Count {
    /// Adds `more` unless that goes over `limit`; 0 is no limit.
    pub(super) fn add(&self, more: usize, limit: usize) -> bool {
        let limit = if limit == 0 { usize::MAX } else { limit };
        let within = |held: usize| held.checked_add(more).filter(|sum| *sum <= limit);
        self.0.fetch_update(Relaxed, Relaxed, within).is_ok()
    }

    pub(super) fn remove(&self, fewer: usize) {
        self.0.fetch_sub(fewer, Relaxed);
    }
}

/// The limits of one table's names, as they are checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    pub(super) connections: usize,
    pub(super) tcp_connections: usize,
    pub(super) registrations: usize,
    pub(super) pace: Pace,
}

impl Bounds {
    /// Whether there is any limit.
    pub(super) fn is_any(&self) -> bool {
        self.connections > 0
            || self.tcp_connections > 0
            || self.registrations > 0
            || self.pace.is_limited()
    }
}

impl From<&SharedLimits> for Bounds {
    fn from(limits: &SharedLimits) -> Self {
        Self {
            connections: limits.connections,
            tcp_connections: limits.tcp_connections,
            registrations: limits.registrations,
            pace: limits.into(),
        }
    }
}

impl From<&AddressLimits> for Bounds {
    fn from(limits: &AddressLimits) -> Self {
        Self { registrations: limits.registrations, pace: limits.into(), ..Self::default() }
    }
}
