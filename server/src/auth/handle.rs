//! What others hold: the keys as they are now, and the checks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::claims::Demands;
use super::error::Flaw;
use super::key::{self, Key};
use super::token::Unverified;
use crate::access::{Authenticating, Authenticator, Principal};

/// Time between two requests for keys that tokens with an unknown `kid` cause.
const REFETCH_EVERY: Duration = Duration::from_secs(10);

/// Checks JSON Web Tokens. Keys come and go while it is in use, see [`super::KeyDriver`].
#[derive(Debug)]
pub struct JwtAuthenticator {
    pub(super) keys: Arc<Keys>,
    pub(super) demands: Demands,
    pub(super) longest: usize,
    /// How long a token may wait for its key.
    pub(super) patience: Duration,
}

/// The keys as they are now.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) of_files: RwLock<Arc<[Key]>>,
    pub(super) of_url: RwLock<Arc<[Key]>>,
    /// How the fetching goes; none without a URL.
    pub(super) fetching: Option<watch::Sender<Fetching>>,
}

/// How the fetching of keys goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fetching {
    /// Somebody waits for keys that are not there.
    pub(super) is_wanted: bool,
    pub(super) is_under_way: bool,
    /// Rounds that have ended, well or not.
    pub(super) rounds: u64,
    /// Whether the last one ended well.
    pub(super) has_worked: bool,
    pub(super) asked_at: Option<Instant>,
}

impl JwtAuthenticator {
    async fn check(&self, token: &str) -> Result<Principal, Flaw> {
        let token = Unverified::parse(token, self.longest)?;
        if let Err(flaw) = self.keys.check(&token) {
            self.keys.wait_for_more(&token, flaw, self.patience).await?;
            self.keys.check(&token).map_err(|flaw| self.keys.blame(flaw, &token))?;
        }
        self.demands.principal(token.claims()?, SystemTime::now())
    }
}

impl Authenticator for JwtAuthenticator {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            self.check(token).await.map_err(|flaw| {
                tracing::debug!(%flaw, "token refused");
                flaw.into()
            })
        })
    }
}

impl Keys {
    /// Whether one of them has signed a token.
    fn check(&self, token: &Unverified<'_>) -> Result<(), Flaw> {
        let of_files = Arc::clone(&self.of_files.read());
        let by_file = key::check(&of_files, token);
        if by_file.is_ok() {
            return Ok(());
        }
        let of_url = Arc::clone(&self.of_url.read());
        match (by_file, key::check(&of_url, token)) {
            (Err(Flaw::Signature), Err(Flaw::UnknownKey)) => Err(Flaw::Signature),
            (_, by_url) => by_url,
        }
    }

    /// Whether the key of a token may be there after another round of fetching.
    fn may_come(&self, token: &Unverified<'_>) -> bool {
        let (of_url, of_files) = (self.of_url.read().clone(), self.of_files.read().clone());
        let is_ours = |id: &str| of_url.iter().chain(&*of_files).any(|key| key.id() == Some(id));
        of_url.is_empty() || token.key_id.as_deref().is_some_and(|id| !is_ours(id))
    }

    /// Waits for another round of fetching, unless that is no use or too often.
    async fn wait_for_more(
        &self,
        token: &Unverified<'_>,
        flaw: Flaw,
        patience: Duration,
    ) -> Result<(), Flaw> {
        let Some(fetching) = &self.fetching else { return Err(flaw) };
        if !self.may_come(token) {
            return Err(flaw);
        }
        let mut updates = fetching.subscribe();
        let mut round = None;
        fetching.send_if_modified(|state| {
            let is_asked = state.is_wanted || state.is_under_way;
            let may_ask = || state.asked_at.is_none_or(|at| at.elapsed() >= REFETCH_EVERY);
            if !is_asked && !may_ask() {
                return false;
            }
            round = Some(state.rounds);
            if !is_asked {
                state.asked_at = Some(Instant::now());
            }
            !is_asked && !std::mem::replace(&mut state.is_wanted, true)
        });
        let Some(round) = round else { return Err(self.blame(flaw, token)) };
        let next = updates.wait_for(|state| state.rounds > round);
        match tokio::time::timeout(patience, next).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Flaw::NoKeys),
        }
    }

    /// What is wrong with a token whose key did not come: that is our fault if the endpoint is down.
    fn blame(&self, flaw: Flaw, token: &Unverified<'_>) -> Flaw {
        let is_down = self.fetching.as_ref().is_some_and(|state| !state.borrow().has_worked);
        if is_down && self.may_come(token) { Flaw::NoKeys } else { flaw }
    }
}
