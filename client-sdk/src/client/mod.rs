//! The handles of the SDK, the same in a browser and natively.
//!
//! | File | Holds |
//! |---|---|
//! | `handle` | [`Client`], the cheap clone |
//! | `bus` | `EventBus` for it |
//! | `consumer` | [`Consumer`], a stream, and [`Registration`], for a callback |
//! | `completion` | [`Completion`] of a registration, its end, or a write |
//! | `intercept` | what looks at every message |
//! | `message` | [`Message`] |
//! | `producer` | [`Producer`] |
//! | `response` | [`Response`] |
//! | `room` | [`Sending`] and [`Room`], which wait for room in the outbox |
//! | `watch` | [`States`], [`Errors`], [`Opened`] |
//! | `embed` | what the npm package is made of |
//! | `hub` | what all handles and the driver share: the machine, and who waits for what |
//! | `shared` | one cell for both worlds: `Rc` in a browser, `Arc` and a lock elsewhere |

mod bus;
mod completion;
mod consumer;
#[cfg(target_arch = "wasm32")]
pub mod embed;
mod handle;
mod hub;
mod intercept;
mod message;
mod producer;
mod response;
mod room;
mod shared;
mod watch;

pub use completion::Completion;
pub use consumer::{Consumer, Registration};
pub use handle::Client;
pub use intercept::Interceptor;
pub use message::Message;
pub use producer::Producer;
pub use response::Response;
pub use room::{Room, Sending};
pub use watch::{Errors, Opened, States};

pub(crate) use hub::Hub;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use hub::deliver;
pub(crate) use shared::Shared;
