//! Envelopes where a hook looks on: it decides before anything else does, and what it has made of the
//! envelope is what the rules are asked about.

use std::sync::Arc;

use trolleybus_protocol::ByteString;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, Operation, TcpEnvelope};

use super::driver::Ended;
use super::ops::{self, Done, Waiting};
use super::socket::TcpSocket;
use crate::bridge::{self, Answer, EventKind, EventMessage};

/// As [`ops::carry_out`], past the hook, and tells the client what came of it.
///
/// # Errors
/// When the connection is over.
pub(super) async fn carry_out(
    socket: &Arc<TcpSocket>,
    TcpEnvelope { mut envelope, local_only }: TcpEnvelope,
    text: &ByteString,
) -> Result<(), Ended> {
    let decided = decide(socket, &mut envelope, text).await;
    if let Some(ended) = socket.ending() {
        return Err(ended);
    }
    let Some(waiting) = Waiting::of(socket, &envelope) else { return Ok(()) };
    match decided {
        Err(refusal) => waiting.settle(socket, Err(refusal)),
        Ok(Some(answer)) => answer_client(socket, &envelope, waiting, answer),
        Ok(None) => {
            let registered = (envelope.operation == Operation::Register)
                .then(|| EventMessage::of_envelope(&envelope));
            let outcome = ops::carry_out(socket, envelope, local_only);
            let registered = registered.filter(|_| outcome.is_ok());
            waiting.settle(socket, outcome)?;
            if let Some(message) = registered {
                let event = socket.event(EventKind::Registered).with_message(message);
                socket.consents(event.with_raw(text.clone())).await;
            }
            Ok(())
        }
    }
}

/// The hook hears of a ping; what it says does not matter.
pub(super) async fn ping(socket: &Arc<TcpSocket>) -> Result<(), Ended> {
    socket.consents(socket.event(EventKind::Ping)).await;
    Ok(())
}

async fn decide(
    socket: &Arc<TcpSocket>,
    envelope: &mut ClientEnvelope,
    text: &ByteString,
) -> Result<Option<Answer>, Refusal> {
    socket.check_logged_in()?;
    if envelope.operation == Operation::Register {
        socket.check_quota()?;
    }
    let Some(hook) = &socket.core.hook else { return Ok(None) };
    bridge::ask_about(hook, socket.client(), envelope, text).await
}

/// The hook has taken care of it: who waits, be it for an answer or for a receipt, is told.
fn answer_client(
    socket: &TcpSocket,
    envelope: &ClientEnvelope,
    waiting: Waiting,
    answer: Answer,
) -> Result<(), Ended> {
    match (&waiting.label, answer) {
        (Some(label), Ok(body)) if envelope.reply_address.is_some() => {
            socket.acknowledge(label, &body);
            Ok(())
        }
        (_, Ok(_)) => waiting.settle(socket, Ok(Done::Yes)),
        (Some(label), Err(error)) => {
            socket.fail(label, &envelope.address, &error);
            Ok(())
        }
        (None, Err(_)) => waiting.settle(socket, Err(Refusal::Rejected)),
    }
}
