//! The connection as the page shows it.

use super::clock::Moment;

/// The connection's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Link {
    #[default]
    Connecting,
    Open {
        transport: &'static str,
    },
    /// The next attempt starts at `until`.
    Waiting {
        attempt: u32,
        until: Moment,
    },
    Closed {
        code: u16,
        reason: String,
    },
}

impl Link {
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Open { .. } => "open",
            Self::Waiting { .. } => "waiting",
            Self::Closed { .. } => "closed",
        }
    }

    /// The transport in use, or a dash.
    pub(crate) fn transport(&self) -> &'static str {
        match self {
            Self::Open { transport } => transport,
            _ => "\u{2013}",
        }
    }
}
