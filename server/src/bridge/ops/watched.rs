//! Operations where a hook looks on: it decides before anything else does, and what it has made of
//! the envelope is what the rules are asked about.

use trolleybus_protocol::ByteString;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, Operation};

use super::receipt::{Receipt, acknowledge, label};
use super::{Reached, carry_out as carry_out_now};
use crate::bridge::caller::Caller;
use crate::bridge::hooks::{Answer, EventKind, EventMessage, ask_about};
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
) -> Result<Option<Answer>, Refusal> {
    caller.check_logged_in()?;
    if envelope.operation == Operation::Register {
        caller.socket.check_quota()?;
    }
    let Some(hook) = &caller.socket.core.hook else { return Ok(None) };
    let decided = ask_about(hook, caller.client(), envelope, text).await;
    if caller.socket.is_barred() { Err(Refusal::Rejected) } else { decided }
}

/// The hook has taken care of it: who waits, be it for an answer or for a receipt, is told.
fn answer_client(
    socket: &BridgeSocket,
    envelope: &ClientEnvelope,
    receipt: Receipt,
    answer: Answer,
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
