//! What a request comes to: a response, one that goes on, a poll that waits for one, or something else
//! to wait for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use axum::response::Response;

/// A poll whose session has nothing to tell yet. It holds nothing of the request that asked, so
/// that memory can be given back meanwhile. Dropped, it ends the session: the client has gone.
pub(crate) type Waiting = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A request that is not through yet.
pub(crate) type Later = Pin<Box<dyn Future<Output = Response> + Send>>;

/// What a request comes to.
pub(crate) enum Answer {
    Ready(Response),
    /// A response whose body goes on for as long as its session. Dropped before its end, the body
    /// ends the session: the client has gone.
    Streaming(Response),
    Waiting(Waiting),
    /// The rest of the request has to come first, or others have to go first.
    Later(Later),
}

impl Answer {
    /// The response, however long it takes.
    pub(crate) async fn response(self) -> Response {
        match self {
            Self::Ready(response) | Self::Streaming(response) => response,
            Self::Waiting(waiting) => waiting.await,
            Self::Later(later) => later.await,
        }
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Ready(response)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(response) => f.debug_tuple("Ready").field(response).finish(),
            Self::Streaming(response) => f.debug_tuple("Streaming").field(response).finish(),
            Self::Waiting(_) => f.write_str("Waiting(..)"),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}
