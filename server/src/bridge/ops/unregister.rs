//! `unregister`: end a subscription.

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::register::target_of;
use super::{Reached, check_label};
use crate::access::Verdict;
use crate::bridge::caller::Caller;

pub(super) fn unregister(
    caller: &mut Caller,
    envelope: &ClientEnvelope,
) -> Result<Reached, Refusal> {
    check_label(envelope)?;
    let target = target_of(envelope)?;
    if target.verdict(caller.outbound().0) == Verdict::Denied {
        return Err(Refusal::AccessDenied);
    }
    caller.socket.unregister(&target);
    Ok(Reached::Somebody)
}
