//! Trolleybus on the server: an event bus, and the Vert.x EventBus bridge that lets browsers on it.
//!
//! | Module | Holds |
//! |---|---|
//! | [`bus`] | the bus of this process: addresses, consumers, replies |
//! | [`access`] | who may do what: principals, rules |
//! | [`auth`] | turns tokens into principals |
//! | [`bridge`] | what browsers may do on it: envelopes, rules, limits |
//! | [`gateway`] | other ways in: the TCP bridge, HTTP |
//! | [`sockjs`] | SockJS for any axum app, with or without the bus |
//! | [`admin`] | what operators see and do: health, metrics, an API |
//! | [`meter`] | counters that cost next to nothing |
//! | [`service`] | consumers that we ship |
//! | [`app`] | a configuration becomes a running server |
//! | [`cli`] | the command line |
//!
//! A bridge in an axum app of your own:
//!
//! ```
//! use axum::Router;
//! use trolleybus::bridge::{Bridge, BridgeOptions, Permitted};
//! use trolleybus::{Bus, BusMessage, EventBus};
//! use trolleybus_client::Client;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = Bus::new();
//! bus.consumer_fn("orders", |order| async move {
//!     order.reply("accepted").ok();
//! });
//! let rules = BridgeOptions::new().permit_inbound(Permitted::address("orders"));
//! let bridge = Bridge::new(bus, rules)?;
//! let app: Router = Router::new().nest_service("/eventbus", bridge.router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let url = format!("http://{}/eventbus", listener.local_addr()?);
//! tokio::spawn(async move { axum::serve(listener, app).await });
//!
//! let client = Client::connect(&url);
//! let reply = client.request("orders", "two teas").await?;
//! assert_eq!(reply.body().as_json(), r#""accepted""#);
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod admin;
pub mod app;
pub mod auth;
pub mod bridge;
pub mod bus;
pub mod cli;
pub mod gateway;
pub mod meter;
pub mod service;
mod session;
pub mod sockjs;
mod trace;
mod transport;

pub use bus::{Bus, Consumer, Message, Producer, Registration, Response};
pub use trolleybus_protocol::{
    Address, Body, BusConsumer, BusMessage, BusProducer, ConsumerOptions, DeliveryContext,
    DeliveryOptions, Error, ErrorKind, EventBus, Headers, Interception, IntoBody, Overflow,
    Pattern,
};
