//! Interceptors: they run in the sender's task, or where messages are delivered, while nothing is
//! locked.

use alloc::vec::Vec;
use core::fmt;

use trolleybus_protocol::{
    Address, Body, BusMessage, DeliveryContext, DeliveryOptions, Error, ErrorKind, Headers,
    Interception, MaybeSend, MaybeSync,
};

use super::handle::Handle;
use super::hub::Hub;
use super::message::Message;
use super::shared::{Ref, Shared};
use crate::core::Table;

#[cfg(target_arch = "wasm32")]
type Function = dyn Fn(&mut DeliveryContext) -> Interception;
#[cfg(not(target_arch = "wasm32"))]
type Function = dyn Fn(&mut DeliveryContext) -> Interception + Send + Sync;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

/// The interceptors of a client, in the order in which they came.
#[derive(Default)]
pub(super) struct Interceptors {
    outbound: Table<Ref<Function>>,
    inbound: Table<Ref<Function>>,
}

impl Interceptors {
    fn of(&mut self, direction: Direction) -> &mut Table<Ref<Function>> {
        match direction {
            Direction::Out => &mut self.outbound,
            Direction::In => &mut self.inbound,
        }
    }
}

/// Keeps an interceptor in place; dropping it takes the interceptor out. It keeps no client alive.
#[must_use = "the interceptor is taken out when the guard is dropped"]
pub struct Interceptor {
    hub: Shared<Hub>,
    direction: Direction,
    id: u64,
}

impl Interceptor {
    pub(super) fn new(
        handle: &Handle,
        direction: Direction,
        interceptor: impl Fn(&mut DeliveryContext) -> Interception + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        let hub = handle.hub.clone();
        let id = hub.lock().interceptors.of(direction).add(Ref::new(interceptor));
        Self { hub, direction, id }
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        let interceptor = self.hub.lock().interceptors.of(self.direction).remove(self.id);
        // Outside of the lock, because it may hold handles of its own.
        drop(interceptor);
    }
}

impl fmt::Debug for Interceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interceptor").field("direction", &self.direction).finish_non_exhaustive()
    }
}

impl Handle {
    /// Who looks at messages that go this way; empty is the rule, and costs nothing.
    fn interceptors(&self, direction: Direction) -> Vec<Ref<Function>> {
        self.hub.lock().interceptors.of(direction).values().cloned().collect()
    }

    /// A message or reply on its way out: what is to go, or none with what became of it.
    pub(super) fn send_off(
        &self,
        address: &Address,
        body: Body,
        options: DeliveryOptions,
        is_send: bool,
    ) -> Result<(Body, DeliveryOptions), Interception> {
        let functions = self.interceptors(Direction::Out);
        if functions.is_empty() {
            return Ok((body, options));
        }
        let headers = options.headers.clone();
        let mut context = DeliveryContext::new(address.clone(), body, headers, is_send, None);
        match run(&functions, &mut context) {
            Interception::Continue => {
                let (body, headers) = context.into_parts();
                Ok((body, DeliveryOptions { headers, ..options }))
            }
            stopped => Err(stopped),
        }
    }

    /// A failure on its way out to `address`.
    pub(super) fn send_off_failure(&self, address: &Address, failure: &Error) -> Interception {
        let functions = self.interceptors(Direction::Out);
        if functions.is_empty() {
            return Interception::Continue;
        }
        let mut context = DeliveryContext::of_failure(address.clone(), failure.clone());
        run(&functions, &mut context)
    }

    /// A reply, or a recipient's failure, on its way to the request that it ends.
    pub(super) fn receive(&self, result: Result<Message, Error>) -> Result<Message, Error> {
        let functions = self.interceptors(Direction::In);
        let is_own = |error: &Error| error.kind() != ErrorKind::RecipientFailure;
        if functions.is_empty() || result.as_ref().is_err_and(is_own) {
            return result;
        }
        let mut context = match &result {
            Ok(reply) => reply.context(true),
            Err(error) => DeliveryContext::of_failure(Address::default(), error.clone()),
        };
        match run(&functions, &mut context) {
            Interception::Continue => result.map(|reply| reply.changed(context)),
            interception => Err(stopped(interception)),
        }
    }
}

impl Message {
    /// The message as it reaches a consumer, if it does.
    pub(super) fn received(self) -> Option<Self> {
        let Some(handle) = self.handle() else {
            return Some(self);
        };
        let functions = handle.interceptors(Direction::In);
        if functions.is_empty() {
            return Some(self);
        }
        let mut context = self.context(self.reply_address().is_some());
        match run(&functions, &mut context) {
            Interception::Continue => return Some(self.changed(context)),
            Interception::Drop => self.discard(),
            // When the way back is gone the sender knows already.
            Interception::Fail(error) => {
                let _ = self.fail(error.code(), error.message().unwrap_or_default());
            }
        }
        None
    }

    fn context(&self, is_send: bool) -> DeliveryContext {
        let (address, reply_address) = (self.address().clone(), self.reply_address().cloned());
        let (body, headers): (Body, Headers) = (self.body().clone(), self.headers().clone());
        DeliveryContext::new(address, body, headers, is_send, reply_address)
    }

    fn changed(mut self, context: DeliveryContext) -> Self {
        (self.delivery.body, self.delivery.headers) = context.into_parts();
        self
    }
}

/// What a request ends with that an interceptor stopped.
pub(super) fn stopped(interception: Interception) -> Error {
    match interception {
        Interception::Fail(error) => error,
        // Nobody can answer it any more.
        _ => Error::new(ErrorKind::Timeout, "an interceptor dropped it"),
    }
}

fn run(functions: &[Ref<Function>], context: &mut DeliveryContext) -> Interception {
    for function in functions {
        match call(&**function, context) {
            Interception::Continue => {}
            stopped => return stopped,
        }
    }
    Interception::Continue
}

/// One that panics drops the message.
#[cfg(not(target_arch = "wasm32"))]
fn call(function: &Function, context: &mut DeliveryContext) -> Interception {
    let calling = std::panic::AssertUnwindSafe(|| function(context));
    std::panic::catch_unwind(calling).unwrap_or(Interception::Drop)
}

#[cfg(target_arch = "wasm32")]
fn call(function: &Function, context: &mut DeliveryContext) -> Interception {
    function(context)
}
