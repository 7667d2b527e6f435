//! The API, one file for each thing that can be looked at.

mod addresses;
mod messages;
mod settings;
mod sockets;

use std::sync::Arc;

use axum::Router;

use super::handle::Shared;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .merge(addresses::router())
        .merge(messages::router())
        .merge(settings::router())
        .merge(sockets::router())
}
