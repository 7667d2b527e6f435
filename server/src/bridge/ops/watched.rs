//! Operations where a hook looks on: it decides before anything else does, and what it has made of
//! the envelope is what the rules are asked about.

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Body, ByteString, Error};

use super::receipt::{Receipt, acknowledge, label};
use super::{Reached, carry_out as carry_out_now, event_of};
use crate::bridge::caller::Caller;
use crate::bridge::hooks::{Decision, EventKind, EventMessage};
use crate::bridge::socket::BridgeSocket;

pub(super) async fn carry_out(caller: &mut Caller, mut envelope: ClientEnvelope, text: ByteString) {
    let decided = decide(caller, &mut envelope, &text).await;
    let receipt = Receipt::of(&envelope);
    match decided {
        Err(refusal) => receipt.settle(&caller.socket, &envelope, Err(refusal)),
        Ok(Some(answer)) => answer_client(&caller.socket, &envelope, receipt, answer),
        Ok(None) => {
            let message = EventMessage::of_envelope(&envelope);
            let outcome = carry_out_now(caller, &mut envelope);
            receipt.settle(&caller.socket, &envelope, outcome);
            if envelope.operation == Operation::Register && outcome.is_ok() {
                let event = caller.event(EventKind::Registered);
                let _ = caller.decide(event.with_message(message).with_raw(text)).await;
            }
        }
    }
}

/// The hook hears of a ping; what it says does not matter.
pub(super) async fn ping(caller: &Caller) {
    let _ = caller.decide(caller.event(EventKind::Ping)).await;
}

/// Asks the hook, and puts what it has rewritten into the envelope. Gives the answer if the hook has
/// one of its own.
async fn decide(
    caller: &Caller,
    envelope: &mut ClientEnvelope,
    text: &ByteString,
) -> Result<Option<Result<Body, Error>>, Refusal> {
    caller.check_logged_in()?;
    if envelope.operation == Operation::Register {
        caller.socket.check_quota()?;
    }
    let Some(kind) = event_of(envelope.operation) else { return Ok(None) };
    let event = caller.event(kind).with_message(EventMessage::of_envelope(envelope));
    let decision = caller.decide(event.with_raw(text.clone())).await;
    if caller.socket.is_barred() {
        return Err(Refusal::Rejected);
    }
    match decision {
        Decision::Accept => Ok(None),
        Decision::Reject => Err(Refusal::Rejected),
        Decision::Answer(answer) => Ok(Some(answer)),
        Decision::Changed(message) => {
            let EventMessage { address, body, headers, reply_address } = *message;
            envelope.address = address.ok_or(Refusal::MissingAddress)?;
            (envelope.body, envelope.headers, envelope.reply_address) =
                (body, headers, reply_address);
            Ok(None)
        }
    }
}

/// The hook has taken care of it: who waits, be it for an answer or for a receipt, is told.
fn answer_client(
    socket: &BridgeSocket,
    envelope: &ClientEnvelope,
    receipt: Receipt,
    answer: Result<Body, Error>,
) {
    match (label(envelope), answer) {
        (Some(label), Ok(body)) if envelope.reply_address.is_some() => {
            acknowledge(socket, label, &body);
        }
        (_, Ok(_)) => receipt.settle(socket, envelope, Ok(Reached::Somebody)),
        (Some(label), Err(error)) => socket.fail_request(label, &error),
        (None, Err(_)) => receipt.settle(socket, envelope, Err(Refusal::Rejected)),
    }
}
