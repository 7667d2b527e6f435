//! The gateway as an axum app mounts it.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{document, origin};
use crate::access::limits::Limits;
use crate::access::{ConfigError, LivePolicy, Origins};
use crate::bus::Bus;
use crate::gateway::stats::HttpCounters;
use crate::gateway::{Authentication, HttpOptions, HttpStats};

/// Publish, send and request by POST, and addresses as streams of server-sent events. Clones are
/// handles of one gateway.
#[derive(Debug, Clone)]
pub struct HttpGateway(Arc<Core>);

/// What all requests share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) bus: Bus,
    pub(super) policy: LivePolicy,
    pub(super) authentication: Option<Authentication>,
    pub(super) limits: Limits,
    pub(super) origins: Origins,
    pub(super) options: HttpOptions,
    pub(super) counters: HttpCounters,
    /// Places for requests on the bus that wait for their answers.
    pub(super) requests: Arc<Semaphore>,
    /// Places for streams.
    pub(super) streams: Arc<Semaphore>,
    /// Ends the streams.
    pub(super) stop: CancellationToken,
}

impl HttpGateway {
    /// A gateway to a bus, under these rules and limits. Limits by network address need the app to
    /// be served with connect info.
    ///
    /// # Errors
    /// When a limit makes no sense.
    pub fn new(
        bus: Bus,
        policy: LivePolicy,
        authentication: Option<Authentication>,
        limits: Limits,
        options: HttpOptions,
    ) -> Result<Self, ConfigError> {
        options.validate()?;
        Ok(Self(Arc::new(Core {
            bus,
            policy,
            authentication,
            limits,
            origins: options.origins()?,
            counters: HttpCounters::default(),
            requests: Arc::new(Semaphore::new(options.max_requests)),
            streams: Arc::new(Semaphore::new(options.max_streams)),
            stop: CancellationToken::new(),
            options,
        })))
    }

    /// The gateway, to be mounted with [`Router::nest_service`] under `path`, which the OpenAPI
    /// document names as its server.
    pub fn router(&self, path: &str) -> Router {
        let (router, document) = document::routes(path);
        let document = get(move || async move { document });
        router
            .route("/openapi.json", document)
            .layer(from_fn_with_state(Arc::clone(&self.0), origin::guard))
            .with_state(Arc::clone(&self.0))
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> HttpStats {
        self.0.counters.snapshot()
    }

    /// Ends the streams; their readers may connect again elsewhere.
    pub fn close(&self) {
        self.0.stop.cancel();
    }
}
