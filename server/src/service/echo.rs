//! The echo service: replies with the body it gets.

use trolleybus_protocol::{BusMessage, DeliveryOptions};

/// Where the service listens.
pub const ADDRESS: &str = "echo";

/// Replies with the message's body and headers. There is nothing to wait for, so it can be done in
/// the sender's task.
pub fn answer<M: BusMessage>(message: &M) {
    let options = DeliveryOptions { headers: message.headers().clone(), ..Default::default() };
    // A sender that is gone needs no answer.
    let _ = message.reply_with(message.body().clone(), options);
}
