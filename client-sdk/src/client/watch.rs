//! Watching a client: its states, its errors, and when it opens.

use alloc::collections::VecDeque;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;
use trolleybus_protocol::{Error, ErrorKind};

use super::hub::{Hub, Watcher};
use super::shared::Shared;
use crate::State;

/// The states of a client, see [`Client::states`](crate::Client::states).
///
/// # Cancel safety
/// `next` may be dropped while it waits: the next call gives the state that was missed, or a later
/// one.
#[must_use = "a stream does nothing unless read"]
pub struct States {
    watch: Watch,
    seen: u64,
}

/// The errors of a client, see [`Client::errors`](crate::Client::errors).
///
/// # Cancel safety
/// `next` may be dropped while it waits: no error is lost by that.
#[must_use = "a stream does nothing unless read"]
pub struct Errors {
    watch: Watch,
}

/// Resolves when a client opens, see [`Client::opened`](crate::Client::opened).
///
/// # Cancel safety
/// It can be dropped and asked for again.
#[must_use = "a future does nothing unless awaited"]
pub struct Opened {
    watch: Watch,
}

/// A row in the hub's list of watchers. It holds no handle, so watching keeps no client alive.
pub(super) struct Watch {
    hub: Shared<Hub>,
    id: u64,
}

impl Watch {
    pub(super) fn new(hub: Shared<Hub>, errors: Option<VecDeque<Error>>) -> Self {
        let watcher = Watcher { waker: None, errors };
        let id = hub.lock().watchers.add(watcher);
        Self { hub, id }
    }

    /// What `look` finds; when it finds nothing the task is woken at the next change.
    pub(super) fn poll<T>(
        &self,
        context: &Context<'_>,
        look: impl FnOnce(&mut Hub, u64) -> Option<T>,
    ) -> Poll<T> {
        let mut hub = self.hub.lock();
        if let Some(found) = look(&mut hub, self.id) {
            return Poll::Ready(found);
        }
        if let Some(watcher) = hub.watchers.get_mut(self.id) {
            watcher.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let watcher = self.hub.lock().watchers.remove(self.id);
        drop(watcher);
    }
}

impl States {
    pub(super) fn new(hub: Shared<Hub>) -> Self {
        let watch = Watch::new(hub, None);
        Self { watch, seen: 0 }
    }
}

impl Stream for States {
    type Item = State;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<State>> {
        let seen = self.seen;
        let found = self.watch.poll(context, |hub, _| {
            let state = &hub.state;
            if hub.version > seen {
                return Some((hub.version, Some(state.clone())));
            }
            state.is_closed().then_some((seen, None))
        });
        found.map(|(version, state)| {
            self.seen = version;
            state
        })
    }
}

impl Errors {
    pub(super) fn new(hub: Shared<Hub>) -> Self {
        let watch = Watch::new(hub, Some(VecDeque::new()));
        Self { watch }
    }
}

impl Stream for Errors {
    type Item = Error;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Error>> {
        self.watch.poll(context, |hub, id| {
            let errors = hub.watchers.get_mut(id)?.errors.as_mut()?;
            match errors.pop_front() {
                Some(error) => Some(Some(error)),
                None => hub.state.is_closed().then_some(None),
            }
        })
    }
}

impl Opened {
    pub(super) fn new(hub: Shared<Hub>) -> Self {
        let watch = Watch::new(hub, None);
        Self { watch }
    }
}

impl Future for Opened {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.watch.poll(context, |hub, _| match &hub.state {
            State::Open { .. } => Some(Ok(())),
            State::Closed { reason, .. } => {
                Some(Err(Error::new(ErrorKind::Closed, reason.as_str())))
            }
            _ => None,
        })
    }
}

macro_rules! debug_by_name {
    ($($name:ident)*) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
debug_by_name! { States Errors Opened Watch }
