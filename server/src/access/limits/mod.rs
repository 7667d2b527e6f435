//! How much clients may do: connections, registrations, messages and bytes, for each connection,
//! each network address, each user and each address of the bus.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`LimitsConfig`], plain and serializable |
//! | `network` | [`Network`], a range of addresses; what counts as one client on the network |
//! | `bucket` | token buckets, pure: time is passed in |
//! | `usage` | what everybody of one name uses together |
//! | `table` | names to their usage, bounded |
//! | `stats` | how often something was refused |
//! | `handle` | [`Limits`], the cheap clone that doors hold |
//! | `connection` | [`Admitted`], one connection's share of it all |
//!
//! ```text
//! Limits::admit_tcp          a connection is accepted       -> NetworkPlace, or nothing
//! Limits::admit_handshake    it asks for a socket           -> NetworkPlace, or nothing
//! Limits::admit_connection   a socket opens                 -> Admitted, or a close
//! Admitted::set_user         it says who it is              -> or a close
//! Admitted::admit_message    it sends an envelope           -> Admission
//! Admitted::admit_to         ... to an address of the bus   -> or a refusal
//! Admitted::admit_registration                              -> RegistrationPlace, or a refusal
//! Limits::admit_from, _by, _to   a message without a connection -> or how long to wait
//! ```
//!
//! A connection over its own rate is not read until the debt is paid: that loses nothing and costs
//! nothing. Limits that connections share cannot be kept so, because each would hold up the
//! others; there the envelope is refused, and who goes on regardless is closed.

mod bucket;
mod config;
mod connection;
mod handle;
mod network;
mod stats;
mod table;
#[cfg(test)]
mod tests;
mod usage;

pub use config::{AddressLimits, LimitsConfig, Rates, SharedLimits};
pub use connection::{Admission, Admitted, RegistrationPlace};
pub use handle::{Limits, NetworkPlace};
pub use network::Network;
pub use stats::LimitStats;
