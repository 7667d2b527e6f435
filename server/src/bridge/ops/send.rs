//! `send`: to one consumer, as a request if a reply address is there; or the answer to a request
//! that this socket received.

use std::sync::Arc;

use trolleybus_protocol::Error;
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::check_reply_address;
use crate::bridge::socket::BridgeSocket;
use crate::bus::Dispatch;
use crate::trace::Span;

pub(super) fn send(socket: &Arc<BridgeSocket>, envelope: ClientEnvelope) -> Result<(), Refusal> {
    check_reply_address(&envelope)?;
    if socket.is_awaited(&envelope.address) {
        return answer(socket, envelope);
    }
    if envelope.failure.is_some() {
        // A failure for a request that is not, or no longer, this socket's to answer.
        return Err(Refusal::AccessDenied);
    }
    let ClientEnvelope { address, body, mut headers, reply_address, timeout, .. } = envelope;
    socket.core.rules.inbound.check(address.as_str(), &body)?;
    let Some(reply_address) = reply_address else {
        let span = Span::begin("send", address.as_str(), &mut headers);
        socket.core.bus.send_message(Dispatch { address, body, headers });
        span.end("sent", false);
        return Ok(());
    };
    socket.check_quota()?;
    let span = Span::begin("request", address.as_str(), &mut headers);
    let sink = socket.expect_answer(&reply_address, &address, timeout, span);
    socket.core.bus.request_message(Dispatch { address, body, headers }, sink);
    Ok(())
}

/// No rule is asked: whoever was sent the request may answer it, once.
fn answer(socket: &Arc<BridgeSocket>, envelope: ClientEnvelope) -> Result<(), Refusal> {
    if envelope.reply_address.is_some() {
        socket.check_quota()?;
    }
    let Some(request) = socket.take_awaited(&envelope.address) else {
        return Err(Refusal::AccessDenied);
    };
    let ClientEnvelope { address, body, mut headers, reply_address, timeout, failure, .. } =
        envelope;
    if let Some(failure) = failure {
        request.fail_with(Error::recipient(failure.code, failure.message));
    } else if let Some(reply_address) = reply_address {
        let span = Span::begin("request", address.as_str(), &mut headers);
        let sink = socket.expect_answer(&reply_address, &address, timeout, span);
        request.reply_and_request_message(body, headers, sink);
    } else {
        request.reply_message(body, headers, None);
    }
    Ok(())
}
