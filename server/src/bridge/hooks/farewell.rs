//! The end of a client, as the hook is told.

use trolleybus_protocol::Address;

use super::HookPort;
use super::client::Client;
use super::event::{BridgeEvent, EventKind, EventMessage};

/// Tells the hook of each registration that stood, of the fault if there was one, and that the
/// client is gone. Nothing of it may be left on the bus by now.
pub(crate) async fn say_farewell(
    hook: &HookPort,
    client: &Client,
    registered: Vec<Address>,
    fault: Option<&str>,
) {
    let event = |kind| BridgeEvent::new(kind, client.clone());
    for address in registered {
        let message = EventMessage::of_address(address);
        let _ = hook.ask(event(EventKind::Unregister).with_message(message)).await;
    }
    if let Some(reason) = fault {
        let raw = serde_json::json!({
            "type": "err", "failureType": "socketException", "message": reason,
        });
        let _ = hook.ask(event(EventKind::Error).with_raw(raw.to_string().into())).await;
    }
    let _ = hook.ask(event(EventKind::Closed)).await;
}
