//! What a bridge permits and where its limits are: plain values, as a configuration file holds
//! them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::permitted::Rules;

/// One rule. All parts that are there must hold; a rule without any part permits everything.
///
/// ```
/// # use trolleybus::bridge::Permitted;
/// let news = Permitted::address("news");
/// let prices = Permitted::regex(r"prices\..+");
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Permitted {
    /// The exact address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A regular expression that the whole address must match. The engine takes linear time and
    /// knows no back references. Not together with `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_regex: Option<String>,
    /// Fields that the body must have with just these values; objects within are compared in the
    /// same way, further fields are free. A `null` here also takes an absent field.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub body_match: Option<Map<String, Value>>,
    /// An authority that the user of the socket must hold. Without authentication nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_authority: Option<String>,
}

impl Permitted {
    /// Permits every address and body.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Permits one address.
    pub fn address(address: impl Into<String>) -> Self {
        Self { address: Some(address.into()), ..Self::default() }
    }

    /// Permits the addresses that a regular expression matches as a whole.
    pub fn regex(pattern: impl Into<String>) -> Self {
        Self { address_regex: Some(pattern.into()), ..Self::default() }
    }

    /// Permits only bodies with these fields.
    #[must_use]
    pub fn matching(mut self, fields: Map<String, Value>) -> Self {
        self.body_match = Some(fields);
        self
    }
}

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
    /// A socket without `ping` for this long is closed, after at most twice the time: 10,000 ms.
    #[serde(rename = "ping_timeout_ms", with = "milliseconds")]
    pub ping_timeout: Duration,
    /// Longest time a request may take: 30,000 ms.
    #[serde(rename = "reply_timeout_ms", with = "milliseconds")]
    pub reply_timeout: Duration,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            inbound_permitted: Vec::new(),
            outbound_permitted: Vec::new(),
            max_address_length: 200,
            max_handlers_per_socket: 1000,
            max_awaited_replies: 1000,
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
        }
        Rules::compile("inbound_permitted", &self.inbound_permitted)?;
        Rules::compile("outbound_permitted", &self.outbound_permitted)?;
        Ok(())
    }
}

/// A value of the configuration that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}")]
pub struct ConfigError {
    /// The key, such as `inbound_permitted[2].address_regex`.
    pub key: String,
    /// What is wrong with it, or what is allowed.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
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
