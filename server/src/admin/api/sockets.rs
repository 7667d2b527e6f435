//! `GET /sockets`, `GET /sockets/{id}`, `DELETE /sockets/{id}`, `POST /kick?subject=`,
//! `GET /registrations`.
//!
//! ```json
//! {"sockets": [{"id": 7, "transport": "websocket", "remote_addr": "127.0.0.1:50000",
//!   "subject": "ada", "age_ms": 1200, "registrations": 2, "requests": 0, "requests_to_answer": 0,
//!   "envelopes": 9, "outbox_messages": 0, "outbox_bytes": 0}], "next": null}
//! ```

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::admin::answer::{Answered, PageQuery, Refused, answer};
use crate::admin::handle::Shared;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/sockets", get(list))
        .route("/sockets/{id}", get(show).delete(kick))
        .route("/kick", post(kick_subject))
        .route("/registrations", get(registrations))
}

type Paged = Result<Query<PageQuery<u64>>, QueryRejection>;
type Id = Result<Path<u64>, PathRejection>;

fn page_of(query: Paged) -> Result<PageQuery<u64>, Refused> {
    query.map(|Query(page)| page).map_err(|error| Refused::BadRequest(error.body_text()))
}

fn id_of(id: Id) -> Result<u64, Refused> {
    id.map(|Path(id)| id).map_err(|_| Refused::BadRequest("a socket's id is a number".into()))
}

const NO_SOCKET: Refused = Refused::NotFound("no open socket has this id");

/// A page, with the `after` of the next one in `next` if there may be more.
async fn list(State(shared): State<Arc<Shared>>, query: Paged) -> Answered {
    let page = page_of(query)?;
    let limit = page.limit(shared.max_page);
    let sockets = shared.ports.sockets.page(page.after.unwrap_or(0), limit);
    let next = sockets.last().filter(|_| sockets.len() == limit).map(|socket| socket.id);
    Ok(answer(&json!({ "sockets": sockets, "next": next })))
}

async fn show(State(shared): State<Arc<Shared>>, id: Id) -> Answered {
    let socket = shared.ports.sockets.find(id_of(id)?).ok_or(NO_SOCKET)?;
    Ok(answer(&socket))
}

async fn kick(State(shared): State<Arc<Shared>>, id: Id) -> Answered {
    let id = id_of(id)?;
    if !shared.ports.sockets.kick(id) {
        return Err(NO_SOCKET);
    }
    tracing::info!(socket = id, "socket kicked by an operator");
    Ok(answer(&json!({ "kicked": 1 })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfSubject {
    subject: String,
}

async fn kick_subject(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<OfSubject>, QueryRejection>,
) -> Answered {
    let Query(query) = query.map_err(|error| Refused::BadRequest(error.body_text()))?;
    let kicked = shared.ports.sockets.kick_subject(&query.subject);
    tracing::info!(sockets = kicked, "sockets of a user kicked by an operator");
    Ok(answer(&json!({ "kicked": kicked })))
}

/// Registrations of whole sockets, so a page may be longer than was asked for by what one socket
/// may hold.
async fn registrations(State(shared): State<Arc<Shared>>, query: Paged) -> Answered {
    let page = page_of(query)?;
    let limit = page.limit(shared.max_page);
    let found = shared.ports.sockets.registrations(page.after.unwrap_or(0), limit);
    let next = found.last().filter(|_| found.len() >= limit).map(|last| last.socket);
    Ok(answer(&json!({ "registrations": found, "next": next })))
}
