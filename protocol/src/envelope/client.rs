//! What a client sends.

use alloc::borrow::Cow;
use alloc::string::String;
use core::time::Duration;

use bytestring::ByteString;

use super::{push_code, push_name, push_text};
use crate::codes::Refusal;
use crate::json::{self, Field, Members};
use crate::{Address, Body, Headers, Overflow};

/// Longest `replyAddress` of a client, in UTF-16 units: that of a UUID.
pub const MAX_REPLY_ADDRESS_UNITS: usize = 36;

/// Longest envelope, in bytes, whose memory its addresses share.
const MAX_SHARED: usize = 1024;

/// What an envelope asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The client is alive; nothing is answered.
    Ping,
    /// To one consumer; a request when a reply address is there.
    Send,
    /// To all consumers.
    Publish,
    /// Subscribe this socket.
    Register,
    /// End the subscription.
    Unregister,
    /// Extension: show a token, as the body, at the start or in place of one that expires.
    Authenticate,
}

impl Operation {
    /// The `type` on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Send => "send",
            Self::Publish => "publish",
            Self::Register => "register",
            Self::Unregister => "unregister",
            Self::Authenticate => "authenticate",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "ping" => Self::Ping,
            "send" => Self::Send,
            "publish" => Self::Publish,
            "register" => Self::Register,
            "unregister" => Self::Unregister,
            "authenticate" => Self::Authenticate,
            _ => return None,
        })
    }
}

/// One envelope of a client:
/// `{"type":"send","address":"a","headers":{},"body":1,"replyAddress":"r"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEnvelope {
    /// What it asks for.
    pub operation: Operation,
    /// The address; empty in a ping.
    pub address: Address,
    /// The body; `null` when absent.
    pub body: Body,
    /// The headers.
    pub headers: Headers,
    /// Where the client wants the reply.
    pub reply_address: Option<Address>,
    /// Extension: how long the request may take, field `timeout` in milliseconds.
    pub timeout: Option<Duration>,
    /// Extension: this `send` fails the request whose reply address it names, fields
    /// `failureCode` and `message`.
    pub failure: Option<RecipientFailure>,
    /// Extension: a label under which the client wants to hear what became of this envelope, as it
    /// would of a request: `rec` with a `null` body, or `err`. At most
    /// [`MAX_REPLY_ADDRESS_UNITS`]; passed over where a reply address stands.
    pub receipt: Option<Address>,
    /// Extension: the address of this `register` or `unregister` is a pattern, field `pattern`.
    pub is_pattern: bool,
    /// Extension: what to do when the client does not keep up with this `register`, field
    /// `overflow`.
    pub overflow: Overflow,
}

/// A failure that a recipient declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientFailure {
    /// The application's own code.
    pub code: i32,
    /// A text for people.
    pub message: Option<String>,
}

/// Why a text is no envelope of a client, and where that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeError {
    /// Why.
    pub refusal: Refusal,
    /// The envelope's reply address or receipt, so that the request can be failed.
    pub reply_address: Option<Address>,
}

impl From<Refusal> for EnvelopeError {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, reply_address: None }
    }
}

/// The fields of an envelope as they stand, before they are judged.
struct Fields<'a> {
    text: &'a ByteString,
    kind: Option<Cow<'a, str>>,
    address: Option<Cow<'a, str>>,
    reply_address: Option<Cow<'a, str>>,
    body: Option<&'a str>,
    headers: Option<&'a str>,
    timeout: Option<&'a str>,
    failure_code: Option<&'a str>,
    message: Option<&'a str>,
    receipt: Option<Cow<'a, str>>,
    pattern: Option<&'a str>,
    overflow: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> {
    fn new(text: &'a ByteString) -> Self {
        Self {
            text,
            kind: None,
            address: None,
            reply_address: None,
            body: None,
            headers: None,
            timeout: None,
            failure_code: None,
            message: None,
            receipt: None,
            pattern: None,
            overflow: None,
        }
    }

    fn read(text: &'a ByteString) -> Result<Self, json::JsonError> {
        let mut fields = Self::new(text);
        let mut members = Members::new(text)?;
        while let Some(Field { name, value }) = members.next_field()? {
            match &*name.text()? {
                "type" => fields.kind = value.text_or_raw(),
                "address" => fields.address = value.text_or_raw(),
                "replyAddress" => fields.reply_address = value.text_or_raw(),
                "body" => fields.body = Some(value.raw),
                "headers" => fields.headers = Some(value.raw),
                "timeout" => fields.timeout = Some(value.raw),
                "failureCode" => fields.failure_code = Some(value.raw),
                "message" => fields.message = Some(value.raw),
                "receipt" => fields.receipt = value.text_or_raw(),
                "pattern" => fields.pattern = Some(value.raw),
                "overflow" => fields.overflow = value.text_or_raw(),
                _ => {}
            }
        }
        Ok(fields)
    }

    /// An address that shares the memory of the envelope where it can and may: addresses of requests
    /// are kept until they are answered, and must not keep much else.
    fn address_of(&self, field: &Option<Cow<'a, str>>) -> Option<Address> {
        Some(match field.as_ref()? {
            Cow::Borrowed(text) if self.text.len() <= MAX_SHARED => {
                self.text.slice_ref(text).into()
            }
            text => (**text).into(),
        })
    }

    /// The extension that fails a request; there when `failureCode` is an integer.
    fn failure(&self) -> Option<RecipientFailure> {
        let code = self.failure_code?.parse().ok()?;
        let message = self.message.and_then(|raw| json::unquote(raw).ok()).map(Cow::into_owned);
        Some(RecipientFailure { code, message })
    }

    /// The extension that bounds a request; there when `timeout` is an integer above zero.
    fn timeout(&self) -> Option<Duration> {
        let milliseconds: u32 = self.timeout?.parse().ok()?;
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
    }
}

impl ClientEnvelope {
    /// An envelope with neither body nor headers.
    #[must_use]
    pub fn new(operation: Operation, address: Address) -> Self {
        Self {
            operation,
            address,
            body: Body::null(),
            headers: Headers::new(),
            reply_address: None,
            timeout: None,
            failure: None,
            receipt: None,
            is_pattern: false,
            overflow: Overflow::Close,
        }
    }

    /// Reads an envelope. The body shares the memory of `text`, and so do addresses unless it is long.
    ///
    /// The order of the checks is that of Vert.x: JSON, `type`, `address`, known `type`. Fields
    /// of unknown names are passed over; of two fields of one name the last counts.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn parse(text: &ByteString) -> Result<Self, EnvelopeError> {
        let fields = Fields::read(text).map_err(|_| Refusal::InvalidJson)?;
        let Some(kind) = fields.kind.as_deref() else {
            return Err(fields.refuse(Refusal::MissingType));
        };
        let operation = Operation::from_word(kind);
        if operation == Some(Operation::Ping) {
            return Ok(Self::new(Operation::Ping, Address::default()));
        }
        let address = match fields.address_of(&fields.address) {
            Some(address) => address,
            None if operation == Some(Operation::Authenticate) => Address::default(),
            None => return Err(fields.refuse(Refusal::MissingAddress)),
        };
        let Some(operation) = operation else {
            return Err(fields.refuse(Refusal::InvalidType));
        };
        let headers = match fields.headers {
            None => Headers::new(),
            Some(raw) => Headers::from_json(raw, false)
                .map_err(|_| fields.refuse(Refusal::InvalidHeaders))?,
        };
        let overflow = match &fields.overflow {
            None => Overflow::Close,
            Some(word) => Overflow::from_word(word)
                .ok_or_else(|| fields.refuse(Refusal::OverflowNotAllowed))?,
        };
        Ok(Self {
            operation,
            address,
            receipt: match &fields.reply_address {
                Some(_) => None,
                None => fields.address_of(&fields.receipt),
            },
            is_pattern: fields.pattern == Some("true"),
            overflow,
            body: fields
                .body
                .map_or_else(Body::null, |raw| Body::from_scanned(text.slice_ref(raw))),
            headers,
            timeout: fields.timeout(),
            failure: fields.failure(),
            reply_address: fields.address_of(&fields.reply_address),
        })
    }

    /// The envelope as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(64 + self.body.as_json().len());
        out.push_str("{\"type\":\"");
        out.push_str(self.operation.word());
        out.push('"');
        if !matches!(self.operation, Operation::Ping | Operation::Authenticate) {
            push_text(&mut out, "address", self.address.as_str());
        }
        if !self.headers.is_empty() {
            push_name(&mut out, "headers");
            self.headers.write_json(&mut out);
        }
        let has_body = matches!(
            self.operation,
            Operation::Send | Operation::Publish | Operation::Authenticate
        );
        if has_body && self.failure.is_none() {
            push_name(&mut out, "body");
            out.push_str(self.body.as_json());
        }
        if let Some(reply_address) = &self.reply_address {
            push_text(&mut out, "replyAddress", reply_address.as_str());
        }
        if let Some(timeout) = self.timeout {
            push_name(&mut out, "timeout");
            let seconds = timeout.as_secs().saturating_mul(1000);
            let milliseconds = seconds.saturating_add(timeout.subsec_millis().into());
            json::push_integer(&mut out, milliseconds);
        }
        if let Some(receipt) = &self.receipt {
            push_text(&mut out, "receipt", receipt.as_str());
        }
        if self.is_pattern {
            out.push_str(",\"pattern\":true");
        }
        if self.overflow != Overflow::Close {
            push_text(&mut out, "overflow", self.overflow.word());
        }
        if let Some(failure) = &self.failure {
            push_code(&mut out, failure.code);
            push_text(&mut out, "message", failure.message.as_deref().unwrap_or_default());
        }
        out.push('}');
        out
    }
}

impl Fields<'_> {
    /// Where the client hears what became of the envelope.
    fn label(&self) -> Option<Address> {
        self.address_of(&self.reply_address).or_else(|| self.address_of(&self.receipt))
    }

    fn refuse(&self, refusal: Refusal) -> EnvelopeError {
        EnvelopeError { refusal, reply_address: self.label() }
    }
}

#[cfg(test)]
mod tests;
