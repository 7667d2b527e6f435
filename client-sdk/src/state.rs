//! Where a client's connection stands.

use alloc::string::String;
use core::time::Duration;

use crate::Transport;

/// Where the connection stands. A client goes from `Connecting` to `Open`, from there through
/// `Waiting` and `Connecting` to `Open` again, and at last to `Closed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// An attempt is under way: `/info` is being asked, or a transport tried.
    Connecting,
    /// Messages flow.
    Open {
        /// The transport in use.
        transport: Transport,
    },
    /// The connection was lost, or no transport worked; the next attempt waits for its time.
    Waiting {
        /// The number of the attempt to come, from 1.
        attempt: u32,
        /// How long it waits, from the moment when this state began; at most, because it may be
        /// hastened when the network comes back. [`Duration::MAX`] while the page is away.
        retry_in: Duration,
    },
    /// The end: closed by the application, by the server with a code that forbids another
    /// attempt, or after the last attempt allowed.
    Closed {
        /// The SockJS close code; 1000 when the application closed.
        code: u16,
        /// A text for people.
        reason: String,
    },
}

impl State {
    /// True while messages flow.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// True at the end; the client never connects again.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// The transport in use, while open.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        match self {
            Self::Open { transport } => Some(*transport),
            _ => None,
        }
    }
}
