//! `authenticate`: show a token.

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::envelope::ClientEnvelope;

use super::receipt::Receipt;
use super::{Reached, check_label};
use crate::access::AuthFailure;
use crate::bridge::caller::Caller;

pub(super) async fn authenticate(caller: &mut Caller, envelope: ClientEnvelope) {
    let outcome = log_in(caller, &envelope).await;
    Receipt::of(&envelope).settle(&caller.socket, &envelope, outcome);
}

/// With a bad token the client stays who it was.
async fn log_in(caller: &mut Caller, envelope: &ClientEnvelope) -> Result<Reached, Refusal> {
    check_label(envelope)?;
    let authentication = caller.socket.core.authentication.as_ref();
    if authentication.is_some_and(|known| !known.takes_envelopes()) {
        return Err(Refusal::AccessDenied);
    }
    let token = envelope.body.as_text().ok_or(Refusal::InvalidToken)?;
    caller.log_in(&token).await.map_err(AuthFailure::refusal)?;
    Ok(Reached::Somebody)
}
