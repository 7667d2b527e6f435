//! `send`: to one consumer, as a request if a reply address is there; or the answer to a request
//! that this socket received.

use std::sync::Arc;
use std::time::Instant;

use trolleybus_protocol::Error;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::{Reached, check_label, dispatch_of};
use crate::bridge::caller::Caller;
use crate::bridge::socket::BridgeSocket;
use crate::bus::Dispatch;
use crate::trace::Span;

pub(super) fn send(caller: &mut Caller, envelope: &mut ClientEnvelope) -> Result<Reached, Refusal> {
    check_label(envelope)?;
    if caller.socket.is_awaited(&envelope.address) {
        return answer(&caller.socket, envelope);
    }
    if envelope.failure.is_some() {
        // A failure for a request that is not, or no longer, this socket's to answer.
        return Err(Refusal::AccessDenied);
    }
    caller.inbound().check(envelope.address.as_str(), &envelope.body)?;
    let socket = &caller.socket;
    socket.limits.admit_to(envelope.address.as_str(), Instant::now)?;
    let Some(reply_address) = &envelope.reply_address else {
        let span = Span::begin("send", envelope.address.as_str(), &mut envelope.headers);
        let is_taken = socket.core.bus.send_message(dispatch_of(envelope));
        span.end("sent", false);
        return Ok(is_taken.into());
    };
    socket.check_quota()?;
    let span = Span::begin("request", envelope.address.as_str(), &mut envelope.headers);
    let sink = socket.expect_answer(reply_address, &envelope.address, envelope.timeout, span);
    socket.core.bus.request_message(dispatch_of(envelope), sink);
    Ok(Reached::Somebody)
}

/// No rule is asked: whoever was sent the request may answer it, once.
fn answer(socket: &Arc<BridgeSocket>, envelope: &mut ClientEnvelope) -> Result<Reached, Refusal> {
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
    let next = envelope.reply_address.as_ref().map(|reply_address| {
        let span = Span::begin("request", envelope.address.as_str(), &mut envelope.headers);
        socket.expect_answer(reply_address, &envelope.address, envelope.timeout, span)
    });
    let Dispatch { body, headers, .. } = dispatch_of(envelope);
    match next {
        Some(sink) => request.reply_and_request_message(body, headers, sink),
        None => request.reply_message(body, headers, None),
    }
    Ok(Reached::Somebody)
}
