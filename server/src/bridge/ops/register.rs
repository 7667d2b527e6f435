//! `register`: subscribe this socket to an address or a pattern.

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;
use trolleybus_protocol::{Overflow, Pattern};

use super::{Reached, check_label, is_longer};
use crate::access::Verdict;
use crate::bridge::caller::Caller;
use crate::bridge::registrations::Target;

pub(super) fn register(caller: &mut Caller, envelope: &ClientEnvelope) -> Result<Reached, Refusal> {
    caller.socket.check_quota()?;
    check_label(envelope)?;
    let options = &caller.socket.core.options;
    if is_longer(envelope.address.as_str(), options.max_address_length) {
        return Err(Refusal::MaxAddressLengthReached);
    }
    let overflow = envelope.overflow;
    if overflow != Overflow::Close && !options.allowed_overflow.contains(&overflow) {
        return Err(Refusal::OverflowNotAllowed);
    }
    let target = target_of(envelope)?;
    let (rules, stamp) = caller.outbound();
    match target.verdict(rules) {
        Verdict::Denied => Err(Refusal::AccessDenied),
        verdict => {
            caller.socket.register(&target, verdict, stamp, overflow)?;
            Ok(Reached::Somebody)
        }
    }
}

/// What the envelope is about.
pub(super) fn target_of(envelope: &ClientEnvelope) -> Result<Target, Refusal> {
    if envelope.is_pattern {
        let pattern = Pattern::parse(&envelope.address).map_err(|_| Refusal::InvalidPattern)?;
        Ok(Target::Pattern(pattern))
    } else {
        Ok(Target::Address(envelope.address.clone()))
    }
}
