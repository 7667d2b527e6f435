//! The one place where rooms meet: a configuration becomes a running server.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`Config`] and its parts, plain values |
//! | `load` | file, environment and flags into a [`Config`], with errors that say where |
//! | `client_ip` | whose connection it is, behind trusted proxies |
//! | `site` | the static site |
//! | `tokens` | whom the bridge asks about tokens, and where they are found |
//! | `tls` | the certificate in force, and the handshake |
//! | `validity` | from when until when a certificate holds |
//! | `front` | what a listener serves: the sockets by a short way, the rest through a router |
//! | `http` | the accept loop |
//! | `exchange` | one connection over hyper, and how a poll that waits is parked |
//! | `rewind` | a stream with bytes to be read first |
//! | `access_log` | what is logged of a request |
//! | `log_fields` | how a value stands in a line of the log |
//! | `telemetry` | logs and spans |
//! | `otlp` | spans to a collector, with the feature `otel` |
//! | `operations` | what the admin room asks, answered by the others |
//! | `rules` | [`LiveRules`]: the rules in force, and how they are read again |
//! | `readings` | all counters under the names of metrics |
//! | `build` | the rooms put together: [`App`] |
//! | `run` | run, drain, stop |

mod access_log;
mod build;
mod client_ip;
mod config;
mod exchange;
mod front;
mod http;
mod load;
mod log_fields;
mod operations;
#[cfg(feature = "otel")]
mod otlp;
mod readings;
mod rewind;
mod rules;
mod run;
mod site;
mod telemetry;
mod tls;
mod tokens;
mod validity;

pub use build::App;
pub use client_ip::{ForwardedHeader, Proxies};
pub use config::{Config, GatewayConfig, ServerConfig, SockJsConfig};
pub use load::{ENVIRONMENT_PREFIX, EXAMPLE, LoadError, load};
pub use rules::{LiveRules, ReloadError};
pub use run::bind;
pub use telemetry::{LOG_VARIABLE, LogFormat, Telemetry, TelemetryConfig};
pub use tls::TlsConfig;
