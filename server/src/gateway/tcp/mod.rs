//! The TCP EventBus bridge: envelopes of the bridge in frames with a length, one stream each way.
//!
//! | File | Holds |
//! |---|---|
//! | `handle` | [`TcpGateway`]: accepts connections, or takes any stream |
//! | `driver` | the loop over one connection: frames in, bytes out, timers |
//! | `socket` | what a connection holds on the bus, and how messages reach it |
//! | `requests` | requests under way and requests to answer, by deadline |
//! | `ops` | what each envelope does |
//! | `outbox` | bytes that wait for the client, bounded |

mod driver;
mod handle;
mod ops;
mod outbox;
mod requests;
mod socket;

pub use handle::TcpGateway;
