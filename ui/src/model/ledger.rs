//! The loss ledger: what became of all that was sent since the page was opened.

/// Counts. Every word sent is answered, failed or pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ledger {
    pub(crate) sent: u32,
    pub(crate) answered: u32,
    pub(crate) failed: u32,
    /// Answers that came a second time from the same server.
    pub(crate) duplicates: u32,
}

impl Ledger {
    pub(crate) const fn pending(self) -> u32 {
        self.sent - self.answered - self.failed
    }
}
