//! What the hook says about an envelope of a client, and what it has made of it.

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, Operation};
use trolleybus_protocol::{Body, ByteString, Error};

use super::HookPort;
use super::client::Client;
use super::event::{BridgeEvent, EventKind, EventMessage};
use super::outcome::Decision;

/// What a hook has for whoever waits for an answer.
pub(crate) type Answer = Result<Body, Error>;

/// The event that an operation is, if it is one that a hook decides about.
pub(crate) fn event_of(operation: Operation) -> Option<EventKind> {
    match operation {
        Operation::Send => Some(EventKind::Send),
        Operation::Publish => Some(EventKind::Publish),
        Operation::Register => Some(EventKind::Register),
        Operation::Unregister => Some(EventKind::Unregister),
        Operation::Ping | Operation::Authenticate => None,
    }
}

/// Asks the hook about an envelope, and puts what it has rewritten into it. Gives the answer if the
/// hook has one of its own.
pub(crate) async fn ask_about(
    hook: &HookPort,
    client: Client,
    envelope: &mut ClientEnvelope,
    text: &ByteString,
) -> Result<Option<Answer>, Refusal> {
    let Some(kind) = event_of(envelope.operation) else { return Ok(None) };
    let event = BridgeEvent::new(kind, client).with_message(EventMessage::of_envelope(envelope));
    match hook.ask(event.with_raw(text.clone())).await {
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
