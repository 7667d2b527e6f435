//! `unregister`: end a subscription.

use std::sync::Arc;

use trolleybus_protocol::Address;
use trolleybus_protocol::codes::Refusal;

use crate::access::Verdict;
use crate::bridge::socket::BridgeSocket;

pub(super) fn unregister(socket: &Arc<BridgeSocket>, address: &Address) -> Result<(), Refusal> {
    if socket.core.rules.outbound.verdict(address.as_str()) == Verdict::Denied {
        return Err(Refusal::AccessDenied);
    }
    socket.unregister(address);
    Ok(())
}
