//! What a client subscribes to: an address or a pattern.

use std::sync::Arc;

use trolleybus_protocol::codes::Refusal;
use trolleybus_protocol::{Address, Pattern};

use crate::access::{Rules, Verdict};
use crate::bus::{Bus, Handler, Registration};

/// An address or a pattern. The two are apart even where their texts are the same.
#[derive(Debug)]
pub(super) enum Target {
    Address(Address),
    Pattern(Pattern),
}

impl Target {
    pub(super) fn new(address: &Address, is_pattern: bool) -> Result<Self, Refusal> {
        if !is_pattern {
            return Ok(Self::Address(address.clone()));
        }
        let pattern = Pattern::parse(address.as_str()).map_err(|_| Refusal::InvalidPattern)?;
        Ok(Self::Pattern(pattern))
    }

    /// Refused where nothing that may come is permitted. Each message is still to be checked.
    pub(super) fn check(&self, rules: &Rules) -> Result<(), Refusal> {
        let verdict = match self {
            Self::Address(address) => rules.verdict(address.as_str()),
            Self::Pattern(pattern) => rules.verdict_on_pattern(pattern),
        };
        match verdict {
            Verdict::Denied => Err(Refusal::AccessDenied),
            Verdict::Permitted | Verdict::DependsOnMessage => Ok(()),
        }
    }

    pub(super) fn register(&self, bus: &Bus, handler: Arc<dyn Handler>) -> Registration {
        match self {
            Self::Address(address) => bus.register(address, handler),
            Self::Pattern(pattern) => bus.register_pattern(pattern, handler),
        }
    }

    /// What tells registrations apart, in memory of its own.
    pub(super) fn key(&self) -> (Address, bool) {
        match self {
            Self::Address(address) => (address.detached(), false),
            Self::Pattern(pattern) => (pattern.address().detached(), true),
        }
    }
}
