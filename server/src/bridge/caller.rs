//! The side of a socket that its own task keeps: what the client may do now.

use std::sync::Arc;

use tokio::time::Instant;
use trolleybus_protocol::codes::{Close, Refusal};

use super::authentication::Authentication;
use super::hooks::{BridgeEvent, Client, Decision, EventKind};
use super::socket::BridgeSocket;
use super::sockets::SocketHandle;
use crate::access::{AuthFailure, Bound, Rules};

/// The client as its own task sees it. The rules are at hand without a lock, and made anew when
/// their stamp has changed.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) socket: Arc<BridgeSocket>,
    bound: Bound,
    stamp: u64,
    /// A token is required and none was shown yet.
    pub(super) has_to_log_in: bool,
    /// When the first of those envelopes was looked at that came in together.
    now: Option<Instant>,
}

impl Caller {
    pub(super) fn new(socket: Arc<BridgeSocket>) -> Self {
        let (bound, stamp) = socket.rights.bound();
        let authentication = socket.core.authentication.as_ref();
        let has_to_log_in = authentication.is_some_and(Authentication::is_required);
        Self { socket, bound, stamp, has_to_log_in, now: None }
    }

    /// The time. Envelopes that came in together have the same: asking costs more than it tells.
    pub(super) fn now(&mut self) -> Instant {
        *self.now.get_or_insert_with(Instant::now)
    }

    /// Those that came in together have all been looked at, or one of them took time.
    pub(super) fn forget_time(&mut self) {
        self.now = None;
    }

    fn refresh(&mut self) {
        if self.socket.rights.stamp() != self.stamp {
            (self.bound, self.stamp) = self.socket.rights.bound();
        }
    }

    /// The rules for what the client sends and publishes.
    pub(super) fn inbound(&mut self) -> &Rules {
        self.refresh();
        &self.bound.inbound
    }

    /// The rules for what the client registers, and the stamp that they hold for.
    pub(super) fn outbound(&mut self) -> (&Rules, u64) {
        self.refresh();
        (&self.bound.outbound, self.stamp)
    }

    /// Whether the hook wants to see events of this kind.
    pub(super) fn is_watched(&self, kind: EventKind) -> bool {
        self.socket.core.hook.as_ref().is_some_and(|hook| hook.wants(kind))
    }

    pub(super) fn event(&self, kind: EventKind) -> BridgeEvent {
        BridgeEvent::new(kind, self.client())
    }

    /// The client as a hook gets it.
    pub(super) fn client(&self) -> Client {
        Client::of_socket(SocketHandle::new(Arc::clone(&self.socket)))
    }

    /// Asks the hook, if it wants to see this.
    pub(super) async fn decide(&self, event: BridgeEvent) -> Decision {
        match &self.socket.core.hook {
            Some(hook) => hook.ask(event).await,
            None => Decision::Accept,
        }
    }

    /// Looks at a token; with a good one the client is somebody else from now on. Whose limits leave
    /// no room for one more is closed.
    pub(super) async fn log_in(&mut self, token: &str) -> Result<(), AuthFailure> {
        let core = &self.socket.core;
        let Some(authentication) = &core.authentication else {
            return Err(AuthFailure::Invalid);
        };
        let authenticated = authentication.authenticate(token, core.patience).await;
        core.counters.authenticated(authenticated.as_ref().err().copied());
        let principal = authenticated?;
        if principal.expires_at().is_some_and(|at| at <= std::time::SystemTime::now()) {
            return Err(AuthFailure::Expired);
        }
        let subject = principal.subject();
        if let Err(close) = self.socket.limits.set_user(subject, std::time::Instant::now()) {
            self.socket.close_with(close);
            return Ok(());
        }
        self.socket.rights.log_in(principal);
        self.has_to_log_in = false;
        Ok(())
    }

    /// Whether there is anything that a new socket has to pass.
    pub(super) fn has_to_be_let_in(&self) -> bool {
        self.socket.core.authentication.is_some() || self.is_watched(EventKind::Created)
    }

    /// What a new socket has to pass: its token, if it came with one, and the hook. False when it
    /// was closed.
    pub(super) async fn enter(&mut self) -> bool {
        if let Err(close) = self.log_in_at_once().await {
            self.socket.close_with(close);
        }
        if self.socket.is_barred() {
            return false;
        }
        match self.decide(self.event(EventKind::Created)).await {
            Decision::Accept | Decision::Changed(_) => true,
            Decision::Reject | Decision::Answer(_) => {
                self.socket.close_with(Close::REJECTED);
                false
            }
        }
    }

    async fn log_in_at_once(&mut self) -> Result<(), Close> {
        let core = Arc::clone(&self.socket.core);
        let Some(authentication) = &core.authentication else {
            return Ok(());
        };
        match authentication.token_of(self.socket.sender.info()) {
            Some(token) => self.log_in(&token).await.map_err(AuthFailure::close),
            None if authentication.is_required() && !authentication.takes_envelopes() => {
                Err(Close::UNAUTHORIZED)
            }
            None => Ok(()),
        }
    }

    /// Whether the client may do anything yet.
    pub(super) fn check_logged_in(&self) -> Result<(), Refusal> {
        if self.has_to_log_in { Err(Refusal::NotLoggedIn) } else { Ok(()) }
    }
}
