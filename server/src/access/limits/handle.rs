//! The limits in force, as every door of the server holds them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trolleybus_protocol::codes::Close;

use super::Network;
use super::bucket::Rate;
use super::config::{LimitsConfig, Pace};
use super::connection::Admitted;
use super::network::Place;
use super::stats::{self, Counters, LimitStats, Refused};
use super::table::Table;
use super::usage::{Bounds, Count, Usage};

/// Over how long refusals are counted, in seconds.
const REFUSALS_WITHIN: u64 = 10;

/// The limits in force. Clones share what they count.
#[derive(Debug, Clone, Default)]
pub struct Limits(Option<Arc<Shared>>);

#[derive(Debug)]
pub(super) struct Shared {
    epoch: Instant,
    exempt: Box<[Network]>,
    pub(super) connection: Pace,
    pub(super) refusals: Option<Rate>,
    pub(super) ip: Tier<Place>,
    pub(super) user: Tier<Box<str>>,
    pub(super) address: Tier<Box<str>>,
    pub(super) counters: Counters,
}

/// One kind of names, and what each may do.
#[derive(Debug)]
pub(super) struct Tier<K> {
    pub(super) bounds: Bounds,
    pub(super) names: Table<K>,
}

/// Longest name that is kept as it is.
const LONGEST_NAME: usize = 256;

impl Tier<Box<str>> {
    /// The usage of a name. Clients may send to addresses as long as a message, and each is
    /// remembered for a while; so of a long one only the front is, and a hash of the whole.
    pub(super) fn usage(&self, name: &str, now: u64) -> Arc<Usage> {
        if name.len() <= LONGEST_NAME {
            return self.names.get(name, now);
        }
        let front = (0..=LONGEST_NAME).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        let short = format!("{}#{:016x}", &name[..front], self.names.hash(name));
        self.names.get(short.as_str(), now)
    }
}

impl Limits {
    /// No limits. Nothing is counted, and asking costs next to nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// The limits of a configuration that has been validated.
    #[must_use]
    pub fn new(config: &LimitsConfig) -> Self {
        let per_second = config.max_refusals.div_ceil(REFUSALS_WITHIN);
        Self(Some(Arc::new(Shared {
            epoch: Instant::now(),
            exempt: config.exempt_networks.clone().into(),
            connection: (&config.connection).into(),
            refusals: Rate::new(per_second, config.max_refusals),
            ip: Tier { bounds: (&config.ip).into(), names: Table::new() },
            user: Tier { bounds: (&config.user).into(), names: Table::new() },
            address: Tier { bounds: (&config.address).into(), names: Table::new() },
            counters: Counters::default(),
        })))
    }

    /// Whether connections from this address are not limited.
    #[must_use]
    pub fn is_exempt(&self, ip: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.is_exempt(ip))
    }

    /// Counts a TCP connection in that the network has brought; `None` when there are too many
    /// from its address.
    #[must_use]
    pub fn admit_tcp(&self, ip: IpAddr, now: Instant) -> Option<NetworkPlace> {
        let limit = |bounds: &Bounds| bounds.tcp_connections;
        self.admit(Some(ip), now, limit, |usage| &usage.tcp_connections, Refused::Tcp)
    }

    /// Counts a socket in that is not even open, and may never be; `None` when there are twice as
    /// many from its address as may be open, for those that are only closed take places as well.
    #[must_use]
    pub fn admit_handshake(&self, ip: Option<IpAddr>, now: Instant) -> Option<NetworkPlace> {
        let limit = |bounds: &Bounds| bounds.connections.saturating_mul(2);
        self.admit(ip, now, limit, |usage| &usage.handshakes, Refused::Handshake)
    }

    fn admit(
        &self,
        ip: Option<IpAddr>,
        now: Instant,
        limit: fn(&Bounds) -> usize,
        count: Counted,
        refused: Refused,
    ) -> Option<NetworkPlace> {
        let (Some(shared), Some(ip)) = (&self.0, ip) else { return Some(NetworkPlace::free()) };
        let limit = limit(&shared.ip.bounds);
        if limit == 0 || shared.is_exempt(ip) {
            return Some(NetworkPlace::free());
        }
        let usage = shared.ip.names.get(&Place::from(ip), shared.nanos(now));
        if count(&usage).add(1, limit) {
            return Some(NetworkPlace { held: Some((usage, count)) });
        }
        shared.counters.count(refused, stats::Tier::Ip);
        None
    }

    /// Counts a socket in. Without an address, as behind a Unix socket, it counts for no network.
    ///
    /// # Errors
    /// [`Close::TOO_MANY_CONNECTIONS`], to close it with, when there are too many from its address.
    pub fn admit_connection(&self, ip: Option<IpAddr>, now: Instant) -> Result<Admitted, Close> {
        match &self.0 {
            None => Ok(Admitted::unlimited()),
            Some(shared) => {
                let ip = ip.filter(|ip| !shared.is_exempt(*ip));
                Admitted::new(Arc::clone(shared), ip, now)
            }
        }
    }
}

/// Messages that come without a connection of their own, as requests over HTTP do: they count for
/// the network, the user and the address alone. An error says how long to wait.
impl Limits {
    /// One message of so many bytes, from this network address.
    ///
    /// # Errors
    /// When too much comes from there.
    pub fn admit_from(
        &self,
        ip: Option<IpAddr>,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Duration> {
        let (Some(shared), Some(ip)) = (&self.0, ip) else { return Ok(()) };
        if shared.is_exempt(ip) {
            return Ok(());
        }
        let usage = |now| shared.ip.names.get(&Place::from(ip), now);
        shared.take(shared.ip.bounds.pace, usage, stats::Tier::Ip, bytes, now)
    }

    /// The same message, by this user.
    ///
    /// # Errors
    /// When too much comes from the user.
    pub fn admit_by(&self, subject: &str, bytes: usize, now: Instant) -> Result<(), Duration> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let usage = |now| shared.user.usage(subject, now);
        shared.take(shared.user.bounds.pace, usage, stats::Tier::User, bytes, now)
    }

    /// The same message, to this address of the bus.
    ///
    /// # Errors
    /// When too much goes there.
    pub fn admit_to(&self, address: &str, now: Instant) -> Result<(), Duration> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let usage = |now| shared.address.usage(address, now);
        shared.take(shared.address.bounds.pace, usage, stats::Tier::Address, 0, now)
    }

    /// How many bytes the longest address takes that is remembered.
    #[cfg(test)]
    pub(super) fn longest_address(&self) -> usize {
        self.0.as_ref().map_or(0, |shared| shared.address.names.longest())
    }

    /// How often something was refused so far.
    #[must_use]
    pub fn stats(&self) -> LimitStats {
        self.0.as_ref().map_or_else(LimitStats::default, |shared| shared.counters.snapshot())
    }
}

impl Shared {
    fn take(
        &self,
        pace: Pace,
        usage: impl FnOnce(u64) -> Arc<Usage>,
        label: stats::Tier,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Duration> {
        if !pace.is_limited() {
            return Ok(());
        }
        let now = self.nanos(now);
        let taken = usage(now).take(pace, now, bytes);
        taken.inspect_err(|_| self.counters.count(Refused::Message, label))
    }

    /// Buckets count in nanoseconds since the limits were made.
    pub(super) fn nanos(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.epoch);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_exempt(&self, ip: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(ip))
    }
}

/// Which of the counts of a usage.
type Counted = fn(&Usage) -> &Count;

/// The place of a connection on the network. It is free again when this is dropped.
#[derive(Debug)]
pub struct NetworkPlace {
    held: Option<(Arc<Usage>, Counted)>,
}

impl NetworkPlace {
    /// A place that nobody counts.
    #[must_use]
    pub fn free() -> Self {
        Self { held: None }
    }
}

impl Drop for NetworkPlace {
    fn drop(&mut self) {
        if let Some((usage, count)) = &self.held {
            count(usage).remove(1);
        }
    }
}
