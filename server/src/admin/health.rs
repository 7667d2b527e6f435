//! Whether the process is alive, and whether it wants new clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

/// Where a server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not listening yet.
    Starting,
    /// Serving.
    Ready,
    /// Telling clients to go elsewhere.
    Draining,
}

/// The phase, shared by all who ask or tell. Clones are handles of one.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicU8>);

impl Health {
    /// Goes on to a phase; there is no way back.
    pub fn enter(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Relaxed);
    }

    /// Where it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.0.load(Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// `/healthz`: 200 as long as the process can answer. `/readyz`: 503 before it listens and
    /// while it drains.
    pub fn router(&self) -> Router {
        let alive = || async { plain(StatusCode::OK, "ok\n") };
        let ready = |State(health): State<Self>| async move { health.ready() };
        Router::new()
            .route("/healthz", get(alive))
            .route("/readyz", get(ready))
            .with_state(self.clone())
    }

    fn ready(&self) -> Response {
        match self.phase() {
            Phase::Starting => plain(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            Phase::Ready => plain(StatusCode::OK, "ready\n"),
            Phase::Draining => plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_between_listening_and_draining() {
        let health = Health::default();
        assert_eq!(health.ready().status(), 503);
        health.enter(Phase::Ready);
        assert_eq!(health.ready().status(), 200);
        health.enter(Phase::Draining);
        health.enter(Phase::Ready);
        assert_eq!((health.phase(), health.ready().status().as_u16()), (Phase::Draining, 503));
    }
}
