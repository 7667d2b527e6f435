//! What an attacker does, and that it costs nobody else anything: content and order of an honest
//! client's messages, and the server's composure.
//!
//! | File | Holds |
//! |---|---|
//! | `victim` | a whole server, and an honest pair of clients whose messages are counted |
//! | `envelopes` | hostile envelopes: deep, long, colliding, broken, too many |
//! | `http` | hostile requests: slow, wrong lengths, huge headers, injections, paths |
//! | `limits` | who wants more than the limits: rates, sockets, registrations, forged origins |
//! | `tokens` | bad tokens, many and huge |
//! | `gateways` | the other ways in: nonsense over TCP, slow bodies, streams, guessed admin tokens |
//! | `websocket` | hostile frames: endless fragments, floods of pings, too large, invalid |
//! | `churn` | many come and go, and nothing stays |
//!
//! How much latency and memory an attack costs is measured by `examples/abuse.rs`.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use trolleybus_tests::support;

mod churn;
mod envelopes;
mod gateways;
mod http;
mod limits;
mod tokens;
mod victim;
mod websocket;
