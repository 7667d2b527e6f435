//! The echo service: replies with the body it gets.

use futures_util::StreamExt as _;
use trolleybus_protocol::{BusMessage as _, EventBus};

/// Where the service listens.
pub const ADDRESS: &str = "echo";

/// Serves until the bus closes.
pub async fn serve<B: EventBus>(bus: B) {
    let mut messages = bus.consumer(ADDRESS);
    while let Some(message) = messages.next().await {
        // Headers go back with the body; a sender that is gone needs no answer.
        let options = trolleybus_protocol::DeliveryOptions {
            headers: message.headers().clone(),
            ..Default::default()
        };
        let _ = message.reply_with(message.body().clone(), options);
    }
}
