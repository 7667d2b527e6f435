//! The bridge: one socket's right to use the bus, in the envelopes of Vert.x.
//!
//! | File | Holds |
//! |---|---|
//! | `config` | [`BridgeOptions`], plain and serializable |
//! | `handle` | [`Bridge`], to mount in an axum app |
//! | `builder` | [`BridgeBuilder`], for a bridge with authentication or a hook |
//! | `authentication` | [`Authentication`], who turns tokens into principals |
//! | `hooks` | [`BridgeHook`], what an application sees and may decide |
//! | `core` | what all sockets of a bridge share |
//! | `sockets` | [`SocketHandle`], all open sockets, to look at and to close |
//! | `driver` | the loop over one socket: envelopes in, the clock |
//! | `clock` | when something is due, pure |
//! | `caller` | what the client may do now, as its own task sees it |
//! | `farewell` | the end of a socket |
//! | `socket` | what a socket holds |
//! | `rights` | who is behind it, and the rules as they hold for it |
//! | `registrations` | its registrations, and what the rules say about them by now |
//! | `subscription` | the handler of a registration that is out of the ordinary |
//! | `delivery` | how messages reach the client |
//! | `overflow` | what becomes of messages for clients that do not keep up |
//! | `pending` | requests of this socket that wait for an answer, by deadline |
//! | `awaited` | requests of others that this socket has to answer, by reply address |
//! | `stats` | counters, and the plain [`BridgeStats`] read off them |
//! | `ops` | one file per operation |
//!
//! ```text
//! envelope --> driver --> (hook) --> ops --> rules --> bus
//! bus --> socket or subscription --> rules --> (hook) --> outbox
//! ```

mod authentication;
mod awaited;
mod builder;
mod caller;
mod clock;
mod config;
mod core;
mod delivery;
mod driver;
mod farewell;
mod handle;
mod hooks;
mod ops;
mod overflow;
mod pending;
mod registrations;
mod rights;
mod socket;
mod sockets;
mod stats;
mod subscription;

pub use authentication::Authentication;
pub use builder::BridgeBuilder;
pub use config::BridgeOptions;
pub use handle::Bridge;
pub use hooks::{
    BridgeEvent, BridgeHook, Client, ClientKind, EventKind, EventMessage, Hooking, Outcome,
};
pub use overflow::{Bounds as OverflowBounds, OverflowStats};
pub use sockets::{RegistrationView, SocketHandle, SocketId, SocketView};
pub use stats::{BridgeStats, RequestOutcome};

pub(crate) use crate::session::SendError;
pub(crate) use hooks::{
    Answer, Decision, HookPort, HookQueue, Parcel, Peer, Recipient, ask_about, drain, event_of,
    say_farewell, show,
};

pub use crate::access::limits::{Limits, LimitsConfig};
pub use crate::access::{ConfigError, Permitted};
pub use trolleybus_protocol::Overflow;
