//! `POST /publish/{address}`, `POST /send/{address}`: a JSON body, to all consumers or to one.
//!
//! ```json
//! {"consumers": 2}
//! ```

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use serde_json::json;
use trolleybus_protocol::Body;

use crate::admin::answer::{Answered, Refused, answer};
use crate::admin::handle::Shared;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/publish/{*address}", post(publish)).route("/send/{*address}", post(send))
}

fn body_of(text: String) -> Result<Body, Refused> {
    Body::from_json(text)
        .map_err(|error| Refused::BadRequest(format!("the body is no JSON: {error}")))
}

async fn publish(
    State(shared): State<Arc<Shared>>,
    Path(address): Path<String>,
    text: String,
) -> Answered {
    let consumers = shared.ports.messages.publish(&address, body_of(text)?);
    tracing::info!(address, consumers, "message published by an operator");
    Ok(answer(&json!({ "consumers": consumers })))
}

async fn send(
    State(shared): State<Arc<Shared>>,
    Path(address): Path<String>,
    text: String,
) -> Answered {
    if !shared.ports.messages.send(&address, body_of(text)?) {
        return Err(Refused::NotFound("nobody consumes this address"));
    }
    tracing::info!(address, "message sent by an operator");
    Ok(answer(&json!({ "consumers": 1 })))
}
