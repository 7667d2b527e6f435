//! Publish, send, request.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Body, BusMessage as _, DeliveryOptions, Error, EventBus as _, Headers};

use super::call::{HEADER_PREFIX, MessageCall, clock};
use super::failure::{Failure, FailureBody};
use super::handle::Core;
use super::hooked;
use crate::bridge::{self, Client, EventKind};
use crate::bus::Dispatch;

/// Publish a message to all consumers of an address.
#[utoipa::path(
    post, path = "/publish/{*address}", operation_id = "publish",
    params(("address" = String, Path, description = "The address, percent-encoded; slashes may stand as they are")),
    request_body(
        content((Object = "application/json"), (String = "text/plain")),
        description = "The body of the message: JSON as it stands, or text. Headers `X-Bus-Name: value` go with it."
    ),
    responses(
        (status = 204, description = "There were consumers"),
        (status = "4XX", description = "Refused, or nobody consumes the address (404)", body = FailureBody),
        (status = "5XX", description = "Cannot be done now", body = FailureBody),
    ),
)]
pub(super) async fn publish(
    State(core): State<Arc<Core>>,
    message: MessageCall,
) -> Result<StatusCode, Failure> {
    let client = hooked::client(&core, &message.call);
    match admit(&core, message, EventKind::Publish, client.as_ref()).await? {
        Admitted::Answered(_) => Ok(StatusCode::NO_CONTENT),
        Admitted::Message(dispatch) => {
            let address = dispatch.address.clone();
            done(core.bus.publish_message(dispatch) > 0, address.as_str())
        }
    }
}

/// Send a message to one consumer of an address.
#[utoipa::path(
    post, path = "/send/{*address}", operation_id = "send",
    params(("address" = String, Path, description = "The address, percent-encoded; slashes may stand as they are")),
    request_body(
        content((Object = "application/json"), (String = "text/plain")),
        description = "The body of the message: JSON as it stands, or text. Headers `X-Bus-Name: value` go with it."
    ),
    responses(
        (status = 204, description = "A consumer took it"),
        (status = "4XX", description = "Refused, or nobody consumes the address (404)", body = FailureBody),
        (status = "5XX", description = "Cannot be done now", body = FailureBody),
    ),
)]
pub(super) async fn send(
    State(core): State<Arc<Core>>,
    message: MessageCall,
) -> Result<StatusCode, Failure> {
    let client = hooked::client(&core, &message.call);
    match admit(&core, message, EventKind::Send, client.as_ref()).await? {
        Admitted::Answered(_) => Ok(StatusCode::NO_CONTENT),
        Admitted::Message(dispatch) => {
            let address = dispatch.address.clone();
            done(core.bus.send_message(dispatch), address.as_str())
        }
    }
}

/// Send a message to one consumer of an address and wait for its reply.
#[utoipa::path(
    post, path = "/request/{*address}", operation_id = "request",
    params(
        ("address" = String, Path, description = "The address, percent-encoded; slashes may stand as they are"),
        ("timeout" = Option<u32>, Query, description = "Milliseconds that it may take, up to the server's limit", minimum = 1),
    ),
    request_body(
        content((Object = "application/json"), (String = "text/plain")),
        description = "The body of the message: JSON as it stands, or text. Headers `X-Bus-Name: value` go with it."
    ),
    responses(
        (status = 200, description = "The body of the reply; its headers as `X-Bus-Name: value`", body = Object, content_type = "application/json"),
        (status = "4XX", description = "Refused, or nobody consumes the address (404)", body = FailureBody),
        (status = "5XX", description = "The recipient failed it (502), it took too long (504), or it cannot be done now", body = FailureBody),
    ),
)]
pub(super) async fn request(
    State(core): State<Arc<Core>>,
    message: MessageCall,
) -> Result<Response, Failure> {
    let timeout = message.call.query.timeout(core.options.reply_timeout())?;
    let client = hooked::client(&core, &message.call);
    let label = client.as_ref().map(hooked::label);
    let message = MessageCall { reply_address: label.clone(), ..message };
    let dispatch = match admit(&core, message, EventKind::Send, client.as_ref()).await? {
        Admitted::Answered(body) => return Ok(answer(&body, &Headers::new())),
        Admitted::Message(dispatch) => dispatch,
    };
    let Dispatch { address, body, headers, .. } = dispatch;
    let _place = core.place()?;
    let options = DeliveryOptions { timeout, headers, ..DeliveryOptions::default() };
    let reply = core.bus.request_with(address, body, options).await?;
    if let (Some(hook), Some(client), Some(label)) = (&core.hook, client, label) {
        let shown = bridge::show(hook, client, &reply, &label).await;
        let rewritten = shown.map_err(|_| Refusal::Rejected)?;
        if let Some(rewritten) = rewritten {
            return Ok(answer(&rewritten.body, &rewritten.headers));
        }
    }
    Ok(answer(reply.body(), reply.headers()))
}

/// What becomes of a call that is not refused.
enum Admitted {
    /// The message may go.
    Message(Dispatch),
    /// The hook has taken care of it.
    Answered(Body),
}

/// The message of a call, if hook, rules and limits let it pass.
async fn admit(
    core: &Core,
    mut message: MessageCall,
    kind: EventKind,
    client: Option<&Client>,
) -> Result<Admitted, Failure> {
    if let Some(client) = client
        && let Some(answer) = hooked::ask(core, client, kind, &mut message).await?
    {
        return answer.map(Admitted::Answered).map_err(Failure::from);
    }
    let MessageCall { call, headers, body, .. } = message;
    call.rights.bound().inbound.check(call.address.as_str(), &body)?;
    core.limits.admit_to(call.address.as_str(), clock()).map_err(Failure::rate_limited)?;
    Ok(Admitted::Message(Dispatch::new(call.address, body, headers)))
}

fn done(is_taken: bool, address: &str) -> Result<StatusCode, Failure> {
    if is_taken { Ok(StatusCode::NO_CONTENT) } else { Err(Error::no_handlers(address).into()) }
}

fn answer(body: &Body, of_reply: &Headers) -> Response {
    let mut response = body.as_json().to_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in of_reply.iter() {
        let name = HeaderName::try_from(format!("{HEADER_PREFIX}{name}"));
        match (name, HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                headers.append(name, value);
            }
            _ => tracing::debug!("a header of a reply does not fit HTTP"),
        }
    }
    response
}
