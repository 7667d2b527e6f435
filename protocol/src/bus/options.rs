//! How messages are delivered, and how they are consumed.

use core::time::Duration;

use bytestring::ByteString;

use crate::{Error, Headers, Overflow};

/// How a message is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOptions {
    /// How long a request waits for its reply, 30 s by default; nothing else looks at it.
    pub timeout: Duration,
    /// Headers to go with the message, none by default.
    pub headers: Headers,
    /// Keep the message on this node; replies are not bound by it.
    pub local_only: bool,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), headers: Headers::new(), local_only: false }
    }
}

impl DeliveryOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long a request waits for its reply.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Adds a header, beside others of that name.
    ///
    /// # Errors
    /// When name or value cannot be a header's.
    pub fn header(
        mut self,
        name: impl Into<ByteString>,
        value: impl Into<ByteString>,
    ) -> Result<Self, Error> {
        self.headers.append(name, value)?;
        Ok(self)
    }

    /// Keeps the message on this node.
    #[must_use]
    pub fn local_only(mut self) -> Self {
        self.local_only = true;
        self
    }
}

/// How an address is consumed.
///
/// ```
/// use trolleybus_protocol::ConsumerOptions;
///
/// let options = ConsumerOptions::new().pattern().max_buffered(50);
/// # drop(options);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerOptions {
    /// How many messages may wait for the consumer, at least 1; unless set, what the bus is set
    /// to, which is 1,000 by default.
    pub max_buffered: Option<usize>,
    /// Only messages from this bus handle's own side: on the server this node, in a client this
    /// client.
    pub local_only: bool,
    /// The address is a [`Pattern`](crate::Pattern).
    pub is_pattern: bool,
    /// What the server does when this consumer's client does not keep up; only clients of a
    /// bridge have one.
    pub overflow: Overflow,
}

impl ConsumerOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many messages may wait, at least 1. The newest are discarded when it is full.
    #[must_use]
    pub fn max_buffered(mut self, messages: usize) -> Self {
        self.max_buffered = Some(messages);
        self
    }

    /// Only messages from this side.
    #[must_use]
    pub fn local_only(mut self) -> Self {
        self.local_only = true;
        self
    }

    /// Reads the address as a [`Pattern`](crate::Pattern).
    #[must_use]
    pub fn pattern(mut self) -> Self {
        self.is_pattern = true;
        self
    }

    /// Sets what the server does when the client does not keep up.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }
}
