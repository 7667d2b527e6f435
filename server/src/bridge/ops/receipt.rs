//! Telling the client what became of an envelope: refusals always, success where it asked for a
//! receipt.

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, rec_to_json};
use trolleybus_protocol::{Address, Body, Error, Headers};

use super::fitting;
use crate::bridge::socket::BridgeSocket;

/// Whether there was anybody whom an envelope could reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Somebody,
    Nobody,
}

impl From<bool> for Reached {
    fn from(somebody: bool) -> Self {
        if somebody { Self::Somebody } else { Self::Nobody }
    }
}

/// What has to be known of an envelope when it has been carried out, because the client asked for a
/// receipt: the address.
#[derive(Debug)]
pub(super) struct Receipt(Option<Address>);

impl Receipt {
    pub(super) fn of(envelope: &ClientEnvelope) -> Self {
        Self(envelope.receipt.is_some().then(|| envelope.address.clone()))
    }

    /// Tells the client what there is to tell.
    pub(super) fn settle(
        self,
        socket: &BridgeSocket,
        envelope: &ClientEnvelope,
        outcome: Result<Reached, Refusal>,
    ) {
        match (outcome, self.0) {
            (Err(refusal), _) => socket.refuse(refusal, label(envelope), &envelope.address),
            (Ok(reached), Some(address)) => {
                let Some(label) = label(envelope) else { return };
                match reached {
                    Reached::Somebody => acknowledge(socket, label, &Body::null()),
                    Reached::Nobody => {
                        socket.fail_request(label, &Error::no_handlers(address.as_str()));
                    }
                }
            }
            (Ok(_), None) => {}
        }
    }
}

/// Where the client waits to hear of an envelope, if that can be said back to it.
pub(super) fn label(envelope: &ClientEnvelope) -> Option<&Address> {
    fitting(envelope.reply_address.as_ref().or(envelope.receipt.as_ref()))
}

/// An answer that does not come over the bus.
pub(super) fn acknowledge(socket: &BridgeSocket, label: &Address, body: &Body) {
    socket.tell(rec_to_json(label.as_str(), body, &Headers::new(), None));
}
