//! The task that keeps the keys fresh: looks at files, fetches from the URL.
//!
//! Keys stay in use until better ones are there: neither a file that has become nonsense nor an
//! endpoint that is down takes any away.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::AuthConfig;
use super::fetch::Endpoint;
use super::handle::{Fetching, JwtAuthenticator, Keys};
use super::key_file::{self, Origin};
use crate::access::ConfigError;

/// Time after which a failed fetch is tried again, doubled each time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Keeps the keys of an authenticator fresh, see [`KeyDriver::run`].
pub struct KeyDriver {
    config: Arc<AuthConfig>,
    algorithms: Vec<Algorithm>,
    authenticator: Arc<JwtAuthenticator>,
    endpoint: Option<Endpoint>,
    /// What the files held when they were last looked at, or why they could not be.
    seen: Result<Vec<Vec<u8>>, ConfigError>,
    failures: u32,
}

impl std::fmt::Debug for KeyDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyDriver").field("config", &self.config).finish_non_exhaustive()
    }
}

impl KeyDriver {
    /// Reads the files. Nothing is fetched before [`KeyDriver::run`].
    pub(super) fn new(config: &AuthConfig) -> Result<Self, ConfigError> {
        let files = config.read_files()?;
        let of_files = config.parse_keys(&files)?;
        let timeout = Duration::from_millis(config.jwks_timeout_ms);
        let endpoint = match config.jwks_url()? {
            None => None,
            Some(url) => {
                if url.scheme() == "http" {
                    tracing::warn!(
                        "`auth.jwks_url` is not https: who is on its way can forge tokens"
                    );
                }
                let endpoint = Endpoint::new(url, config.read_ca()?.as_deref(), timeout);
                Some(endpoint.map_err(|problem| ConfigError::new("jwks_ca", problem))?)
            }
        };
        let first = Fetching { is_wanted: true, ..Fetching::default() };
        let keys = Keys {
            of_files: RwLock::new(of_files.into()),
            of_url: RwLock::new(Arc::new([])),
            fetching: endpoint.is_some().then(|| watch::Sender::new(first)),
        };
        let authenticator = JwtAuthenticator {
            keys: Arc::new(keys),
            demands: config.demands(),
            longest: config.max_token_length,
            patience: timeout + Duration::from_secs(1),
        };
        Ok(Self {
            config: Arc::new(config.clone()),
            algorithms: config.allowed_algorithms()?,
            authenticator: Arc::new(authenticator),
            endpoint,
            seen: Ok(files),
            failures: 0,
        })
    }

    /// The authenticator whose keys it keeps.
    #[must_use]
    pub fn authenticator(&self) -> Arc<JwtAuthenticator> {
        Arc::clone(&self.authenticator)
    }

    /// Keeps the keys fresh until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.keep_fresh() => {}
        }
    }

    async fn keep_fresh(&mut self) {
        let every = Duration::from_millis(self.config.reload_ms);
        let mut looks = tokio::time::interval_at(Instant::now() + every, every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_fetch = Instant::now();
        loop {
            tokio::select! {
                _ = looks.tick() => self.look_at_files().await,
                () = self.fetch_due(next_fetch) => next_fetch = self.fetch().await,
            }
        }
    }

    pub(super) async fn look_at_files(&mut self) {
        let config = Arc::clone(&self.config);
        let Ok(now) = tokio::task::spawn_blocking(move || config.read_files()).await else {
            return;
        };
        if now == self.seen {
            return;
        }
        let keys = match &now {
            Ok(files) => self.config.parse_keys(files),
            Err(error) => Err(error.clone()),
        };
        self.seen = now;
        match keys {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "key files have changed");
                *self.authenticator.keys.of_files.write() = keys.into();
            }
            Err(error) => {
                let error = error.within("auth");
                tracing::error!(%error, "key files are no good, the keys from before stay");
            }
        }
    }

    /// Ends when it is time to fetch; never without a URL.
    async fn fetch_due(&self, at: Instant) {
        let Some(fetching) = &self.authenticator.keys.fetching else {
            return std::future::pending().await;
        };
        let mut updates = fetching.subscribe();
        tokio::select! {
            () = tokio::time::sleep_until(at) => {}
            _ = updates.wait_for(|state| state.is_wanted) => {}
        }
    }

    /// Fetches once, and says when to do it again.
    async fn fetch(&mut self) -> Instant {
        let (Some(endpoint), Some(fetching)) = (&self.endpoint, &self.authenticator.keys.fetching)
        else {
            return Instant::now();
        };
        fetching.send_modify(|state| (state.is_wanted, state.is_under_way) = (false, true));
        let answer = endpoint.get().await.map_err(|error| error.to_string());
        let keys = answer
            .and_then(|text| key_file::key_set(&text, None, &self.algorithms, Origin::Endpoint));
        let has_worked = keys.is_ok();
        let refresh = Duration::from_millis(self.config.jwks_refresh_ms);
        let again = match keys {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "fetched keys");
                *self.authenticator.keys.of_url.write() = keys.into();
                self.failures = 0;
                refresh
            }
            Err(error) => {
                tracing::warn!(
                    error,
                    "cannot fetch the keys of `auth.jwks_url`, those from before stay"
                );
                self.failures = self.failures.saturating_add(1);
                refresh.min(RETRY_AFTER * (1 << self.failures.min(9)) / 2)
            }
        };
        fetching.send_modify(|state| {
            state.is_under_way = false;
            state.has_worked = has_worked;
            state.rounds += 1;
        });
        Instant::now() + again
    }
}
