//! The one place where rooms meet: a configuration becomes a running server.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`Config`] and its parts, plain values |
//! | `load` | file, environment and flags into a [`Config`], with errors that say where |
//! | `client_ip` | whose connection it is, behind trusted proxies |
//! | `site` | the static site |
//! | `http` | the accept loop over hyper |
//! | `telemetry` | logs and spans |
//! | `otlp` | spans to a collector, with the feature `otel` |
//! | `operations` | what the admin room asks, answered by the others |
//! | `readings` | all counters under the names of metrics |
//! | `run` | build, run, drain |

mod client_ip;
mod config;
mod http;
mod load;
mod operations;
#[cfg(feature = "otel")]
mod otlp;
mod readings;
mod run;
mod site;
mod telemetry;

pub use client_ip::ForwardedHeader;
pub use config::{Config, ServerConfig, SockJsConfig};
pub use load::{ENVIRONMENT_PREFIX, EXAMPLE, LoadError, load};
pub use run::{App, bind};
pub use telemetry::{LOG_VARIABLE, LogFormat, Telemetry, TelemetryConfig};
