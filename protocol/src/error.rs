//! The one error of the bus, the same on both sides.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::string::ToString;
use core::fmt;

use crate::body::BodyError;
use crate::codes::{FailureType, Refusal};
use crate::headers::HeaderError;

/// Why an operation on the bus failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    code: i32,
    message: Option<String>,
}

/// What kind of failure it was; decide on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No reply in time, or the recipient went away with the request in its queue.
    Timeout,
    /// Nobody consumes the address.
    NoHandlers,
    /// The recipient failed the request; [`Error::code`] and [`Error::message`] are its own.
    RecipientFailure,
    /// The bridge refused the envelope.
    Refused(Refusal),
    /// The connection went while the request was under way; whether it was served is unknown.
    ConnectionLost,
    /// The bus, or this message's way back, is closed.
    Closed,
    /// A bounded queue is full.
    Overflow,
    /// The value cannot be a message body.
    Body,
    /// The headers cannot be headers.
    Headers,
    /// Anything else that the other side reported.
    Other,
}

impl Error {
    /// An error of `kind` with code -1, as the bus gives to failures of its own.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: -1, message: Some(message.into()) }
    }

    /// The failure that a recipient declared.
    #[must_use]
    pub fn recipient(code: i32, message: Option<String>) -> Self {
        Self { kind: ErrorKind::RecipientFailure, code, message }
    }

    /// The bridge's refusal of an envelope.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self::refused_because(refusal, Some(refusal.text().to_owned()))
    }

    /// The bridge's refusal of an envelope, in the server's own words if it gave any.
    pub(crate) fn refused_because(refusal: Refusal, message: Option<String>) -> Self {
        Self { kind: ErrorKind::Refused(refusal), code: refusal.code(), message }
    }

    /// Nobody consumes `address`.
    #[must_use]
    pub fn no_handlers(address: &str) -> Self {
        Self::new(ErrorKind::NoHandlers, ["No handlers for address ", address].concat())
    }

    /// What the wire says: `failureType`, `failureCode` and `message`.
    #[must_use]
    pub fn from_wire(failure: FailureType, code: i32, message: Option<String>) -> Self {
        let kind = match failure {
            FailureType::Timeout => ErrorKind::Timeout,
            FailureType::NoHandlers => ErrorKind::NoHandlers,
            FailureType::RecipientFailure => ErrorKind::RecipientFailure,
            FailureType::Error => ErrorKind::Other,
        };
        Self { kind, code, message }
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The recipient's own code, the refusal's code, or -1.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.code
    }

    /// A text for people, where there is one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The word for it on the wire.
    #[must_use]
    pub fn failure_type(&self) -> FailureType {
        match self.kind {
            ErrorKind::Timeout => FailureType::Timeout,
            ErrorKind::NoHandlers => FailureType::NoHandlers,
            ErrorKind::RecipientFailure => FailureType::RecipientFailure,
            _ => FailureType::Error,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            ErrorKind::Refused(refusal) => refusal.word(),
            ErrorKind::ConnectionLost => "connection lost",
            ErrorKind::Closed => "closed",
            ErrorKind::Overflow => "queue full",
            ErrorKind::Body => "not a message body",
            ErrorKind::Headers => "not headers",
            _ => self.failure_type().word(),
        };
        match &self.message {
            Some(message) => write!(f, "{word} ({}): {message}", self.code),
            None => write!(f, "{word} ({})", self.code),
        }
    }
}

impl core::error::Error for Error {}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::new(ErrorKind::Body, error.to_string())
    }
}

impl From<HeaderError> for Error {
    fn from(error: HeaderError) -> Self {
        Self::new(ErrorKind::Headers, error.text())
    }
}
