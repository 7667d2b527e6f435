//! The answer to a request.

use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use trolleybus_protocol::{Address, Body, DeliveryOptions, Error, Interception};

use super::Message;
use super::handle::Handle;
use super::intercept::stopped;
use super::shared::{OnReply, Ref, Shared};
use crate::core::{Connection, RequestId};

/// Resolves to the reply, or to why there is none. It always resolves: by the reply, by a failure
/// that the server or the recipient tells, when the connection goes (`ConnectionLost`: whether it
/// was served is unknown), or when its time is up.
///
/// # Cancel safety
/// Dropping it gives the answer up. A message that has not left yet is taken back; one that has
/// may still be served.
#[must_use = "the request is given up when this is dropped"]
pub struct Response {
    slot: Shared<Slot>,
    pending: Option<(Ref<Handle>, RequestId)>,
}

#[derive(Debug, Default)]
struct Slot {
    result: Option<Result<Message, Error>>,
    waker: Option<Waker>,
}

impl Response {
    pub(super) fn failed(error: Error) -> Self {
        let slot = Slot { result: Some(Err(error)), waker: None };
        Self { slot: Shared::new(slot), pending: None }
    }

    /// Starts a request; interceptors see it, and its reply. `on_stopped` is told when one of them
    /// keeps the request back.
    pub(super) fn start(
        handle: &Ref<Handle>,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
        command: impl FnOnce(&mut Connection, Body, DeliveryOptions) -> Result<RequestId, Error>,
        on_stopped: impl FnOnce(&Interception),
    ) -> Self {
        match handle.send_off(address, body, options, true) {
            Ok((body, options)) => {
                let slot = Shared::new(Slot::default());
                let weak = Ref::downgrade(handle);
                let (fill, receive) = (fill(slot.clone()), move |result| match weak.upgrade() {
                    Some(handle) => handle.receive(result),
                    None => result,
                });
                let waiter = Box::new(move |result| fill(receive(result)));
                Self::wait(handle, slot, waiter, |core| command(core, body, options))
            }
            Err(interception) => {
                on_stopped(&interception);
                Self::failed(stopped(interception))
            }
        }
    }

    /// Starts what is answered like a request, which no interceptor sees.
    pub(super) fn start_bare(
        handle: &Ref<Handle>,
        command: impl FnOnce(&mut Connection) -> Result<RequestId, Error>,
    ) -> Self {
        let slot = Shared::new(Slot::default());
        let waiter = Box::new(fill(slot.clone()));
        Self::wait(handle, slot, waiter, command)
    }

    fn wait(
        handle: &Ref<Handle>,
        slot: Shared<Slot>,
        waiter: Box<OnReply>,
        command: impl FnOnce(&mut Connection) -> Result<RequestId, Error>,
    ) -> Self {
        match handle.begin(waiter, command) {
            Ok(request) => Self { slot, pending: Some((handle.clone(), request)) },
            Err(error) => Self::failed(error),
        }
    }
}

impl Handle {
    /// Starts a request; `waiter` is called once when it ends, and not at all on an error here.
    pub(crate) fn begin(
        &self,
        waiter: Box<OnReply>,
        command: impl FnOnce(&mut Connection) -> Result<RequestId, Error>,
    ) -> Result<RequestId, Error> {
        let mut hub = self.hub.lock();
        let request = command(&mut hub.core)?;
        hub.waiters.set(request.0, waiter);
        drop(hub);
        self.driver.kick();
        Ok(request)
    }
}

fn fill(slot: Shared<Slot>) -> impl FnOnce(Result<Message, Error>) {
    move |result| {
        let mut slot = slot.lock();
        slot.result = Some(result);
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Future for Response {
    type Output = Result<Message, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.slot.lock();
        let Some(result) = slot.result.take() else {
            slot.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        drop(slot);
        self.pending = None;
        Poll::Ready(result)
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        if let Some((handle, request)) = self.pending.take() {
            let mut hub = handle.hub.lock();
            hub.core.cancel(request);
            let waiter = hub.waiters.remove(request.0);
            drop(hub);
            handle.driver.kick();
            drop(waiter);
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = self.pending.as_ref().map(|(_, request)| request);
        f.debug_tuple("Response").field(&request).finish()
    }
}
