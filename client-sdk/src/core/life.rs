//! The page goes and comes back, and so does the network.

use core::time::Duration;

use trolleybus_protocol::codes::Close;

use super::connection::{Connection, Phase};
use super::outbox::Parcel;

/// How long a server may take to show that it lives, when it is asked.
const ANSWER_PATIENCE: u64 = 5000;
/// A server that was heard this long ago need not be asked.
const HEARD: u64 = 1000;

impl Connection {
    /// The page goes, or is frozen: says what waits, closes the connection, and waits for
    /// [`Connection::resume`]. Without attempts to come it is the end.
    pub fn suspend(&mut self) {
        if let Phase::Closed = self.phase {
            return;
        }
        self.flush();
        let (code, reason) = (1001, "the page went away");
        if !self.has_another_attempt() {
            return self.end(code, reason);
        }
        self.drop_link(code, reason);
        self.wait_until(u64::MAX, Duration::MAX);
    }

    /// The page, or the network, is there again, or somebody looks at the page. A connection that
    /// is waited for is opened at once, unless the server asked for time. One that stands has to
    /// show that it does, where the server is known to acknowledge registrations.
    pub fn resume(&mut self, now: u64) {
        self.is_offline = false;
        self.handle_timeout(now);
        let busy = [Close::DRAINING, Close::RATE_LIMITED, Close::TOO_MANY_CONNECTIONS];
        let is_busy = busy.iter().any(|close| close.code == self.last_close.0);
        match &mut self.phase {
            Phase::Waiting { .. } if !is_busy => self.start_attempt(now),
            Phase::Open(opened)
                if self.receipts_known
                    && opened.answer_by == u64::MAX
                    && now >= opened.heard_at + HEARD =>
            {
                opened.answer_by = now + ANSWER_PATIENCE;
                let (_, text) = self.question(now + ANSWER_PATIENCE);
                self.outbox.push_control(Parcel::Control(None), text);
            }
            _ => {}
        }
    }

    /// The machine that this runs on has no network. What stands is left alone; attempts, which
    /// are made all the same, as far apart as can be, do not count.
    pub fn handle_offline(&mut self) {
        self.is_offline = true;
    }

    pub(super) fn has_another_attempt(&self) -> bool {
        self.options.reconnect.attempts_max != Some(0)
    }
}
