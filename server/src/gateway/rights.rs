//! The rules in force, for whoever stands behind a connection.

use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::access::{Bound, LivePolicy, Principal};

/// What one connection may do: the policy in force, bound to its principal, and bound anew when
/// either changes.
#[derive(Debug)]
pub(super) struct Rights {
    policy: LivePolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    principal: Option<Arc<Principal>>,
    expires_at: Option<Instant>,
    generation: u64,
    bound: Bound,
}

impl Rights {
    pub(super) fn new(policy: LivePolicy, principal: Option<Principal>) -> Self {
        let state = Mutex::new(State::new(&policy, principal));
        Self { policy, state }
    }

    /// The rules as they are now.
    pub(super) fn bound(&self) -> Bound {
        let mut state = self.state.lock();
        let generation = self.policy.generation();
        if state.generation != generation {
            state.generation = generation;
            state.bound = self.policy.current().bind(state.principal.as_deref());
        }
        state.bound.clone()
    }

    /// From now on somebody else, or the same with a new token, stands behind the connection.
    pub(super) fn replace_principal(&self, principal: Principal) {
        *self.state.lock() = State::new(&self.policy, Some(principal));
    }

    /// Who stands behind the connection, as far as a token has said so.
    pub(super) fn principal(&self) -> Option<Arc<Principal>> {
        self.state.lock().principal.clone()
    }

    /// Nobody has said who stands behind the connection.
    pub(super) fn is_anonymous(&self) -> bool {
        self.state.lock().principal.is_none()
    }

    /// When the principal's token expires, if there is one and it does.
    pub(super) fn expires_at(&self) -> Option<Instant> {
        self.state.lock().expires_at
    }
}

impl State {
    fn new(policy: &LivePolicy, principal: Option<Principal>) -> Self {
        let generation = policy.generation();
        let bound = policy.current().bind(principal.as_ref());
        let expires_at = principal.as_ref().and_then(Principal::expires_at);
        let principal = principal.map(Arc::new);
        Self { expires_at: expires_at.and_then(on_our_clock), principal, generation, bound }
    }
}

/// An expiry too far away for the clock is none.
fn on_our_clock(time: SystemTime) -> Option<Instant> {
    let left = time.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now().checked_add(left)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use trolleybus_protocol::Body;

    use super::*;
    use crate::access::{Permitted, Policy};

    fn permits(rights: &Rights, address: &str) -> bool {
        rights.bound().inbound.check(address, &Body::null()).is_ok()
    }

    #[test]
    fn a_new_policy_and_a_new_principal_count_at_once() {
        let policy = |rule| Policy::compile(&[rule], &[]).unwrap();
        let live = LivePolicy::new(policy(Permitted::address("a")));
        let rights = Rights::new(live.clone(), None);
        assert!(permits(&rights, "a") && !permits(&rights, "user.ada"));
        live.replace(policy(Permitted::address("user.${sub}")));
        assert!(!permits(&rights, "a") && !permits(&rights, "user.ada"));
        rights.replace_principal(Principal::new("ada"));
        assert!(permits(&rights, "user.ada") && !permits(&rights, "user.bob"));
        assert_eq!(rights.expires_at(), None);
        let soon = SystemTime::now() + Duration::from_secs(60);
        rights.replace_principal(Principal::new("ada").expiring_at(soon));
        assert!(rights.expires_at().unwrap() > Instant::now() + Duration::from_secs(30));
    }
}
