//! What a bridge permits and where its limits are: plain values, as a configuration file holds
//! them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trolleybus_protocol::Overflow;

use super::overflow::Bounds;
use crate::access::{ConfigError, Permitted, Policy};

/// Rules and limits of a bridge. By default nothing is permitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BridgeOptions {
    /// What clients may send and publish. The first rule that matches decides.
    pub inbound_permitted: Vec<Permitted>,
    /// What clients may register for and receive. The first rule that matches decides.
    pub outbound_permitted: Vec<Permitted>,
    /// Longest address that can be registered, in UTF-16 units: 200.
    pub max_address_length: usize,
    /// Registrations and requests under way, together, on one socket: 1000.
    pub max_handlers_per_socket: usize,
    /// Requests of others that one socket may have to answer at a time: 1000. A further one is
    /// not delivered, and its requester is told at once.
    pub max_awaited_replies: usize,
    /// What clients may choose, for each registration, when they do not keep up: all of `close`,
    /// `drop_oldest` and `latest`. `close`, which is the default of the client, is always allowed.
    #[serde(with = "words")]
    pub allowed_overflow: Vec<Overflow>,
    /// How much is kept back for clients that chose to lose messages.
    pub overflow: Bounds,
    /// A socket without `ping` for this long is closed, after at most twice the time: 10,000 ms.
    #[serde(rename = "ping_timeout_ms", with = "milliseconds")]
    pub ping_timeout: Duration,
    /// Longest time a request may take: 30,000 ms.
    #[serde(rename = "reply_timeout_ms", with = "milliseconds")]
    pub reply_timeout: Duration,
}

/// Beyond it clocks would overflow some day, and nobody waits as long.
const LONGEST: Duration = Duration::from_secs(86_400 * 365);

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            inbound_permitted: Vec::new(),
            outbound_permitted: Vec::new(),
            max_address_length: 200,
            max_handlers_per_socket: 1000,
            max_awaited_replies: 1000,
            allowed_overflow: Overflow::ALL.to_vec(),
            overflow: Bounds::default(),
            ping_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(30),
        }
    }
}

impl BridgeOptions {
    /// The defaults: nothing is permitted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule for what clients may send and publish.
    #[must_use]
    pub fn permit_inbound(mut self, rule: Permitted) -> Self {
        self.inbound_permitted.push(rule);
        self
    }

    /// Adds a rule for what clients may register for and receive.
    #[must_use]
    pub fn permit_outbound(mut self, rule: Permitted) -> Self {
        self.outbound_permitted.push(rule);
        self
    }

    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first value that does not, with its key and what is allowed.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let counts = [
            ("max_address_length", self.max_address_length),
            ("max_handlers_per_socket", self.max_handlers_per_socket),
            ("max_awaited_replies", self.max_awaited_replies),
            ("overflow.messages", self.overflow.messages),
            ("overflow.bytes", self.overflow.bytes),
            ("overflow.bytes_per_socket", self.overflow.bytes_per_socket),
        ];
        for (key, value) in counts {
            if value == 0 {
                return Err(ConfigError::new(key, "must be at least 1"));
            }
        }
        let times =
            [("ping_timeout_ms", self.ping_timeout), ("reply_timeout_ms", self.reply_timeout)];
        for (key, value) in times {
            if value.is_zero() {
                return Err(ConfigError::new(key, "must be at least 1 ms"));
            }
            if value > LONGEST {
                return Err(ConfigError::new(key, "must be at most a year"));
            }
        }
        Policy::compile(&self.inbound_permitted, &self.outbound_permitted).map(drop)
    }
}

mod words {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use trolleybus_protocol::Overflow;

    pub(super) fn serialize<S: Serializer>(value: &[Overflow], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().map(|overflow| overflow.word()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Overflow>, D::Error> {
        let policy = |word: String| {
            let known = Overflow::ALL.map(Overflow::word).join(", ");
            let unknown = || D::Error::custom(format!("`{word}` is none of {known}"));
            Overflow::from_word(&word).ok_or_else(unknown)
        };
        Vec::<String>::deserialize(from)?.into_iter().map(policy).collect()
    }
}

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_neither_zero_nor_for_ever() {
        let key = |options: BridgeOptions| options.validate().err().map(|error| error.key);
        let defaults = BridgeOptions::new;
        assert_eq!(key(defaults()), None);
        for time in [Duration::ZERO, Duration::from_millis(u64::MAX)] {
            let ping = BridgeOptions { ping_timeout: time, ..defaults() };
            assert_eq!(key(ping).as_deref(), Some("ping_timeout_ms"));
            let reply = BridgeOptions { reply_timeout: time, ..defaults() };
            assert_eq!(key(reply).as_deref(), Some("reply_timeout_ms"));
        }
    }
}
