//! The uppercase service. One source file, compiled for the server and, by `ui`, for the browser.

use futures_util::StreamExt as _;
use trolleybus_protocol::{Body, BusMessage, DeliveryOptions, Error, EventBus};

/// Where the service listens on a server.
pub const REQUEST: &str = "demo.request";
/// Where it publishes there what it made of a message.
pub const RESPONSE: &str = "demo.response";

/// Serves until the bus closes: what is published or sent to `request` is published in upper case
/// on `response`, and is the reply where one is wanted.
pub async fn serve<B: EventBus>(bus: B, request: &str, response: &str) {
    serve_with(bus, request, response, DeliveryOptions::default()).await;
}

/// [`serve`], with options for every answer. An answer also carries the headers of its request,
/// so that whoever asked can tell it from the answers to others.
pub async fn serve_with<B: EventBus>(
    bus: B,
    request: &str,
    response: &str,
    options: DeliveryOptions,
) {
    let mut requests = bus.consumer(request);
    while let Some(request) = requests.next().await {
        // A bus that takes no more is closing; the stream ends right after.
        let _ = answer(&bus, &request, response, options.clone());
    }
}

fn answer<B: EventBus>(
    bus: &B,
    request: &B::Message,
    response: &str,
    mut options: DeliveryOptions,
) -> Result<(), Error> {
    let body = uppercase(request.body());
    for (name, value) in request.headers().iter() {
        options.headers.append(name, value)?;
    }
    bus.publish_with(response, body.clone(), options.clone())?;
    request.reply_with(body, options)
}

/// A text in upper case; any other JSON as it is.
fn uppercase(body: &Body) -> Body {
    match body.as_text() {
        Some(text) => Body::from_text(&text.to_uppercase()),
        None => body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_upper_cased_and_the_rest_left_alone() {
        let shout = uppercase(&Body::from_text("straße ä"));
        assert_eq!(shout.as_text().as_deref(), Some("STRASSE Ä"));
        let object = Body::from_json(r#"{"a":"b"}"#).expect("invariant: JSON");
        assert_eq!(uppercase(&object), object);
    }
}
