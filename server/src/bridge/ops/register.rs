//! `register`: subscribe this socket to an address.

use std::sync::Arc;

use trolleybus_protocol::Address;
use trolleybus_protocol::codes::Refusal;

use super::is_longer;
use crate::access::Verdict;
use crate::bridge::socket::BridgeSocket;

pub(super) fn register(socket: &Arc<BridgeSocket>, address: &Address) -> Result<(), Refusal> {
    socket.check_quota()?;
    if is_longer(address.as_str(), socket.core.options.max_address_length) {
        return Err(Refusal::MaxAddressLengthReached);
    }
    match socket.core.rules.outbound.verdict(address.as_str()) {
        Verdict::Denied => Err(Refusal::AccessDenied),
        verdict => socket.register(address, verdict),
    }
}
