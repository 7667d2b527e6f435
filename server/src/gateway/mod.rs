//! Other ways in: protocols beside SockJS that lead straight to the bus, under the same rules.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`TcpOptions`] and [`HttpOptions`], plain and serializable |
//! | `rights` | the rules in force, for whoever stands behind a connection |
//! | `target` | what a client subscribes to: an address or a pattern |
//! | `stats` | plain counters: [`TcpStats`], [`HttpStats`] |
//! | `tcp` | [`TcpGateway`], the TCP EventBus bridge of Vert.x |
//! | `http` | [`HttpGateway`]: publish, send and request by POST, and a stream of server-sent events |

mod config;
mod http;
mod rights;
mod stats;
mod target;
mod tcp;

use std::sync::Arc;

use crate::access::{Authenticator, Credentials};

pub use config::{HttpOptions, TcpOptions};
pub use http::HttpGateway;
pub use stats::{HttpStats, TcpStats};
pub use tcp::TcpGateway;

/// How a gateway gets to know who is behind a connection.
#[derive(Debug, Clone)]
pub struct Authentication {
    /// Turns tokens into principals.
    pub authenticator: Arc<dyn Authenticator>,
    /// Where a request over HTTP carries its token.
    pub credentials: Credentials,
    /// Nothing is carried out for anybody without a token.
    pub required: bool,
}
