//! A message as a consumer gets it.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use trolleybus_protocol::{
    Address, Body, BusMessage, DeliveryOptions, Error, ErrorKind, Headers, IntoBody,
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

    fn answer(
        &self,
        command: impl FnOnce(&mut Connection, &Address) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some((handle, to)) = self.way_back()? {
            command(&mut handle.hub.lock().core, to)?;
            handle.driver.kick();
        }
        Ok(())
    }
}

impl BusMessage for Message {
    type Response = Response;

    fn address(&self) -> &Address {
        &self.delivery.address
    }

    fn pattern(&self) -> Option<&Address> {
        None
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
        let body = body.into_body()?;
        self.answer(|core, to| core.reply(self.delivery.origin, to, body, options))
    }

    fn reply_and_request_with(&self, body: impl IntoBody, options: DeliveryOptions) -> Response {
        let (origin, now) = (self.delivery.origin, driver::now());
        match self.way_back() {
            Ok(Some((handle, to))) => Response::start(&handle, body, |core, body| {
                core.reply_and_request(now, origin, to, body, options)
            }),
            Ok(None) => {
                let text = "the sender wants no reply, or has one already";
                Response::failed(Error::new(ErrorKind::Closed, text))
            }
            Err(error) => Response::failed(error),
        }
    }

    fn fail(&self, code: i32, message: &str) -> Result<(), Error> {
        self.answer(|core, to| core.refuse(self.delivery.origin, to, code, message))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.delivery, f)
    }
}
