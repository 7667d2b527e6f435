//! The gateway as an axum app mounts it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use trolleybus_protocol::codes::Refusal;

use super::{document, origin};
use crate::access::limits::Limits;
use crate::access::{ConfigError, LivePolicy, Origins};
use crate::bridge::{Bridge, HookPort};
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
    /// That of the bridge beside which it stands.
    pub(super) hook: Option<HookPort>,
    /// How many calls the hook was asked about.
    pub(super) watched: AtomicU64,
    pub(super) origins: Origins,
    pub(super) options: HttpOptions,
    pub(super) counters: HttpCounters,
    /// Places for calls that wait for their answers, from the bus or from the hook.
    pub(super) requests: Arc<Semaphore>,
    /// Places for streams.
    pub(super) streams: Arc<Semaphore>,
    /// Ends the streams.
    pub(super) stop: CancellationToken,
}

impl Core {
    /// A place for a call that has to wait.
    pub(super) fn place(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.requests.try_acquire().map_err(|_| Refusal::MaxHandlersReached)
    }
}

impl HttpGateway {
    /// A gateway to a bus, under these rules and limits. Limits by network address need the app to
    /// be served with connect info. It asks no hook; one that asks that of a bridge is made by
    /// [`HttpGateway::beside`].
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
        Self::build(bus, policy, authentication, limits, None, options)
    }

    /// A gateway beside a bridge: to its bus, under its rules and limits, and its hook is asked about
    /// each message and each stream.
    ///
    /// # Errors
    /// When a limit makes no sense.
    pub fn beside(
        bridge: &Bridge,
        authentication: Option<Authentication>,
        options: HttpOptions,
    ) -> Result<Self, ConfigError> {
        let (bus, limits) = (bridge.bus().clone(), bridge.limits().clone());
        Self::build(bus, bridge.policy(), authentication, limits, bridge.hook(), options)
    }

    fn build(
        bus: Bus,
        policy: LivePolicy,
        authentication: Option<Authentication>,
        limits: Limits,
        hook: Option<HookPort>,
        options: HttpOptions,
    ) -> Result<Self, ConfigError> {
        options.validate()?;
        Ok(Self(Arc::new(Core {
            bus,
            policy,
            authentication,
            limits,
            hook,
            watched: AtomicU64::new(0),
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
