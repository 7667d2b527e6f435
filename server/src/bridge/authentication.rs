//! How a bridge gets to know who is behind a socket.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::access::{AuthFailure, Authenticator, Principal};
use crate::session::SocketInfo;

type Credentials = dyn Fn(&SocketInfo) -> Option<String> + Send + Sync;

/// Who turns tokens into principals for a bridge, and where tokens are found: in the first request
/// of a socket, and in `authenticate` envelopes.
///
/// A socket that comes with a bad token is closed, whether or not one is required. While one is
/// required and none was shown, every envelope but `ping` and `authenticate` is refused as
/// `not_logged_in`, and the socket is closed with 3003 when the grace period is over. Envelopes
/// behind an `authenticate` wait in order until it is decided.
#[derive(Clone)]
pub struct Authentication {
    authenticator: Arc<dyn Authenticator>,
    credentials: Option<Arc<Credentials>>,
    is_required: bool,
    takes_envelopes: bool,
    grace: Duration,
}

impl Authentication {
    /// Takes tokens from `authenticate` envelopes alone, and requires none.
    #[must_use]
    pub fn new(authenticator: Arc<dyn Authenticator>) -> Self {
        Self {
            authenticator,
            credentials: None,
            is_required: false,
            takes_envelopes: true,
            grace: Duration::from_secs(5),
        }
    }

    /// Also looks for a token in the first request of a socket.
    #[must_use]
    pub fn credentials(
        mut self,
        find: impl Fn(&SocketInfo) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.credentials = Some(Arc::new(find));
        self
    }

    /// Whether sockets without a token are closed: no, unless this says so.
    #[must_use]
    pub fn required(mut self, is_required: bool) -> Self {
        self.is_required = is_required;
        self
    }

    /// Whether `authenticate` envelopes are taken: yes, unless this says no. Then a required token
    /// has to come with the first request.
    #[must_use]
    pub fn envelopes(mut self, takes_envelopes: bool) -> Self {
        self.takes_envelopes = takes_envelopes;
        self
    }

    /// How long a socket may stay without a required token: 5 s.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    pub(super) fn is_required(&self) -> bool {
        self.is_required
    }

    pub(super) fn takes_envelopes(&self) -> bool {
        self.takes_envelopes
    }

    /// How long a socket may go without the token that it needs.
    pub(super) fn time_to_log_in(&self) -> Duration {
        if self.takes_envelopes { self.grace } else { Duration::ZERO }
    }

    /// The token that came with the first request.
    pub(super) fn token_of(&self, info: &SocketInfo) -> Option<String> {
        self.credentials.as_ref().and_then(|find| find(info))
    }

    /// Asks the authenticator; one that panics or takes longer than `patience` is unavailable.
    pub(super) async fn authenticate(
        &self,
        token: &str,
        patience: Duration,
    ) -> Result<Principal, AuthFailure> {
        let asking = async { self.authenticator.authenticate(token).await };
        let guarded = AssertUnwindSafe(asking).catch_unwind();
        match tokio::time::timeout(patience, guarded).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                tracing::error!("the authenticator panicked");
                Err(AuthFailure::Unavailable)
            }
            Err(_) => {
                tracing::warn!("the authenticator did not answer in time");
                Err(AuthFailure::Unavailable)
            }
        }
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication")
            .field("authenticator", &self.authenticator)
            .field("is_required", &self.is_required)
            .field("takes_envelopes", &self.takes_envelopes)
            .finish_non_exhaustive()
    }
}
