//! What an application can set, with defaults that fit most.

use alloc::vec::Vec;
use core::time::Duration;
#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
use {alloc::string::String, core::fmt::Display, core::future::Future};

#[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
use trolleybus_protocol::{MaybeSend, MaybeSync};

use crate::Transport;
use crate::token::TokenSource;

/// How to connect again after a loss. The delay before attempt `n` (from 0) is
/// `delay_min * exponent^n`, at most `delay_max`, spread by `randomization`. When the server shuts
/// down (close code 1012) up to 3 s more, so that its clients do not all come back at once; when
/// this client sent too much (3005) or is one too many (3006) no less than 10 s to 20 s.
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

/// What becomes of a message that finds the outbox full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutboxPolicy {
    /// It is refused with [`ErrorKind::Overflow`](crate::ErrorKind::Overflow); the default.
    #[default]
    Reject,
    /// The messages that wait longest make way for it. A request among them fails with `Overflow`
    /// at once; how many others went is told by one error, see
    /// [`Client::errors`](crate::Client::errors). Replies are not dropped.
    DropOldest,
    /// Whatever can wait for room does: in JavaScript every promise, in Rust what
    /// [`Client::publish_when_possible`](crate::Client::publish_when_possible) and its siblings
    /// give. What cannot wait is refused as with `Reject`.
    Wait,
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
    pub(crate) outbox_policy: OutboxPolicy,
    pub(crate) buffer_len: usize,
    pub(crate) climb_after: Duration,
    pub(crate) token: Option<TokenSource>,
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) token_header: bool,
    #[cfg(all(not(target_arch = "wasm32"), feature = "tls"))]
    pub(crate) trust: Option<crate::trust::Trust>,
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
            outbox_policy: OutboxPolicy::Reject,
            buffer_len: 1000,
            climb_after: Duration::from_secs(120),
            token: None,
            #[cfg(not(target_arch = "wasm32"))]
            token_header: false,
            #[cfg(all(not(target_arch = "wasm32"), feature = "tls"))]
            trust: None,
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

    /// How many envelopes may wait for the connection, 1,000 by default; what becomes of one more
    /// is for [`Options::outbox_policy`] to say. With zero nothing can be sent.
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

    /// What becomes of a message that finds the outbox full, see [`OutboxPolicy`]; it is refused
    /// by default.
    #[must_use]
    pub fn outbox_policy(mut self, policy: OutboxPolicy) -> Self {
        self.outbox_policy = policy;
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

    /// How long a client that had to fall back stays with the transport that works, 2 minutes by
    /// default, before it tries a WebSocket: beside the connection while that stands, to which it
    /// climbs in a moment without requests under way, with nothing lost; or first when it has to
    /// reconnect. No sooner than after 1 s.
    #[must_use]
    pub fn climb_after(mut self, time: Duration) -> Self {
        self.climb_after = time;
        self
    }

    /// Who this client is: `provider` is asked for a token before each attempt to connect. The
    /// token is the first thing that is said on a connection, before registrations and messages,
    /// and stands in no URL. An empty one means none, and an error that the attempt failed; so
    /// does no answer within 30 s.
    ///
    /// When a JSON Web Token says when it expires, `provider` is asked for another in the last
    /// tenth of its time, at most a minute before its end, which is shown on the same connection.
    /// When the server turns a token down, because it has expired (close code 3002, refusal
    /// `token_expired`) or is none (3003), the client connects again at once with a fresh one; when
    /// that is turned down too, it waits as after any loss (3002), or ends (3003).
    ///
    /// Natively it runs in the connection's task.
    ///
    /// ```
    /// use trolleybus_client::Options;
    ///
    /// let options = Options::new().token_provider(|| async {
    ///     // Ask who issues tokens.
    ///     Ok::<_, std::io::Error>("eyJhbGciOi...".to_owned())
    /// });
    /// # drop(options);
    /// ```
    #[cfg(any(not(target_arch = "wasm32"), feature = "futures"))]
    #[must_use]
    pub fn token_provider<F, E>(
        mut self,
        provider: impl Fn() -> F + MaybeSend + MaybeSync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: Display,
    {
        self.token = Some(TokenSource::new(provider));
        self
    }

    /// Shows the token in an `Authorization` header too when the WebSocket is opened, for what
    /// stands between here and the server. Off by default; a browser cannot do it.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn token_in_header(mut self, on: bool) -> Self {
        self.token_header = on;
        self
    }

    /// Trusts servers whose certificate is one of those in `pem`, or was signed by one, besides
    /// those that browsers trust. For a certification authority of one's own, or a self-signed
    /// certificate. It replaces what was set before.
    ///
    /// # Errors
    /// `Other` when `pem` holds no certificate, or a damaged one.
    #[cfg(all(not(target_arch = "wasm32"), feature = "tls"))]
    pub fn tls_roots(mut self, pem: &[u8]) -> Result<Self, crate::Error> {
        self.trust = Some(crate::trust::Trust::with_roots(pem)?);
        Ok(self)
    }

    /// Uses a configuration of rustls as it stands, with its roots and client certificates, in
    /// place of what was set before.
    #[cfg(all(not(target_arch = "wasm32"), feature = "tls"))]
    #[must_use]
    pub fn tls_config(
        mut self,
        config: std::sync::Arc<tokio_rustls::rustls::ClientConfig>,
    ) -> Self {
        self.trust = Some(crate::trust::Trust::of(config));
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
