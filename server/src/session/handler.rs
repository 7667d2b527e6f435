//! The service's future for one socket; when it ends, or panics, so does that socket.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use trolleybus_protocol::codes::Close;

use super::Link;

pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs the service for one socket, and is freed as soon as it has returned.
pub(crate) struct Handler {
    future: Option<HandlerFuture>,
}

impl Handler {
    pub(crate) fn new(future: HandlerFuture) -> Self {
        Self { future: Some(future) }
    }

    /// Ready, then and ever after, once the service has returned. Its socket is closing then.
    pub(crate) fn poll(&mut self, link: &Link, cx: &mut Context<'_>) -> Poll<()> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(());
        };
        let close = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(())) => Close::NORMAL,
            Err(_) => {
                let (socket, transport) = (link.info().id(), link.info().transport());
                tracing::error!(socket, %transport, "a handler panicked");
                Close::INTERNAL
            }
        };
        self.future = None;
        link.close(close.code, close.reason);
        Poll::Ready(())
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("returned", &self.future.is_none()).finish_non_exhaustive()
    }
}
