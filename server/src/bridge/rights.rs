//! Who is behind a socket, and the rules as they hold for it.
//!
//! Rules change when the policy is replaced or another token is shown. Both only ever count up, so
//! their sum, the *stamp*, tells whoever has judged something whether it still holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::access::{Bound, LivePolicy, Principal};

#[derive(Debug)]
pub(super) struct Rights {
    policy: LivePolicy,
    logins: AtomicU64,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    principal: Option<Arc<Principal>>,
    bound: Bound,
    /// The stamp that `bound` was made under.
    stamp: u64,
}

impl Rights {
    pub(super) fn new(policy: &LivePolicy) -> Self {
        let stamp = policy.generation();
        let bound = policy.current().bind(None);
        let current = Mutex::new(Current { principal: None, bound, stamp });
        Self { policy: policy.clone(), logins: AtomicU64::new(0), current }
    }

    /// Changes whenever the rules may have.
    pub(super) fn stamp(&self) -> u64 {
        self.policy.generation() + self.logins.load(Ordering::Acquire)
    }

    pub(super) fn principal(&self) -> Option<Arc<Principal>> {
        self.current.lock().principal.clone()
    }

    /// Puts a principal in the place of the one before.
    pub(super) fn log_in(&self, principal: Principal) {
        let mut current = self.current.lock();
        current.principal = Some(Arc::new(principal));
        self.logins.fetch_add(1, Ordering::Release);
    }

    /// The rules in force, and the stamp that they hold for.
    pub(super) fn bound(&self) -> (Bound, u64) {
        let mut current = self.current.lock();
        let stamp = self.stamp();
        if current.stamp != stamp {
            current.bound = self.policy.current().bind(current.principal.as_deref());
            current.stamp = stamp;
        }
        (current.bound.clone(), stamp)
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::Body;

    use super::*;
    use crate::access::{Permitted, Policy};

    fn policy(inbound: &[Permitted]) -> Policy {
        Policy::compile(inbound, &[]).unwrap()
    }

    #[test]
    fn a_login_and_a_new_policy_both_change_the_rules() {
        let live = LivePolicy::new(policy(&[Permitted::address("user.${sub}")]));
        let rights = Rights::new(&live);
        let may = |address: &str| rights.bound().0.inbound.check(address, &Body::null()).is_ok();
        let anonymous = rights.stamp();
        assert!(!may("user.ada") && rights.principal().is_none());
        rights.log_in(Principal::new("ada"));
        assert_ne!(rights.stamp(), anonymous);
        assert!(may("user.ada") && !may("user.bob"));
        rights.log_in(Principal::new("bob"));
        assert!(!may("user.ada") && may("user.bob"));
        let logged_in = rights.stamp();
        live.replace(policy(&[]));
        assert_ne!(rights.stamp(), logged_in);
        assert!(!may("user.bob"));
    }
}
