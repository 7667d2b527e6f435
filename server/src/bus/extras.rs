//! Which of the costlier features are in use: one relaxed load per message tells.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The features in use at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extras(u8);

impl Extras {
    pub(super) const PATTERNS: Self = Self(1);
    pub(super) const OUTBOUND: Self = Self(2);
    pub(super) const INBOUND: Self = Self(4);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn intercepts(self) -> bool {
        self.has(Self(Self::OUTBOUND.0 | Self::INBOUND.0))
    }
}

/// The switch itself. Whoever turns one on or off holds the lock of what it stands for, so that
/// it always tells whether that is empty.
#[derive(Debug, Default)]
pub(super) struct Switch(AtomicU8);

impl Switch {
    pub(super) fn load(&self) -> Extras {
        Extras(self.0.load(Relaxed))
    }

    pub(super) fn set(&self, extra: Extras, is_used: bool) {
        if is_used {
            self.0.fetch_or(extra.0, Relaxed);
        } else {
            self.0.fetch_and(!extra.0, Relaxed);
        }
    }
}
