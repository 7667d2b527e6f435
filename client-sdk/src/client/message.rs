//! A message as a consumer gets it.

use alloc::borrow::ToOwned;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use trolleybus_protocol::{
    Address, Body, BusMessage, DeliveryOptions, Error, ErrorKind, Headers, Interception, IntoBody,
};

use super::handle::Handle;
use super::response::Response;
use super::shared::{Ref, WeakRef};
use crate::core::{Connection, Delivery, Origin};
use crate::driver;

/// A message, or a reply. Clones share the text, and only the first reply of all of them counts.
///
/// Its way back is the connection that brought it: a reply after that connection was lost fails
/// with [`ErrorKind::Closed`], and the sender has been told already.
#[derive(Clone)]
pub struct Message {
    pub(super) delivery: Delivery,
    handle: WeakRef<Handle>,
    answered: Arc<AtomicBool>,
}

impl Message {
    pub(super) fn new(delivery: Delivery, handle: &WeakRef<Handle>) -> Self {
        Self { delivery, handle: handle.clone(), answered: Arc::default() }
    }

    /// True when it came from this client itself, not from the server.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.delivery.origin == Origin::Local
    }

    /// How many messages of its registration the server dropped before this one, because this
    /// client did not keep up and chose [`Overflow::DropOldest`](crate::Overflow::DropOldest) or
    /// [`Overflow::Latest`](crate::Overflow::Latest).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.delivery.dropped
    }

    /// The way back, for the first who asks; none when no reply is wanted.
    fn way_back(&self) -> Result<Option<(Ref<Handle>, &Address)>, Error> {
        let Some(to) = &self.delivery.reply_address else {
            return Ok(None);
        };
        if self.answered.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        let gone = || Error::new(ErrorKind::Closed, "the client is closed");
        Ok(Some((self.handle.upgrade().ok_or_else(gone)?, to)))
    }

    /// Nobody will read it: its sender should not wait.
    pub(super) fn discard(&self) {
        let origin = self.delivery.origin;
        // When the way back is gone the sender knows already.
        if let Ok(Some((handle, to))) = self.way_back() {
            let _ = handle.command(|core| core.discard(origin, to));
        }
    }

    pub(super) fn handle(&self) -> Option<Ref<Handle>> {
        self.handle.upgrade()
    }
}

impl Handle {
    fn command(
        &self,
        command: impl FnOnce(&mut Connection) -> Result<(), Error>,
    ) -> Result<(), Error> {
        command(&mut self.hub.lock().core)?;
        self.driver.kick();
        Ok(())
    }

    /// Tells who waits for a reply that an interceptor stopped it.
    fn give_up_reply(
        &self,
        origin: Origin,
        to: &Address,
        interception: Interception,
    ) -> Result<(), Error> {
        self.command(|core| match interception {
            Interception::Fail(error) => core.fail(origin, to, error),
            _ => core.discard(origin, to),
        })
    }
}

impl BusMessage for Message {
    type Response = Response;

    fn address(&self) -> &Address {
        &self.delivery.address
    }

    fn pattern(&self) -> Option<&Address> {
        self.delivery.pattern.as_ref()
    }

    fn headers(&self) -> &Headers {
        &self.delivery.headers
    }

    fn body(&self) -> &Body {
        &self.delivery.body
    }

    fn reply_address(&self) -> Option<&Address> {
        self.delivery.reply_address.as_ref()
    }

    fn reply_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Result<(), Error> {
        let (body, origin) = (body.into_body()?, self.delivery.origin);
        let Some((handle, to)) = self.way_back()? else {
            return Ok(());
        };
        match handle.send_off(to, body, options, true) {
            Ok((body, options)) => handle.command(|core| core.reply(origin, to, body, options)),
            Err(interception) => handle.give_up_reply(origin, to, interception),
        }
    }

    fn reply_and_request_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Response {
        let body = match body.into_body() {
            Ok(body) => body,
            Err(error) => return Response::failed(error.into()),
        };
        let (origin, now) = (self.delivery.origin, driver::now());
        match self.way_back() {
            Ok(Some((handle, to))) => {
                let command = |core: &mut Connection, body, options| {
                    core.reply_and_request(now, origin, to, body, options)
                };
                Response::start(&handle, to, body, options, command, |interception| {
                    // When the way back is gone the sender knows already.
                    let _ = handle.give_up_reply(origin, to, interception.clone());
                })
            }
            Ok(None) => {
                let text = "the sender wants no reply, or has one already";
                Response::failed(Error::new(ErrorKind::Closed, text))
            }
            Err(error) => Response::failed(error),
        }
    }

    fn fail(&self, code: i32, message: &str) -> Result<(), Error> {
        let origin = self.delivery.origin;
        let Some((handle, to)) = self.way_back()? else {
            return Ok(());
        };
        let failure = Error::recipient(code, Some(message.to_owned()));
        match handle.send_off_failure(to, &failure) {
            Interception::Continue => handle.command(|core| core.fail(origin, to, failure)),
            stopped => handle.give_up_reply(origin, to, stopped),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.delivery, f)
    }
}
