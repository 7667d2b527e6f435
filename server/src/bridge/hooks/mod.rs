//! Hooks: what an application sees of the clients, and may decide.
//!
//! | File | Holds |
//! |---|---|
//! | `event` | [`BridgeEvent`], what happened to which client |
//! | `client` | [`Client`], who that is, over SockJS or a gateway |
//! | `outcome` | [`Outcome`], what is to become of it |
//! | `port` | [`BridgeHook`], the port; panics and late answers are handled here |
//! | `envelope` | what the hook makes of an envelope of a client |
//! | `queue` | messages that wait for the `RECEIVE` hook, in order |
//! | `farewell` | the end of a client, as the hook is told |
//!
//! The bridge and the gateways ask the same hook by what is here.

mod client;
mod envelope;
mod event;
mod farewell;
mod outcome;
mod port;
mod queue;

pub use client::{Client, ClientKind};
pub use event::{BridgeEvent, EventKind, EventMessage};
pub use outcome::Outcome;
pub use port::{BridgeHook, Hooking};

pub(crate) use client::Peer;
pub(crate) use envelope::{Answer, ask_about, event_of};
pub(crate) use farewell::say_farewell;
pub(crate) use outcome::Decision;
pub(crate) use port::HookPort;
pub(crate) use queue::{HookQueue, Parcel, Recipient, drain, show};
