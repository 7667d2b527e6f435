//! The limits as a configuration file holds them: plain values, each with a default.

use serde::{Deserialize, Serialize};

use super::Network;
use super::bucket::Rate;
use crate::access::ConfigError;

/// How much clients may do. In all of it 0 means that there is no such limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Clients to whom neither `connection` nor `ip` applies: this machine itself.
    pub exempt_networks: Vec<Network>,
    /// Envelopes over a shared rate that one socket may send within ten seconds; with more it is
    /// closed with 3005: 100.
    pub max_refusals: u64,
    /// Each connection. One that is faster is read more slowly and loses nothing: 1000 messages
    /// and 2 MiB a second, 2000 messages and 8 MiB at once.
    pub connection: Rates,
    /// All of one IPv4 address, or of one IPv6 /64: 500 sockets, 1000 TCP connections, 20,000
    /// registrations, 5000 messages and 10 MiB a second.
    pub ip: SharedLimits,
    /// All of one user, wherever from: 100 sockets, 20,000 registrations, 2000 messages and 4 MiB
    /// a second. `tcp_connections` means nothing here.
    pub user: SharedLimits,
    /// All that clients do with one address of the bus: no limits.
    pub address: AddressLimits,
}

/// How fast messages may come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Envelopes a second, pings included.
    pub messages_per_second: u64,
    /// Envelopes at once, after a time with none.
    pub message_burst: u64,
    /// Bytes of envelopes a second.
    pub bytes_per_second: u64,
    /// Bytes of envelopes at once. A longer envelope passes as well, and is waited for afterwards.
    pub byte_burst: u64,
}

/// What many connections share.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SharedLimits {
    /// Open sockets; a further one is closed with 3006.
    pub connections: usize,
    /// Open TCP connections that have not become a WebSocket; a further one is closed at once.
    pub tcp_connections: usize,
    /// Registrations; a further one is refused.
    pub registrations: usize,
    /// Envelopes a second; further ones are refused.
    pub messages_per_second: u64,
    /// Envelopes at once, after a time with none.
    pub message_burst: u64,
    /// Bytes of envelopes a second.
    pub bytes_per_second: u64,
    /// Bytes of envelopes at once.
    pub byte_burst: u64,
}

/// What clients may do with one address of the bus.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddressLimits {
    /// Registrations of all clients together; a further one is refused.
    pub registrations: usize,
    /// Messages a second that clients send or publish to it; further ones are refused.
    pub messages_per_second: u64,
    /// Messages at once, after a time with none.
    pub message_burst: u64,
}

const MIB: u64 = 1024 * 1024;

impl Default for LimitsConfig {
    fn default() -> Self {
        let network = |text: &str| text.parse().expect("invariant: a network");
        Self {
            exempt_networks: vec![network("127.0.0.0/8"), network("::1/128")],
            max_refusals: 100,
            connection: Rates {
                messages_per_second: 1000,
                message_burst: 2000,
                bytes_per_second: 2 * MIB,
                byte_burst: 8 * MIB,
            },
            ip: SharedLimits {
                connections: 500,
                tcp_connections: 1000,
                registrations: 20_000,
                messages_per_second: 5000,
                message_burst: 10_000,
                bytes_per_second: 10 * MIB,
                byte_burst: 40 * MIB,
            },
            user: SharedLimits {
                connections: 100,
                tcp_connections: 0,
                registrations: 20_000,
                messages_per_second: 2000,
                message_burst: 4000,
                bytes_per_second: 4 * MIB,
                byte_burst: 16 * MIB,
            },
            address: AddressLimits::default(),
        }
    }
}

impl LimitsConfig {
    /// No limits at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            exempt_networks: Vec::new(),
            max_refusals: 0,
            connection: Rates::default(),
            ip: SharedLimits::default(),
            user: SharedLimits::default(),
            address: AddressLimits::default(),
        }
    }

    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first rate whose burst lets nothing through.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self { connection, ip, user, address, .. } = self;
        let rates = [
            ("connection.message_burst", connection.messages_per_second, connection.message_burst),
            ("connection.byte_burst", connection.bytes_per_second, connection.byte_burst),
            ("ip.message_burst", ip.messages_per_second, ip.message_burst),
            ("ip.byte_burst", ip.bytes_per_second, ip.byte_burst),
            ("user.message_burst", user.messages_per_second, user.message_burst),
            ("user.byte_burst", user.bytes_per_second, user.byte_burst),
            ("address.message_burst", address.messages_per_second, address.message_burst),
        ];
        for (key, rate, burst) in rates {
            if rate > 0 && burst == 0 {
                return Err(ConfigError::new(key, "must be at least 1 where there is a rate"));
            }
        }
        if user.tcp_connections > 0 {
            let problem = "means nothing: a connection has no user before it has a socket";
            return Err(ConfigError::new("user.tcp_connections", problem));
        }
        Ok(())
    }
}

/// Messages and bytes, as buckets take them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pace {
    pub(super) messages: Option<Rate>,
    pub(super) bytes: Option<Rate>,
}

impl Pace {
    pub(super) fn is_limited(self) -> bool {
        self.messages.is_some() || self.bytes.is_some()
    }
}

impl From<&Rates> for Pace {
    fn from(rates: &Rates) -> Self {
        Self {
            messages: Rate::new(rates.messages_per_second, rates.message_burst),
            bytes: Rate::new(rates.bytes_per_second, rates.byte_burst),
        }
    }
}

impl From<&SharedLimits> for Pace {
    fn from(limits: &SharedLimits) -> Self {
        Self {
            messages: Rate::new(limits.messages_per_second, limits.message_burst),
            bytes: Rate::new(limits.bytes_per_second, limits.byte_burst),
        }
    }
}

impl From<&AddressLimits> for Pace {
    fn from(limits: &AddressLimits) -> Self {
        Self { messages: Rate::new(limits.messages_per_second, limits.message_burst), bytes: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense_and_a_rate_needs_a_burst() {
        assert_eq!(LimitsConfig::default().validate(), Ok(()));
        assert_eq!(LimitsConfig::none().validate(), Ok(()));
        let mut config = LimitsConfig::none();
        config.user.bytes_per_second = 5;
        assert_eq!(config.validate().unwrap_err().key, "user.byte_burst");
    }
}
