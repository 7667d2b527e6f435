//! One SockJS socket: what the service holds, what waits to be sent, and when it is over.
//!
//! | File | Holds |
//! |---|---|
//! | `apart` | futures beside another in a task, polled only when they were woken |
//! | `config` | [`Options`] of a service |
//! | `handle` | [`Socket`] and [`SocketSender`], the service's ends |
//! | `info` | [`SocketInfo`], the first request |
//! | `outgoing` | [`Outgoing`], a message encoded once for all its receivers |
//! | `link` | both queues of one socket, shared by service and transport |
//! | `inbox`, `outbox` | the queues, pure |
//! | `reserve` | the port to messages that are kept back while the peer does not read |
//! | `life` | when an HTTP session ends, pure |
//! | `handler` | the service's future, guarded against panics |
//! | `driver` | the task of one HTTP session |
//! | `receiver` | the one HTTP response that a session feeds |
//! | `stats` | counters of a service, and the plain [`SocketStats`] read off them |
//! | `table` | HTTP sessions by id |
//! | `pace` | how fast sockets are told to leave, pure |
//! | `door` | the port to whoever knows how many sockets a peer may ask for |
//! | `registry` | all open sockets of a service, to count and close them |
//!
//! ```text
//! service -- Socket --> inbox  <-- upload or WebSocket frame
//!         -- sender --> outbox --> receiver or WebSocket pump
//! ```

mod apart;
mod config;
mod door;
mod driver;
mod error;
mod handle;
mod handler;
mod inbox;
mod info;
mod life;
mod link;
mod outbox;
mod outgoing;
mod pace;
mod receiver;
mod registry;
mod reserve;
mod stats;
mod table;

pub use config::Options;
pub use door::Door;
pub use error::SendError;
pub use handle::{Socket, SocketSender};
pub use info::SocketInfo;
pub use outgoing::Outgoing;
pub use pace::Pace;
pub use reserve::{Offer, Offered, Reserve};
pub use stats::{QueueStats, SocketStats, TrafficStats, TransportStats};

pub(crate) use apart::{Apart, recognizable};
pub(crate) use driver::Session;
pub(crate) use handler::{Handler, HandlerFuture};
pub(crate) use link::Link;
pub(crate) use outbox::{Closing, Taken};
pub(crate) use receiver::{Received, Receiver};
pub(crate) use registry::{Registration, Registry};
pub(crate) use stats::{Counters, Tally};
pub(crate) use table::{Attached, Table};
