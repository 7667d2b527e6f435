//! Waiting for room in the outbox.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use trolleybus_protocol::{Address, Body, DeliveryOptions, Error, ErrorKind};

use super::handle::Handle;
use super::hub::Hub;
use super::shared::{Ref, Shared};
use super::watch::Watch;
use crate::core::Connection;

/// Resolves when the outbox has taken a message, see
/// [`Client::publish_when_possible`](crate::Client::publish_when_possible). Nothing is sent before
/// it is awaited.
///
/// # Errors
/// `Closed` when the client is closed for good; `Body` or `Headers` when it cannot be a message.
///
/// # Cancel safety
/// Dropping it before it resolves means that the message is not sent.
#[must_use = "nothing is sent unless this is awaited"]
pub struct Sending {
    watch: Watch,
    handle: Ref<Handle>,
    what: What,
}

enum What {
    Known(Option<Result<(), Error>>),
    Message { address: Address, body: Body, options: DeliveryOptions, is_send: bool },
}

/// Resolves when the outbox has room for one more message, see
/// [`Client::room`](crate::Client::room).
///
/// # Errors
/// `Closed` when the client is closed for good.
///
/// # Cancel safety
/// It can be dropped and asked for again.
#[must_use = "a future does nothing unless awaited"]
pub struct Room {
    watch: Watch,
}

impl Sending {
    pub(super) fn known(handle: &Ref<Handle>, result: Result<(), Error>) -> Self {
        Self::of(handle, What::Known(Some(result)))
    }

    pub(super) fn new(
        handle: &Ref<Handle>,
        address: Address,
        body: Body,
        options: DeliveryOptions,
        is_send: bool,
    ) -> Self {
        Self::of(handle, What::Message { address, body, options, is_send })
    }

    fn of(handle: &Ref<Handle>, what: What) -> Self {
        let watch = Watch::new(handle.hub.clone(), None);
        Self { watch, handle: handle.clone(), what }
    }
}

impl What {
    /// None while there is no room.
    fn send(&mut self, core: &mut Connection) -> Option<Result<(), Error>> {
        match self {
            Self::Known(result) => result.take(),
            Self::Message { address, body, options, is_send } => {
                let send = if *is_send { Connection::send } else { Connection::publish };
                let result = send(core, address, body.clone(), options.clone());
                let is_full = matches!(&result, Err(error) if error.kind() == ErrorKind::Overflow);
                if is_full {
                    return None;
                }
                *self = Self::Known(None);
                Some(result)
            }
        }
    }
}

impl Future for Sending {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let sent = this.watch.poll(context, |hub, _| this.what.send(&mut hub.core));
        if sent.is_ready() {
            this.handle.driver.kick();
        }
        sent
    }
}

impl Room {
    pub(super) fn new(hub: Shared<Hub>) -> Self {
        Self { watch: Watch::new(hub, None) }
    }
}

impl Future for Room {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.watch.poll(context, |hub, _| {
            if hub.core.state().is_closed() {
                let text = "the client is closed";
                return Some(Err(Error::new(ErrorKind::Closed, text)));
            }
            hub.core.has_room().then_some(Ok(()))
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
debug_by_name! { Sending Room }
