//! The Trolleybus client: one event bus for browsers (wasm) and native programs.
//!
//! A [`Client`] speaks the Vert.x EventBus bridge over SockJS. It connects in the background,
//! falls back from WebSocket to HTTP transports where the network is hostile, reconnects with
//! back-off, registers its consumers again, and lets no request hang.
//!
//! ```no_run
//! use futures_util::StreamExt;
//! use serde::{Deserialize, Serialize};
//! use trolleybus_client::{BusMessage, Client, ConsumerOptions, Error, ErrorKind, EventBus};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     item: String,
//!     pieces: u32,
//! }
//!
//! # async fn example() -> Result<(), Error> {
//! // Connects in the background; a browser takes a relative URL, such as `/eventbus`.
//! let bus = Client::connect("https://example.org/eventbus");
//! bus.publish("orders.new", &Order { item: "bell".to_owned(), pieces: 2 })?;
//!
//! // A request resolves in any case, at the latest after its timeout.
//! match bus.request("price.of", "bell").await {
//!     Ok(reply) => println!("{}", reply.body_as::<f64>()?),
//!     Err(error) if error.kind() == ErrorKind::NoHandlers => println!("nobody sells"),
//!     Err(error) => return Err(error),
//! }
//!
//! // Consumers are streams; dropping one unregisters it.
//! let mut orders = bus.consumer_with("orders.*", ConsumerOptions::new().pattern());
//! while let Some(message) = orders.next().await {
//!     let order: Order = message.body_as()?;
//!     println!("{} of {} at {}", order.pieces, order.item, message.address());
//!     message.reply("noted")?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What an application writes against the trait [`EventBus`] runs over this client and on a
//! server's own bus alike, which is how it is tested too. Hooks for Yew are in `trolleybus-yew`.
//!
//! # Futures and streams
//!
//! Everything is safe to drop where it waits, as the branches of a `select!` are:
//!
//! | Dropped | means |
//! |---|---|
//! | [`Response`] | the answer is given up; a message that has not left yet is taken back |
//! | [`Sending`] | the message is not sent |
//! | `next()` of a [`Consumer`], of [`States`], of [`Errors`] | nothing is lost, the next call gives it |
//! | a [`Consumer`], a [`Registration`] | it is unregistered; requests that were not read fail at once |
//! | a [`Completion`], [`Opened`], [`Room`] | nothing, but that nobody hears the answer |
//! | the last [`Client`] | with the last consumer, registration and response too: the connection ends |
//!
//! # Threads
//!
//! Natively handles, streams and futures are `Send` and `Sync`, so they go into `tokio::spawn`;
//! callbacks must be `Send`. In a browser there is one thread: nothing is `Send`, and nothing has to
//! be ([`MaybeSend`], [`MaybeSync`]). Spawn there with `wasm_bindgen_futures::spawn_local`.
//!
//! # Features
//!
//! | Feature | Default | Brings |
//! |---|---|---|
//! | `serde` | on | bodies of any type that serde knows; without it bodies are `&str` and [`Body`] |
//! | `tls` | on | `wss` and `https` for native programs, by rustls; a browser has its own |
//! | `futures` | on | [`Options::token_provider`] in browsers; native programs always have it |
//!
//! Without features a browser downloads least.
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
