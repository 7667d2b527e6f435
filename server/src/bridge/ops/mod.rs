//! The operations of the bridge, one file each, and the way to them.
//!
//! | File | Holds |
//! |---|---|
//! | `send`, `publish`, `register`, `unregister`, `authenticate` | one operation each |
//! | `receipt` | telling the client what became of an envelope |
//! | `watched` | the same operations where a hook looks on |

mod authenticate;
mod publish;
mod receipt;
mod register;
mod send;
mod unregister;
mod watched;

use std::future::Future;
use std::pin::Pin;

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, MAX_REPLY_ADDRESS_UNITS, Operation};
use trolleybus_protocol::{Address, Body, ByteString};

use super::caller::Caller;
use super::hooks::{EventKind, event_of};
use crate::access::limits::Admission;
use crate::bus::Dispatch;
use receipt::{Reached, Receipt};

/// What the driver has to know of an envelope.
#[derive(Default)]
pub(super) struct Handled<'a> {
    /// The client showed that it is alive.
    pub(super) is_ping: bool,
    /// What takes time. Nothing else of the client is looked at until it is done.
    pub(super) later: Option<Later<'a>>,
}

type Later<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl<'a> Handled<'a> {
    fn later(work: impl Future<Output = ()> + Send + 'a) -> Self {
        Self { is_ping: false, later: Some(Box::pin(work)) }
    }
}

/// Carries out one envelope, or tells the client why not.
pub(super) fn handle<'a>(
    caller: &'a mut Caller,
    text: &ByteString,
    admission: Admission,
) -> Handled<'a> {
    caller.socket.count_envelope();
    let mut envelope = match ClientEnvelope::parse(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            let label = fitting(error.reply_address.as_ref());
            caller.socket.refuse(error.refusal, label, &Address::default());
            return Handled::default();
        }
    };
    match envelope.operation {
        Operation::Ping => {
            let later = caller.is_watched(EventKind::Ping).then(|| watched::ping(caller));
            return Handled { is_ping: true, later: later.map(|work| Box::pin(work) as _) };
        }
        _ if admission == Admission::Refuse => {
            caller.socket.refuse(
                Refusal::RateLimited,
                receipt::label(&envelope),
                &envelope.address,
            );
            return Handled::default();
        }
        Operation::Authenticate => {
            return Handled::later(authenticate::authenticate(caller, envelope));
        }
        _ => {}
    }
    if event_of(envelope.operation).is_some_and(|kind| caller.is_watched(kind)) {
        return Handled::later(watched::carry_out(caller, envelope, text.clone()));
    }
    let receipt = Receipt::of(&envelope);
    let outcome = carry_out(caller, &mut envelope);
    receipt.settle(&caller.socket, &envelope, outcome);
    Handled::default()
}

/// What is refused is left as it was; of what is carried out, parts go with the message.
fn carry_out(caller: &mut Caller, envelope: &mut ClientEnvelope) -> Result<Reached, Refusal> {
    caller.check_logged_in()?;
    match envelope.operation {
        Operation::Send => send::send(caller, envelope),
        Operation::Publish => publish::publish(caller, envelope),
        Operation::Register => register::register(caller, envelope),
        Operation::Unregister => unregister::unregister(caller, envelope),
        // Both have been dealt with.
        Operation::Ping | Operation::Authenticate => Ok(Reached::Somebody),
    }
}

/// The message in an envelope.
fn dispatch_of(envelope: &mut ClientEnvelope) -> Dispatch {
    let address = std::mem::take(&mut envelope.address);
    let body = std::mem::replace(&mut envelope.body, Body::null());
    Dispatch::new(address, body, std::mem::take(&mut envelope.headers))
}

/// The reply address or receipt of an envelope, if it is one.
fn check_label(envelope: &ClientEnvelope) -> Result<(), Refusal> {
    match envelope.reply_address.as_ref().or(envelope.receipt.as_ref()) {
        Some(address) if is_longer(address.as_str(), MAX_REPLY_ADDRESS_UNITS) => {
            Err(Refusal::InvalidReplyAddress)
        }
        _ => Ok(()),
    }
}

/// An address that is too long to be one is not sent back either.
fn fitting(label: Option<&Address>) -> Option<&Address> {
    label.filter(|address| !is_longer(address.as_str(), MAX_REPLY_ADDRESS_UNITS))
}

/// Longer than `units` when counted in UTF-16 units, as Vert.x counts?
fn is_longer(text: &str, units: usize) -> bool {
    // Never more UTF-16 units than bytes.
    text.len() > units && text.encode_utf16().count() > units
}
