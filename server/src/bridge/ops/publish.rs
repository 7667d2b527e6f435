//! `publish`: to all consumers.

use std::sync::Arc;

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::check_reply_address;
use crate::bridge::socket::BridgeSocket;
use crate::bus::Dispatch;
use crate::trace::Span;

pub(super) fn publish(socket: &Arc<BridgeSocket>, envelope: ClientEnvelope) -> Result<(), Refusal> {
    check_reply_address(&envelope)?;
    let ClientEnvelope { address, body, mut headers, reply_address, .. } = envelope;
    socket.core.rules.inbound.check(address.as_str(), &body)?;
    if reply_address.is_some() {
        // Nothing will be answered, but Vert.x counts it.
        socket.check_quota()?;
    }
    let span = Span::begin("publish", address.as_str(), &mut headers);
    socket.core.bus.publish_message(Dispatch { address, body, headers });
    span.end("published", false);
    Ok(())
}
