//! What becomes of messages for a client that does not keep up, where it chose to lose some rather
//! than its socket.
//!
//! | File | Holds |
//! |---|---|
//! | `queue` | messages kept back for one socket, bounded, pure |
//! | `lane` | [`Backlog`], the queue of a socket; [`Lane`], one registration's place in it |
//! | `stats` | counters by policy |
//!
//! ```text
//! handler --> Lane -- the peer keeps up ------------------> outbox --> transport
//!                \-- it does not --> queue -- refill -------^
//! ```
//!
//! A message goes straight into the outbox while the peer keeps up: shared, encoded once, as for
//! every other registration. When more than the outbox gives to such messages waits there, they
//! are kept back here, within fixed bounds, until the transport has written everything and asks.
//! Nobody waits for anybody: a publisher only queues or drops.

mod lane;
mod queue;
mod stats;

pub(super) use lane::{Backlog, Lane};
pub use queue::Bounds;
pub(super) use stats::Counters;
pub use stats::OverflowStats;
