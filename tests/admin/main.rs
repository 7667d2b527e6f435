//! What operators see and do, over HTTP: probes, metrics, the API; and what the logs keep to
//! themselves.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod api;
mod logs;
mod metrics;
mod probes;
mod server;
