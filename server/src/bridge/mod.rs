//! The bridge: one socket's right to use the bus, in the envelopes of Vert.x.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`BridgeOptions`], plain and serializable |
//! | `handle` | [`Bridge`], to mount in an axum app |
//! | `driver` | the loop over one socket: messages in, timers |
//! | `socket` | what a socket holds: registrations, requests under way, requests it has to answer |
//! | `pending` | requests of this socket that wait for an answer, by deadline |
//! | `awaited` | requests of others that this socket has to answer, by reply address |
//! | `stats` | counters, and the plain [`BridgeStats`] read off them |
//! | `ops` | one file per operation |

mod awaited;
mod config;
mod driver;
mod handle;
mod ops;
mod pending;
mod socket;
mod stats;

pub use config::BridgeOptions;
pub use handle::Bridge;
pub use stats::{BridgeStats, Outcome};

pub use crate::access::{ConfigError, Permitted};
