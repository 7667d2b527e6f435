//! The TCP EventBus bridge: envelopes of the bridge in frames with a length, one stream each way.
//!
//! | File | Holds |
//! |---|---|
//! | `handle` | [`TcpGateway`]: accepts connections, or takes any stream |
//! | `driver` | the loop over one connection: frames in, bytes out |
//! | `clocks` | what has to happen even when the client says nothing |
//! | `socket` | what a connection holds on the bus, and how messages reach it |
//! | `requests` | requests under way and requests to answer, by deadline |
//! | `ops` | what each envelope does |
//! | `watched` | the same where a hook looks on |
//! | `hooked` | the connection as the hook sees it, from its beginning to its end |
//! | `outbox` | bytes that wait for the client, bounded |

mod clocks;
mod driver;
mod handle;
mod hooked;
mod ops;
mod outbox;
mod requests;
mod socket;
mod watched;

pub use handle::TcpGateway;
