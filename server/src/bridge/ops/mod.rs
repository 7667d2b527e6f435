//! The operations of the bridge, one file each, and the way to them.

mod publish;
mod register;
mod send;
mod unregister;

use std::sync::Arc;

use trolleybus_protocol::ByteString;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, MAX_REPLY_ADDRESS_UNITS, Operation};

use super::socket::BridgeSocket;
use crate::access::limits::Admission;

/// What the driver has to know of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handled {
    /// The client showed that it is alive.
    Ping,
    /// Something else.
    Other,
}

/// Carries out one envelope, or tells the client why not.
pub(super) fn handle(
    socket: &Arc<BridgeSocket>,
    text: &ByteString,
    admission: Admission,
) -> Handled {
    let envelope = match ClientEnvelope::parse(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            socket.refuse(error.refusal, fitting(error.reply_address.as_ref()));
            return Handled::Other;
        }
    };
    if envelope.operation == Operation::Ping {
        return Handled::Ping;
    }
    if admission == Admission::Refuse {
        let label = envelope.reply_address.as_ref().or(envelope.receipt.as_ref());
        socket.refuse(Refusal::RateLimited, fitting(label));
        return Handled::Other;
    }
    let reply_address = envelope.reply_address.clone();
    if let Err(refusal) = carry_out(socket, envelope) {
        socket.refuse(refusal, fitting(reply_address.as_ref()));
    }
    Handled::Other
}

fn carry_out(socket: &Arc<BridgeSocket>, envelope: ClientEnvelope) -> Result<(), Refusal> {
    match envelope.operation {
        // Nobody checks tokens here yet.
        Operation::Authenticate => Err(Refusal::InvalidToken),
        Operation::Ping => Ok(()),
        Operation::Send => send::send(socket, envelope),
        Operation::Publish => publish::publish(socket, envelope),
        Operation::Register => register::register(socket, &envelope),
        Operation::Unregister => unregister::unregister(socket, &envelope.address),
    }
}

/// The reply address of an envelope, if it is one.
fn check_reply_address(envelope: &ClientEnvelope) -> Result<(), Refusal> {
    match &envelope.reply_address {
        Some(address) if is_longer(address.as_str(), MAX_REPLY_ADDRESS_UNITS) => {
            Err(Refusal::InvalidReplyAddress)
        }
        _ => Ok(()),
    }
}

/// An address that is too long to be one is not sent back either.
fn fitting(
    reply_address: Option<&trolleybus_protocol::Address>,
) -> Option<&trolleybus_protocol::Address> {
    reply_address.filter(|address| !is_longer(address.as_str(), MAX_REPLY_ADDRESS_UNITS))
}

/// Longer than `units` when counted in UTF-16 units, as Vert.x counts?
fn is_longer(text: &str, units: usize) -> bool {
    // Never more UTF-16 units than bytes.
    text.len() > units && text.encode_utf16().count() > units
}
