//! All rules of a server, and the ones in force.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::rules::RuleSet;
use super::{ConfigError, Permitted, Principal, Rules};

/// The rules about what comes in and what goes out, compiled and checked.
#[derive(Debug)]
pub struct Policy {
    inbound: RuleSet,
    outbound: RuleSet,
    /// What everybody gets where no rule looks at the principal.
    anonymous: Bound,
}

/// The rules as they hold for one principal. Clones share them.
#[derive(Debug, Clone)]
pub struct Bound {
    /// About what is sent and published.
    pub inbound: Arc<Rules>,
    /// About what is registered and received.
    pub outbound: Arc<Rules>,
}

impl Policy {
    /// Compiles rules.
    ///
    /// # Errors
    /// The first rule that makes no sense, as `inbound_permitted[2].address_regex`.
    pub fn compile(inbound: &[Permitted], outbound: &[Permitted]) -> Result<Self, ConfigError> {
        let inbound = RuleSet::compile("inbound_permitted", inbound)?;
        let outbound = RuleSet::compile("outbound_permitted", outbound)?;
        let anonymous =
            Bound { inbound: inbound.bind(None).into(), outbound: outbound.bind(None).into() };
        Ok(Self { inbound, outbound, anonymous })
    }

    /// The rules as they hold for a principal, or for nobody in particular.
    #[must_use]
    pub fn bind(&self, principal: Option<&Principal>) -> Bound {
        let bind = |rules: &RuleSet, anonymous: &Arc<Rules>| match principal {
            Some(_) if rules.looks_at_principal() => Arc::new(rules.bind(principal)),
            _ => Arc::clone(anonymous),
        };
        Bound {
            inbound: bind(&self.inbound, &self.anonymous.inbound),
            outbound: bind(&self.outbound, &self.anonymous.outbound),
        }
    }
}

/// The policy in force, to be replaced while connections go on. Clones are handles of one.
#[derive(Debug, Clone)]
pub struct LivePolicy(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    policy: RwLock<Arc<Policy>>,
    generation: AtomicU64,
}

impl LivePolicy {
    /// Starts with this policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let policy = RwLock::new(Arc::new(policy));
        Self(Arc::new(Shared { policy, generation: AtomicU64::new(0) }))
    }

    /// Puts another policy in force, at once and for all.
    pub fn replace(&self, policy: Policy) {
        *self.0.policy.write() = Arc::new(policy);
        self.0.generation.fetch_add(1, Ordering::Release);
    }

    /// The policy in force.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        Arc::clone(&self.0.policy.read())
    }

    /// Grows with each replacement; whoever holds [`Bound`] rules binds anew when it has. It is to
    /// be read before [`LivePolicy::current`].
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use trolleybus_protocol::Body;

    use super::*;

    #[test]
    fn rules_are_shared_unless_they_look_at_the_principal() {
        let inbox = Permitted::address("user.${sub}");
        let policy = Policy::compile(&[Permitted::all()], &[inbox]).unwrap();
        let (nobody, ada) = (policy.bind(None), policy.bind(Some(&Principal::new("ada"))));
        assert!(Arc::ptr_eq(&nobody.inbound, &ada.inbound));
        assert!(ada.outbound.check("user.ada", &Body::null()).is_ok());
        assert!(nobody.outbound.check("user.ada", &Body::null()).is_err());
    }

    #[test]
    fn a_replacement_is_seen_by_its_generation() {
        let policy = |rules: &[Permitted]| Policy::compile(rules, &[]).unwrap();
        let live = LivePolicy::new(policy(&[]));
        let before = live.generation();
        live.clone().replace(policy(&[Permitted::all()]));
        assert_ne!(live.generation(), before);
        assert!(live.current().bind(None).inbound.check("a", &Body::null()).is_ok());
    }
}
