//! The routers of this room, as `app` mounts them.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use parking_lot::Mutex;

use super::answer::{Refused, answer};
use super::guard::Guard;
use super::rates::Rates;
use super::samples::MEDIA_TYPE;
use super::{AdminConfig, Health, Ports, Samples, api, process};
use crate::access::ConfigError;

/// Longest message that an operator may send, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// What operators see and do. Clones are handles of one.
#[derive(Debug, Clone)]
pub struct Admin(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) ports: Ports,
    pub(super) rates: Mutex<Rates>,
    pub(super) max_page: usize,
    guard: Guard,
    health: Health,
    started: SystemTime,
}

impl Admin {
    /// The room over its ports. `health` is told by others where the server is in its life.
    ///
    /// # Errors
    /// When the token cannot be read.
    pub fn new(config: &AdminConfig, health: Health, ports: Ports) -> Result<Self, ConfigError> {
        let shared = Shared {
            ports,
            rates: Mutex::default(),
            max_page: config.max_page,
            guard: Guard::new(config.read_token()?),
            health,
            started: SystemTime::now(),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Everything: the probes for anyone, metrics and API for whoever may.
    pub fn router(&self) -> Router {
        let guarded = Router::new()
            .route("/metrics", get(metrics))
            .route("/stats", get(stats))
            .merge(api::router())
            .fallback(|| async { Refused::NotFound("there is no such page") })
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .layer(from_fn_with_state(Arc::clone(&self.0), guard))
            .with_state(Arc::clone(&self.0));
        self.0.health.router().fallback_service(guarded)
    }
}

async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = match shared.guard.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    tracing::debug!(%method, path, status = response.status().as_u16(), "admin request");
    response
}

impl Shared {
    fn read(&self) -> Samples {
        let mut samples = Samples::default();
        self.ports.readings.read(&mut samples);
        samples.gauge(
            "phase",
            "Where the server is in its life: 0 starting, 1 ready, 2 draining",
            vec![],
            self.health.phase() as u64,
        );
        let version = vec![("version", env!("CARGO_PKG_VERSION").into())];
        samples.gauge("build_info", "Always 1, with the version as a label", version, 1);
        process::read(&mut samples, self.started);
        samples
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, Refused> {
    let text = shared.read().into_text();
    let text = text.map_err(|_| Refused::Failed("the metrics cannot be written".into()))?;
    let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}

async fn stats(State(shared): State<Arc<Shared>>) -> Response {
    answer(&shared.read().to_json())
}
