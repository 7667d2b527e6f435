//! `register`: subscribe this socket to an address.

use std::sync::Arc;

use trolleybus_protocol::Overflow;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::is_longer;
use crate::access::Verdict;
use crate::bridge::socket::BridgeSocket;

pub(super) fn register(
    socket: &Arc<BridgeSocket>,
    envelope: &ClientEnvelope,
) -> Result<(), Refusal> {
    let ClientEnvelope { address, overflow, .. } = envelope;
    socket.check_quota()?;
    if is_longer(address.as_str(), socket.core.options.max_address_length) {
        return Err(Refusal::MaxAddressLengthReached);
    }
    if *overflow != Overflow::Close && !socket.core.options.allowed_overflow.contains(overflow) {
        return Err(Refusal::OverflowNotAllowed);
    }
    match socket.core.rules.outbound.verdict(address.as_str()) {
        Verdict::Denied => Err(Refusal::AccessDenied),
        verdict => socket.register(address, verdict, *overflow),
    }
}
