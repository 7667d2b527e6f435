//! Counters that cost next to nothing to count, and are added up only when somebody reads them.
//!
//! | File | Holds |
//! |---|---|
//! | `sharded` | [`Sharded`]: one copy of some counters for each thread or so |
//! | `latency` | [`Latency`]: how long things took, in fixed buckets |
//!
//! Nothing here knows what is counted, nor in which format it is read.

mod latency;
mod sharded;

pub use latency::{LATENCY_BOUNDS, Latency, LatencySnapshot};
pub use sharded::Sharded;
