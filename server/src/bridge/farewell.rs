//! The end of a socket: nothing stays on the bus, and then the hook is told.

use trolleybus_protocol::codes::Close;

use super::caller::Caller;
use super::hooks::{EventKind, say_farewell};

/// Reasons of closes that are faults, for the hook.
const FAULTS: [Close; 5] =
    [Close::NOT_TEXT, Close::TOO_BIG, Close::INTERNAL, Close::BROKEN_FRAMING, Close::SLOW_CONSUMER];

/// Ends what the socket holds and tells the hook, where there is one.
pub(super) async fn say(caller: &Caller) {
    let fault = caller.is_watched(EventKind::Error).then(|| fault(caller)).flatten();
    let registered = caller.socket.close();
    if let Some(hook) = &caller.socket.core.hook {
        say_farewell(hook, &caller.client(), registered, fault.as_deref()).await;
    }
}

/// The reason why the socket was closed, if that was a fault in it.
fn fault(caller: &Caller) -> Option<Box<str>> {
    let (code, reason) = caller.socket.sender.ending()?;
    let is_fault = |close: &Close| close.code == code && close.reason == &*reason;
    FAULTS.iter().any(is_fault).then_some(reason)
}
