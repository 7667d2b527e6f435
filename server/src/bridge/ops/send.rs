//! `send`: to one consumer, as a request if a reply address is there; or the answer to a request
//! that this socket received.

use std::time::Instant;

use trolleybus_protocol::Error;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::{Reached, check_label, dispatch_of};
use crate::bridge::caller::Caller;
use crate::bus::{Dispatch, ReplySink};
use crate::trace::Span;

pub(super) fn send(caller: &mut Caller, envelope: &mut ClientEnvelope) -> Result<Reached, Refusal> {
    check_label(envelope)?;
    if caller.socket.is_awaited(&envelope.address) {
        return answer(caller, envelope);
    }
    if envelope.failure.is_some() {
        // A failure for a request that is not, or no longer, this socket's to answer.
        return Err(Refusal::AccessDenied);
    }
    caller.inbound().check(envelope.address.as_str(), &envelope.body)?;
    let socket = &caller.socket;
    socket.limits.admit_to(envelope.address.as_str(), Instant::now)?;
    if envelope.reply_address.is_some() {
        socket.check_quota()?;
    }
    if let Some(sink) = expect_answer(caller, envelope) {
        caller.socket.core.bus.request_message(dispatch_of(envelope), sink);
        return Ok(Reached::Somebody);
    }
    let span = Span::begin("send", envelope.address.as_str(), &mut envelope.headers);
    let is_taken = caller.socket.core.bus.send_message(dispatch_of(envelope));
    span.end("sent", false);
    Ok(is_taken.into())
}

/// Notes where the answer goes, if one is wanted.
fn expect_answer(caller: &mut Caller, envelope: &mut ClientEnvelope) -> Option<Box<dyn ReplySink>> {
    let reply_address = envelope.reply_address.take()?;
    let span = Span::begin("request", envelope.address.as_str(), &mut envelope.headers);
    let now = caller.now();
    let (address, timeout) = (&envelope.address, envelope.timeout);
    Some(caller.socket.expect_answer(now, reply_address, address, timeout, span))
}

/// No rule is asked: whoever was sent the request may answer it, once.
fn answer(caller: &mut Caller, envelope: &mut ClientEnvelope) -> Result<Reached, Refusal> {
    let socket = &caller.socket;
    if envelope.reply_address.is_some() {
        socket.check_quota()?;
    }
    let Some(request) = socket.take_awaited(&envelope.address) else {
        return Err(Refusal::AccessDenied);
    };
    if let Some(failure) = envelope.failure.take() {
        request.fail_with(Error::recipient(failure.code, failure.message));
        return Ok(Reached::Somebody);
    }
    let next = expect_answer(caller, envelope);
    let Dispatch { body, headers, .. } = dispatch_of(envelope);
    match next {
        Some(sink) => request.reply_and_request_message(body, headers, sink),
        None => request.reply_message(body, headers, None),
    }
    Ok(Reached::Somebody)
}
