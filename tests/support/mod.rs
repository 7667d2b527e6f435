//! What conformance tests share: a server on a free port, a client that sees single chunks, sockets.

pub mod hooks;
pub mod http;
pub mod server;
pub mod websocket;

use std::future::Future;
use std::time::Duration;

/// No answer takes this long.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The outcome of `future`, or a failed test.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("nothing happened before the deadline")
}
