//! The bodies of requests and of responses, as hyper has them and as the rest of us does.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::Exchange;

thread_local! {
    /// What becomes of a [`Bystander`]'s wake in this thread.
    static WAKES: Cell<Wakes> = const { Cell::new(Wakes::Pass) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wakes {
    Pass,
    AreKept,
    OneIsKept,
}

/// Wakes the task of a connection, but not for a body that is read to its end.
///
/// hyper's body wakes its connection whenever a piece is taken, for the next may be wanted. After
/// the last one the connection would be polled once more for nothing: a tenth of what an upload
/// costs. It does so in the thread that takes the piece and while that is taken, which is how such
/// a wake is known.
#[derive(Debug)]
pub(super) struct Bystander(Waker);

impl Bystander {
    pub(super) fn new(task: &Waker) -> Arc<Self> {
        Arc::new(Self(task.clone()))
    }
}

impl Wake for Bystander {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if WAKES.get() == Wakes::Pass {
            self.0.wake_by_ref();
        } else {
            WAKES.set(Wakes::OneIsKept);
        }
    }
}

/// The body of a request.
pub(super) struct Upload {
    pub(super) incoming: Incoming,
    pub(super) bystander: Arc<Bystander>,
}

/// Lets wakes pass again when dropped.
struct Keeping;

impl Drop for Keeping {
    fn drop(&mut self) {
        WAKES.set(Wakes::Pass);
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        WAKES.set(Wakes::AreKept);
        let keeping = Keeping;
        let frame = Pin::new(&mut self.incoming).poll_frame(cx);
        let is_one_kept = WAKES.get() == Wakes::OneIsKept;
        drop(keeping);
        if is_one_kept && !self.incoming.is_end_stream() {
            self.bystander.0.wake_by_ref();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// The body of a response; with it the request is over.
pub(super) struct Download {
    pub(super) body: Body,
    /// None where the request counts as over already.
    pub(super) _end: Option<End>,
}

/// The body of a response that goes on and on, as far as hyper writes it.
pub(super) struct Beginning(pub(super) Arc<Exchange>);

impl http_body::Body for Beginning {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.0.poll_stream(cx)
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        // hyper has given it up, unless the rest goes past it.
        drop(super::take(&self.0.stream));
    }
}

/// Tells when the body has been dropped.
pub(super) struct End(pub(super) Arc<Exchange>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.is_over();
    }
}

impl http_body::Body for Download {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
