//! What an application can set, with defaults that fit most.

use alloc::vec::Vec;
use core::time::Duration;

use crate::Transport;

/// How to connect again after a loss. The delay before attempt `n` (from 0) is
/// `delay_min * exponent^n`, at most `delay_max`, spread by `randomization`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconnect {
    /// Attempts in a row before giving up; none by default, so it never gives up. Zero means that
    /// no lost connection is opened again.
    pub attempts_max: Option<u32>,
    /// The first delay, 500 ms by default. Zero connects again at once, every time.
    pub delay_min: Duration,
    /// The longest delay, 30 s by default.
    pub delay_max: Duration,
    /// By how much each delay exceeds the one before, 2 by default; below 1 counts as 1.
    pub exponent: f64,
    /// How far a delay may differ from the computed one, as a share of it: 0.5 by default, 0 for
    /// no spread, at most 1. Delays above `delay_max` do not come of it.
    pub randomization: f64,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            attempts_max: None,
            delay_min: Duration::from_millis(500),
            delay_max: Duration::from_secs(30),
            exponent: 2.0,
            randomization: 0.5,
        }
    }
}

impl Reconnect {
    /// A lost connection is not opened again.
    #[must_use]
    pub fn never() -> Self {
        Self { attempts_max: Some(0), ..Self::default() }
    }
}

/// The settings of a client; a builder by value.
///
/// ```
/// use std::time::Duration;
/// use trolleybus_client::{Options, Transport};
///
/// let options = Options::new()
///     .transports([Transport::XhrStreaming, Transport::XhrPolling])
///     .ping_interval(Duration::from_secs(3))
///     .outbox_len(10_000);
/// # drop(options);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub(crate) transports: Vec<Transport>,
    pub(crate) ping_interval: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) reconnect: Reconnect,
    pub(crate) outbox_len: usize,
    pub(crate) outbox_bytes: usize,
    pub(crate) buffer_len: usize,
    pub(crate) climb_after: Duration,
}

/// What a client can use, best first.
const TRANSPORTS: &[Transport] = if cfg!(target_arch = "wasm32") {
    &[Transport::WebSocket, Transport::XhrStreaming, Transport::EventSource, Transport::XhrPolling]
} else {
    &[Transport::WebSocket]
};

impl Default for Options {
    fn default() -> Self {
        Self {
            transports: TRANSPORTS.to_vec(),
            ping_interval: Duration::from_secs(5),
            idle_timeout: Duration::from_millis(62_500),
            reconnect: Reconnect::default(),
            outbox_len: 1000,
            outbox_bytes: 1 << 20,
            buffer_len: 1000,
            climb_after: Duration::from_secs(120),
        }
    }
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The transports to try, in this order. By default WebSocket, xhr-streaming, EventSource and
    /// xhr-polling in a browser; a native client has WebSocket alone. What the client cannot do is
    /// passed over, and when nothing is left the default holds.
    #[must_use]
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.transports = usable(transports);
        self
    }

    /// How often to tell the server that this client lives, 5 s by default. It must be below the
    /// server's ping timeout (10 s by default). Zero sends no ping.
    #[must_use]
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.ping_interval = interval;
        self
    }

    /// How long a server that sends heartbeats may be silent before the connection counts as
    /// lost: 62.5 s by default, two and a half heartbeats. A server that never sent a heartbeat is
    /// not judged by it. Zero switches it off.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How to connect again, see [`Reconnect`].
    #[must_use]
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// How many envelopes may wait for the connection, 1,000 by default; one more is refused with
    /// [`ErrorKind::Overflow`](crate::ErrorKind::Overflow).
    #[must_use]
    pub fn outbox_len(mut self, envelopes: usize) -> Self {
        self.outbox_len = envelopes;
        self
    }

    /// How many bytes of envelopes may wait for the connection, 1 MiB by default. An envelope
    /// larger than that is taken when nothing else waits.
    #[must_use]
    pub fn outbox_bytes(mut self, bytes: usize) -> Self {
        self.outbox_bytes = bytes;
        self
    }

    /// How many messages one consumer may leave unread, 1,000 by default, at least 1. The newest
    /// is discarded when it is full: [`Consumer::dropped`](crate::Consumer::dropped) counts it,
    /// and a request among them is failed.
    #[must_use]
    pub fn buffer_len(mut self, messages: usize) -> Self {
        self.buffer_len = messages.max(1);
        self
    }

    /// How long a reconnect starts with the transport that worked last rather than with the best
    /// one, 2 minutes by default.
    #[must_use]
    pub fn climb_after(mut self, time: Duration) -> Self {
        self.climb_after = time;
        self
    }
}

/// Those of `transports` that this build can use, or all that it can use.
pub(crate) fn usable(transports: impl IntoIterator<Item = Transport>) -> Vec<Transport> {
    let mut usable = Vec::new();
    for transport in transports {
        if TRANSPORTS.contains(&transport) && !usable.contains(&transport) {
            usable.push(transport);
        }
    }
    if usable.is_empty() {
        usable = TRANSPORTS.to_vec();
    }
    usable
}
