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
//! | `overflow` | what becomes of messages for clients that do not keep up |
//! | `ops` | one file per operation |

mod awaited;
mod config;
mod driver;
mod handle;
mod ops;
mod overflow;
mod pending;
mod socket;

pub use config::BridgeOptions;
pub use handle::Bridge;
pub use overflow::{Bounds as OverflowBounds, OverflowStats};

pub use crate::access::limits::{Limits, LimitsConfig};
pub use crate::access::{ConfigError, Permitted};
pub use trolleybus_protocol::Overflow;
