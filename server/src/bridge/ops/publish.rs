//! `publish`: to all consumers.

use std::time::Instant;

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::{Reached, check_label, dispatch_of};
use crate::bridge::caller::Caller;
use crate::trace::Span;

pub(super) fn publish(
    caller: &mut Caller,
    envelope: &mut ClientEnvelope,
) -> Result<Reached, Refusal> {
    check_label(envelope)?;
    caller.inbound().check(envelope.address.as_str(), &envelope.body)?;
    let socket = &caller.socket;
    socket.limits.admit_to(envelope.address.as_str(), Instant::now)?;
    if envelope.reply_address.is_some() {
        // Nothing will be answered, but Vert.x counts it.
        socket.check_quota()?;
    }
    let span = Span::begin("publish", envelope.address.as_str(), &mut envelope.headers);
    let consumers = socket.core.bus.publish_message(dispatch_of(envelope));
    span.end("published", false);
    Ok(Reached::from(consumers > 0))
}
