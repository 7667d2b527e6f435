//! The bridge over a real socket, one file per operation or theme.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use trolleybus_tests::support;

mod authentication;
mod bodies;
mod client;
mod conversations;
mod envelopes;
mod hook_order;
mod hooks;
mod limits;
mod live_rules;
mod liveness;
mod overflow;
mod patterns;
mod permissions;
mod publish;
mod quotas;
mod raw_websocket;
mod receipts;
mod register;
mod replies;
mod request;
mod sockets;
mod unregister;
