//! Registrations: what is registered, and the guard that ends it.

use std::fmt;
use std::sync::Arc;

use trolleybus_protocol::{Address, Pattern};

use super::entry::HandlerId;
use super::near::Near;

/// What a handler is registered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Address(Address),
    Pattern(Arc<Pattern>),
}

impl Target {
    /// The address, or the pattern's text.
    pub(super) fn address(&self) -> &Address {
        match self {
            Self::Address(address) => address,
            Self::Pattern(pattern) => pattern.address(),
        }
    }

    pub(super) fn is_pattern(&self) -> bool {
        matches!(self, Self::Pattern(_))
    }
}

/// A registration on the bus. It ends when this is dropped.
#[must_use = "the registration ends when this is dropped"]
pub struct Registration {
    bus: Near,
    target: Target,
    id: HandlerId,
}

impl Registration {
    pub(super) fn new(bus: Near, target: Target, id: HandlerId) -> Self {
        Self { bus, target, id }
    }

    /// The registered address, or the pattern's text.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.target.address()
    }

    /// Whether that is a pattern.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        self.target.is_pattern()
    }

    pub(super) fn bus(&self) -> &Near {
        &self.bus
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.bus.unregister(&self.target, self.id);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(self.address()).finish()
    }
}
