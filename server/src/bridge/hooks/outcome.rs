//! What a hook decides.

use trolleybus_protocol::{Body, Error};

use super::event::EventMessage;

/// What is to become of an event, made by its methods such as
/// [`BridgeEvent::accept`](super::BridgeEvent::accept).
#[derive(Debug)]
#[must_use]
pub struct Outcome(pub(super) Decision);

/// The outcome as the bridge acts on it.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Go on with what came.
    Accept,
    /// Go on with this instead.
    Changed(Box<EventMessage>),
    /// Refuse it.
    Reject,
    /// It is taken care of; this goes to whoever waits for an answer.
    Answer(Result<Body, Error>),
}

impl From<Decision> for Outcome {
    fn from(decision: Decision) -> Self {
        Self(decision)
    }
}
