//! The native client against a real bridge in the same process.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod connection;
mod consumers;
mod messages;
mod sending;
mod server;
mod threads;
mod tokens;
