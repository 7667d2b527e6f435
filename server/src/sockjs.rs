//! SockJS for any axum app, with or without the bus behind it.
//!
//! ```no_run
//! use trolleybus::sockjs::{self, Options, Socket};
//!
//! async fn echo(mut socket: Socket) {
//!     while let Some(message) = socket.recv().await {
//!         socket.send(message).ok();
//!     }
//! }
//!
//! let app: axum::Router =
//!     axum::Router::new().nest_service("/echo", sockjs::router(Options::default(), echo));
//! ```
//!
//! Serve the app with `TCP_NODELAY` set on its connections, and with connect info if handlers want
//! the peer's address.

use std::future::Future;

use axum::Router;

pub use crate::access::{OriginError, Origins};
pub(crate) use crate::session::{Apart, recognizable};
pub use crate::session::{
    Door, Offer, Offered, Options, Outgoing, Pace, QueueStats, Reserve, SendError, Socket,
    SocketInfo, SocketSender, SocketStats, TrafficStats, TransportStats,
};
pub use crate::transport::SockJs;
pub(crate) use crate::transport::{Answer, Waiting};
pub use trolleybus_protocol::codes::Close;
pub use trolleybus_protocol::sockjs::{Transport, TransportSet};

/// A SockJS service as a router, to be mounted with [`Router::nest_service`] (not `nest`, which
/// cannot route `/echo/`). To close its sockets later, make a [`SockJs`] instead.
pub fn router<H, F>(options: Options, handler: H) -> Router
where
    H: Fn(Socket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    SockJs::new(options, handler).router()
}

/// Adds a SockJS service under `path` to an app.
pub fn mount<H, F>(app: Router, path: &str, options: Options, handler: H) -> Router
where
    H: Fn(Socket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    app.nest_service(path, router(options, handler))
}
