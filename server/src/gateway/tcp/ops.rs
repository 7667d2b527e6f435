//! What each envelope does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::{ClientEnvelope, Operation, TcpEnvelope};
use trolleybus_protocol::{Address, Body, ByteString, Error, Overflow};

use super::driver::{Ended, clock};
use super::socket::TcpSocket;
use super::watched;
use crate::access::AuthFailure;
use crate::access::limits::Admission;
use crate::bridge::{self, EventKind};
use crate::bus::Dispatch;
use crate::gateway::target::Target;

/// What came of an envelope that was carried out.
pub(super) enum Done {
    /// Its receipt, if it has one, is due.
    Yes,
    /// There was no consumer, which only a receipt tells.
    ToNobody,
    /// The answer to the request will tell.
    Asked,
    /// The user has too many connections for one more, which ends.
    Refused,
}

/// What takes time. Nothing else of the client is looked at until it is done.
pub(super) type Later<'a> = Pin<Box<dyn Future<Output = Result<(), Ended>> + Send + 'a>>;

/// Carries out one envelope, or tells the client why not. Gives what is still to be done for it.
///
/// # Errors
/// When the connection is over for it.
pub(super) fn handle<'a>(
    socket: &'a Arc<TcpSocket>,
    text: &'a ByteString,
    admission: Admission,
) -> Result<Option<Later<'a>>, Ended> {
    let TcpEnvelope { envelope, local_only } = match TcpEnvelope::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let reply_address = error.reply_address.filter(|label| fits(socket, label));
            socket.refuse(error.refusal, reply_address.as_ref());
            return Ok(None);
        }
    };
    if envelope.operation == Operation::Ping {
        socket.pong();
        let is_watched = socket.is_watched(EventKind::Ping);
        return Ok(is_watched.then(|| Box::pin(watched::ping(socket)) as _));
    }
    let Some(waiting) = Waiting::of(socket, &envelope) else { return Ok(None) };
    if admission == Admission::Refuse {
        return waiting.settle(socket, Err(Refusal::RateLimited)).map(|()| None);
    }
    if envelope.operation == Operation::Authenticate {
        return Ok(Some(Box::pin(async move {
            let outcome = authenticate(socket, &envelope).await;
            waiting.settle(socket, outcome)
        })));
    }
    if bridge::event_of(envelope.operation).is_some_and(|kind| socket.is_watched(kind)) {
        let envelope = TcpEnvelope { envelope, local_only };
        return Ok(Some(Box::pin(watched::carry_out(socket, envelope, text))));
    }
    let outcome = carry_out(socket, envelope, local_only);
    waiting.settle(socket, outcome).map(|()| None)
}

/// What has to be known of an envelope when it has been dealt with.
pub(super) struct Waiting {
    /// Where the client waits to hear of it.
    pub(super) label: Option<Address>,
    receipt: Option<Address>,
    address: Address,
}

impl Waiting {
    /// None when the client was told that its label is too long to be one.
    pub(super) fn of(socket: &TcpSocket, envelope: &ClientEnvelope) -> Option<Self> {
        let label = envelope.reply_address.as_ref().or(envelope.receipt.as_ref()).cloned();
        if label.as_ref().is_some_and(|label| !fits(socket, label)) {
            socket.refuse(Refusal::InvalidReplyAddress, None);
            return None;
        }
        let (address, receipt) = (envelope.address.clone(), envelope.receipt.clone());
        Some(Self { label, receipt, address })
    }

    /// Tells the client what there is to tell.
    pub(super) fn settle(
        self,
        socket: &TcpSocket,
        outcome: Result<Done, Refusal>,
    ) -> Result<(), Ended> {
        match (outcome, self.receipt) {
            (Err(refusal), _) => socket.refuse(refusal, self.label.as_ref()),
            (Ok(Done::Yes), Some(receipt)) => socket.acknowledge(&receipt, &Body::null()),
            (Ok(Done::ToNobody), Some(receipt)) => {
                let error = Error::no_handlers(self.address.as_str());
                socket.fail(&receipt, &self.address, &error);
            }
            (Ok(Done::Refused), _) => {
                socket.refuse(Refusal::MaxHandlersReached, self.label.as_ref());
                return Err(Ended::TooManyConnections);
            }
            (Ok(_), _) => {}
        }
        Ok(())
    }
}

pub(super) fn carry_out(
    socket: &Arc<TcpSocket>,
    envelope: ClientEnvelope,
    local_only: bool,
) -> Result<Done, Refusal> {
    socket.check_logged_in()?;
    match envelope.operation {
        // Both have been dealt with.
        Operation::Ping | Operation::Authenticate => Ok(Done::Yes),
        Operation::Send => send(socket, envelope, local_only),
        Operation::Publish => publish(socket, envelope, local_only),
        Operation::Register => register(socket, &envelope),
        Operation::Unregister => unregister(socket, &envelope),
    }
}

/// The messages behind it wait, so that they are judged by the new token.
async fn authenticate(socket: &TcpSocket, envelope: &ClientEnvelope) -> Result<Done, Refusal> {
    let authentication = socket.core.authentication.as_ref().ok_or(Refusal::InvalidToken)?;
    let token = envelope.body.as_text().ok_or(Refusal::InvalidToken)?;
    let authenticated = authentication.authenticator.authenticate(&token).await;
    socket.core.counters.authentications.count(&authenticated);
    let principal = authenticated.map_err(AuthFailure::refusal)?;
    if socket.limits.set_user(principal.subject(), clock()).is_err() {
        return Ok(Done::Refused);
    }
    socket.rights.replace_principal(principal);
    Ok(Done::Yes)
}

fn publish(
    socket: &TcpSocket,
    envelope: ClientEnvelope,
    local_only: bool,
) -> Result<Done, Refusal> {
    let ClientEnvelope { address, body, headers, .. } = envelope;
    socket.rights.bound().inbound.check(address.as_str(), &body)?;
    socket.limits.admit_to(address.as_str(), clock)?;
    let consumers =
        socket.core.bus.publish_message(Dispatch { address, body, headers, local_only });
    Ok(if consumers > 0 { Done::Yes } else { Done::ToNobody })
}

fn send(
    socket: &Arc<TcpSocket>,
    envelope: ClientEnvelope,
    local_only: bool,
) -> Result<Done, Refusal> {
    if socket.is_awaited(&envelope.address) {
        return answer(socket, envelope);
    }
    if envelope.failure.is_some() {
        // A failure for a request that is not, or no longer, this client's to answer.
        return Err(Refusal::AccessDenied);
    }
    let ClientEnvelope { address, body, headers, reply_address, timeout, .. } = envelope;
    socket.rights.bound().inbound.check(address.as_str(), &body)?;
    socket.limits.admit_to(address.as_str(), clock)?;
    let Some(reply_address) = reply_address else {
        let is_taken =
            socket.core.bus.send_message(Dispatch { address, body, headers, local_only });
        return Ok(if is_taken { Done::Yes } else { Done::ToNobody });
    };
    socket.check_quota()?;
    let sink = socket.expect_answer(&reply_address, &address, timeout);
    socket.core.bus.request_message(Dispatch { address, body, headers, local_only }, sink);
    Ok(Done::Asked)
}

/// No rule is asked: whoever was sent the request may answer it, once.
fn answer(socket: &Arc<TcpSocket>, envelope: ClientEnvelope) -> Result<Done, Refusal> {
    if envelope.reply_address.is_some() {
        socket.check_quota()?;
    }
    let Some(request) = socket.take_awaited(&envelope.address) else {
        return Err(Refusal::AccessDenied);
    };
    let ClientEnvelope { address, body, headers, reply_address, timeout, failure, .. } = envelope;
    if let Some(failure) = failure {
        request.fail_with(Error::recipient(failure.code, failure.message));
    } else if let Some(reply_address) = reply_address {
        let sink = socket.expect_answer(&reply_address, &address, timeout);
        request.reply_and_request_message(body, headers, sink);
        return Ok(Done::Asked);
    } else {
        request.reply_message(body, headers, None);
    }
    Ok(Done::Yes)
}

fn register(socket: &Arc<TcpSocket>, envelope: &ClientEnvelope) -> Result<Done, Refusal> {
    if envelope.overflow != Overflow::Close {
        return Err(Refusal::OverflowNotAllowed);
    }
    socket.check_quota()?;
    if !fits(socket, &envelope.address) {
        return Err(Refusal::MaxAddressLengthReached);
    }
    let target = target(socket, envelope)?;
    socket.register(&target)?;
    Ok(Done::Yes)
}

fn unregister(socket: &TcpSocket, envelope: &ClientEnvelope) -> Result<Done, Refusal> {
    let target = target(socket, envelope)?;
    socket.unregister(&target)?;
    Ok(Done::Yes)
}

/// What an envelope is about, if some of it may be received.
fn target(socket: &TcpSocket, envelope: &ClientEnvelope) -> Result<Target, Refusal> {
    let target = Target::new(&envelope.address, envelope.is_pattern)?;
    target.check(&socket.rights.bound().outbound)?;
    Ok(target)
}

/// Short enough to be kept, counted in UTF-16 units as Vert.x counts?
fn fits(socket: &TcpSocket, address: &Address) -> bool {
    let (text, limit) = (address.as_str(), socket.core.options.max_address_length);
    // Never more UTF-16 units than bytes.
    text.len() <= limit || text.encode_utf16().count() <= limit
}
