//! Trolleybus for [Yew](https://yew.rs): the bus as hooks.
//!
//! [`BusProvider`] connects; every component below takes part with a hook. What a hook began ends
//! with its component: registrations are taken back, requests given up, tasks stopped. Nothing here
//! panics; what goes wrong is a value.
//!
//! ```
//! use serde::Deserialize;
//! use trolleybus_yew::{BusProvider, EventBus, use_bus, use_bus_state, use_consumer};
//! use yew::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Score {
//!     home: u8,
//!     away: u8,
//! }
//!
//! #[component]
//! fn Derby() -> Html {
//!     let (bus, state) = (use_bus(), use_bus_state());
//!     let scores = use_consumer::<Score>("scores.derby");
//!     let cheer = move |_| {
//!         // Fails only when the outbox is full, or the bus closed.
//!         let _ = bus.publish("cheers", "go!");
//!     };
//!     html! {
//!         <>
//!             if !state.is_open() { <p>{ "No connection; it mends itself." }</p> }
//!             if let Some(error) = scores.error() { <p>{ error.to_string() }</p> }
//!             if let Some(score) = scores.latest() { <p>{ score.home }{ ":" }{ score.away }</p> }
//!             <button onclick={cheer}>{ "Cheer" }</button>
//!         </>
//!     }
//! }
//!
//! #[component]
//! fn App() -> Html {
//!     html! { <BusProvider url="/eventbus"><Derby /></BusProvider> }
//! }
//! # let _ = html! { <App /> };
//! ```
//!
//! | Hook | Gives |
//! |---|---|
//! | [`use_bus`] | the [`Client`], to publish, send and request with |
//! | [`use_bus_state`] | where the connection stands; draws again when that changes |
//! | [`use_bus_errors`] | calls back for errors that belong to no request |
//! | [`use_consumer`], [`use_consumer_with`] | the latest messages of an address, read as a type of yours |
//! | [`use_consumer_fn`], [`use_consumer_fn_with`] | calls back for each message, to reply to it for instance |
//! | [`use_bus_task`] | runs a task of yours on the bus |
//! | [`use_request`], [`use_request_with`] | asks, and gives what became of the question |
//!
//! Addresses and options may change from one drawing to the next: a hook registers anew when they
//! do, and only then. A callback may be another closure each time; the latest one is called.
//!
//! The hooks are for the browser. On a server that draws pages (`ssr`) effects do not run, and
//! [`BusProvider`] needs a tokio runtime as [`Client::connect`] does.
//!
//! | File | Holds |
//! |---|---|
//! | `provider` | [`BusProvider`], [`use_bus`] |
//! | `state` | [`use_bus_state`], [`use_bus_errors`] |
//! | `callback` | [`use_consumer_fn`] |
//! | `standing` | [`Standing`] of a registration |
//! | `consumer` | [`use_consumer`] |
//! | `request` | [`use_request`] |
//! | `task` | [`use_bus_task`]: tasks that end with their owner |

#![warn(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../../../docs/rust.md")]
struct Guide;

mod callback;
mod consumer;
mod provider;
mod request;
mod standing;
mod state;
mod task;

pub use callback::{use_consumer_fn, use_consumer_fn_with};
pub use consumer::{Consumed, Received, use_consumer, use_consumer_with};
pub use provider::{BusProvider, BusProviderProps, use_bus};
pub use request::{Asked, use_request, use_request_with};
pub use standing::Standing;
pub use state::{use_bus_errors, use_bus_state};
pub use task::use_bus_task;

pub use trolleybus_client::{
    self as client, Body, BusMessage, Client, ConsumerOptions, DeliveryOptions, Error, ErrorKind,
    EventBus, Message, Options, Overflow, State,
};
