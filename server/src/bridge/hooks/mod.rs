//! Hooks: what an application sees of the sockets, and may decide.
//!
//! | File | Holds |
//! |---|---|
//! | `event` | [`BridgeEvent`], what happened on which socket |
//! | `outcome` | [`Outcome`], what is to become of it |
//! | `port` | [`BridgeHook`], the port; panics and late answers are handled here |
//! | `queue` | messages that wait for the `RECEIVE` hook, in order |

mod event;
mod outcome;
mod port;
mod queue;

pub use event::{BridgeEvent, EventKind, EventMessage};
pub use outcome::Outcome;
pub use port::{BridgeHook, Hooking};

pub(super) use outcome::Decision;
pub(super) use port::HookPort;
pub(super) use queue::{HookQueue, drain};
