//! The bridge over a real socket, one file per operation or theme.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use trolleybus_tests::support;

mod bodies;
mod client;
mod envelopes;
mod limits;
mod liveness;
mod overflow;
mod permissions;
mod publish;
mod quotas;
mod raw_websocket;
mod register;
mod replies;
mod request;
mod unregister;
