//! The ways in beside SockJS, over plain sockets: the bridge over TCP, and HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod http;
mod http_hooks;
mod limits;
mod stream;
mod tcp_framing;
mod tcp_hook_order;
mod tcp_hooks;
mod tcp_limits;
mod tcp_messages;
mod tcp_permissions;
mod tcp_requests;
mod tokens;
mod whole;
