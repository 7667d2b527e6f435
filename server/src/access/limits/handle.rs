//! The limits in force, as every door of the server holds them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use trolleybus_protocol::codes::Close;

use super::Network;
use super::bucket::Rate;
use super::config::{LimitsConfig, Pace};
use super::connection::Admitted;
use super::network::Place;
use super::table::Table;
use super::usage::{Bounds, Usage};

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
}

/// One kind of names, and what each may do.
#[derive(Debug)]
pub(super) struct Tier<K> {
    pub(super) bounds: Bounds,
    pub(super) names: Table<K>,
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
    pub fn admit_tcp(&self, ip: IpAddr, now: Instant) -> Option<TcpPlace> {
        let Some(shared) = &self.0 else { return Some(TcpPlace(None)) };
        let limit = shared.ip.bounds.tcp_connections;
        if limit == 0 || shared.is_exempt(ip) {
            return Some(TcpPlace(None));
        }
        let usage = shared.ip.names.get(&Place::from(ip), shared.nanos(now));
        usage.tcp_connections.add(1, limit).then(|| TcpPlace(Some(usage)))
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

impl Shared {
    /// Buckets count in nanoseconds since the limits were made.
    pub(super) fn nanos(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.epoch);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_exempt(&self, ip: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(ip))
    }
}

/// The place of a TCP connection. It is free again when this is dropped.
#[derive(Debug)]
pub struct TcpPlace(Option<Arc<Usage>>);

impl Drop for TcpPlace {
    fn drop(&mut self) {
        if let Some(usage) = &self.0 {
            usage.tcp_connections.remove(1);
        }
    }
}
