//! The Trolleybus client: one event bus for browsers (wasm) and native programs.
//!
//! A [`Client`] speaks the Vert.x EventBus bridge over SockJS. It connects in the background,
//! falls back from WebSocket to HTTP transports where the network is hostile, reconnects with
//! back-off, registers its consumers again, and lets no request hang.
//!
//! ```no_run
//! use trolleybus_client::{Client, DeliveryOptions, Error, EventBus};
//!
//! # async fn example() -> Result<(), Error> {
//! let bus = Client::connect("http://localhost:8080/eventbus");
//! bus.publish("news", "goal")?;
//! let answer = bus.request("echo", "hello").await?;
//! # drop(answer);
//! # Ok(())
//! # }
//! ```
//!
//! | Module | Holds |
//! |---|---|
//! | [`core`](crate::core) | the connection as a state machine without I/O |
//! | `client` | the handles: [`Client`], [`Consumer`], [`Message`], [`Response`] |
//! | `driver` | what does the I/O: browser callbacks, or a tokio task |
//! | `options`, `state` | what goes in, and what can be watched |
//! | `token` | where tokens come from |
//! | `trust` | whom a native client trusts at the other end of TLS |

#![warn(missing_docs)]
// In a browser the standard library would bring its panic messages into the download.
#![cfg_attr(all(target_arch = "wasm32", not(test)), no_std)]

extern crate alloc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod client;
pub mod core;
mod driver;
mod options;
mod state;
mod token;
#[cfg(all(not(target_arch = "wasm32"), feature = "tls"))]
mod trust;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use client::embed;
pub use client::{
    Client, Completion, Consumer, Errors, Interceptor, Message, Opened, Producer, Registration,
    Response, Room, Sending, States,
};
pub use options::{Options, OutboxPolicy, Reconnect};
pub use state::State;

pub use trolleybus_protocol::sockjs::Transport;
pub use trolleybus_protocol::{
    Address, Body, BusConsumer, BusMessage, BusProducer, ConsumerOptions, DeliveryContext,
    DeliveryOptions, Error, ErrorKind, EventBus, Headers, Interception, IntoBody, MaybeSend,
    MaybeSync, Overflow,
};
