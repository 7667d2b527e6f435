//! Interceptors: what looks at every message on its way out or in, and may change or stop it.

use alloc::string::String;

use crate::{Address, Body, Error, Headers, IntoBody};

/// What becomes of a message after an interceptor has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interception {
    /// It goes on, to the next interceptor and at last to its destination.
    Continue,
    /// It vanishes in silence.
    Drop,
    /// It vanishes, and who waits for an answer or for the write is told.
    Fail(Error),
}

impl Interception {
    /// Fails the message as a recipient would.
    #[must_use]
    pub fn fail(code: i32, message: impl Into<String>) -> Self {
        Self::Fail(Error::recipient(code, Some(message.into())))
    }
}

/// A message, a reply or a failure on its way, as interceptors see it.
#[derive(Debug, Clone)]
pub struct DeliveryContext {
    address: Address,
    body: Body,
    headers: Headers,
    is_send: bool,
    reply_address: Option<Address>,
    failure: Option<Error>,
    is_changed: bool,
}

impl DeliveryContext {
    /// The context of a message or a reply.
    #[must_use]
    pub fn new(
        address: Address,
        body: Body,
        headers: Headers,
        is_send: bool,
        reply_address: Option<Address>,
    ) -> Self {
        let (failure, is_changed) = (None, false);
        Self { address, body, headers, is_send, reply_address, failure, is_changed }
    }

    /// The context of a failure on its way back to `address`.
    #[must_use]
    pub fn of_failure(address: Address, failure: Error) -> Self {
        let context = Self::new(address, Body::null(), Headers::new(), true, None);
        Self { failure: Some(failure), ..context }
    }

    /// Where it goes; of a reply or failure the reply address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it says; `null` of a failure.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// What goes with it.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// True for what goes to one consumer, replies and failures included; false for a publish.
    #[must_use]
    pub fn is_send(&self) -> bool {
        self.is_send
    }

    /// Where its reply goes, when one is wanted.
    #[must_use]
    pub fn reply_address(&self) -> Option<&Address> {
        self.reply_address.as_ref()
    }

    /// The error, when this is a recipient's failure and no message.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Puts another body in place; a failure keeps being one.
    ///
    /// # Errors
    /// When the value is no body.
    pub fn set_body(&mut self, body: impl IntoBody) -> Result<(), Error> {
        self.body = body.into_body()?;
        self.is_changed = true;
        Ok(())
    }

    /// The headers, to change them.
    pub fn headers_mut(&mut self) -> &mut Headers {
        self.is_changed = true;
        &mut self.headers
    }

    /// Whether an interceptor changed anything.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Body and headers as they are now.
    #[must_use]
    pub fn into_parts(self) -> (Body, Headers) {
        (self.body, self.headers)
    }
}
