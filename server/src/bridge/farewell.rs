//! The end of a socket: nothing stays on the bus, and then the hook is told.

use trolleybus_protocol::codes::Close;

use super::caller::Caller;
use super::hooks::{EventKind, EventMessage};

/// Reasons of closes that are faults, for the hook.
const FAULTS: [Close; 5] =
    [Close::NOT_TEXT, Close::TOO_BIG, Close::INTERNAL, Close::BROKEN_FRAMING, Close::SLOW_CONSUMER];

/// Ends what the socket holds and tells the hook, where there is one: each registration that stood, a fault if there was
/// one, and that the socket is gone.
pub(super) async fn say(caller: &Caller) {
    let fault = caller.is_watched(EventKind::Error).then(|| fault(caller)).flatten();
    for address in caller.socket.close() {
        let message = EventMessage::of_address(address);
        let _ = caller.decide(caller.event(EventKind::Unregister).with_message(message)).await;
    }
    if let Some(reason) = fault {
        let raw = serde_json::json!({
            "type": "err", "failureType": "socketException", "message": reason,
        });
        let raw = raw.to_string().into();
        let _ = caller.decide(caller.event(EventKind::Error).with_raw(raw)).await;
    }
    let _ = caller.decide(caller.event(EventKind::Closed)).await;
}

/// The reason why the socket was closed, if that was a fault in it.
fn fault(caller: &Caller) -> Option<Box<str>> {
    let (code, reason) = caller.socket.sender.ending()?;
    let is_fault = |close: &Close| close.code == code && close.reason == &*reason;
    FAULTS.iter().any(is_fault).then_some(reason)
}
