//! When something is due on a socket; pure: time is passed in.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What has to be done about a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// No ping came within the ping timeout.
    Idle,
    /// The token that it showed has expired.
    Expired,
    /// It still owes the token that is required.
    NotLoggedIn,
}

/// The times of one socket. Pings are looked for once in a ping timeout.
#[derive(Debug)]
pub(super) struct Clock {
    ping_timeout: Duration,
    last_ping: Instant,
    next_check: Instant,
    log_in_by: Option<Instant>,
    expires: Option<Instant>,
    /// While the client is over its rate it is not read.
    paused_until: Option<Instant>,
}

impl Clock {
    pub(super) fn new(now: Instant, ping_timeout: Duration) -> Self {
        let next_check = now + ping_timeout;
        Self {
            ping_timeout,
            last_ping: now,
            next_check,
            log_in_by: None,
            expires: None,
            paused_until: None,
        }
    }

    pub(super) fn handle_ping(&mut self, now: Instant) {
        self.last_ping = now;
    }

    /// A token has to be shown by then, or not at all any more.
    pub(super) fn expect_login(&mut self, by: Option<Instant>) {
        self.log_in_by = by;
    }

    /// The token that counts holds until then.
    pub(super) fn expire_at(&mut self, now: Instant, until: Option<SystemTime>) {
        let left = |until: SystemTime| until.duration_since(SystemTime::now()).unwrap_or_default();
        self.expires = until.and_then(|until| now.checked_add(left(until)));
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        let others = [self.log_in_by, self.expires, self.paused_until];
        others.into_iter().flatten().fold(self.next_check, Instant::min)
    }

    /// What is due by now; the ping check is due once in a ping timeout.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if self.has_expired(now) {
            return Due::Expired;
        }
        if self.log_in_by.is_some_and(|by| by <= now) {
            return Due::NotLoggedIn;
        }
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            // Its pings may wait among what was not read.
            self.last_ping = now;
        }
        if now < self.next_check {
            return Due::Nothing;
        }
        self.next_check = now + self.ping_timeout;
        if now.duration_since(self.last_ping) >= self.ping_timeout {
            Due::Idle
        } else {
            Due::Nothing
        }
    }

    /// Nothing of the client is read until then.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = Some(until);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    pub(super) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    pub(super) fn has_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_socket_is_idle_after_one_to_two_ping_timeouts() {
        let start = Instant::now();
        let mut clock = Clock::new(start, SECOND);
        assert_eq!(clock.next(), start + SECOND);
        clock.handle_ping(start + SECOND / 2);
        assert_eq!(clock.handle_timeout(start + SECOND), Due::Nothing);
        assert_eq!(clock.handle_timeout(start + SECOND * 3 / 2), Due::Nothing);
        assert_eq!(clock.handle_timeout(start + 2 * SECOND), Due::Idle);
    }

    #[test]
    fn a_token_is_due_by_the_grace_period_and_ends_at_its_expiry() {
        let start = Instant::now();
        let mut clock = Clock::new(start, 60 * SECOND);
        clock.expect_login(Some(start + SECOND));
        assert_eq!(clock.next(), start + SECOND);
        assert_eq!(clock.handle_timeout(start + SECOND / 2), Due::Nothing);
        assert_eq!(clock.handle_timeout(start + SECOND), Due::NotLoggedIn);
        clock.expect_login(None);
        clock.expire_at(start, Some(SystemTime::now() + 10 * SECOND));
        assert!(clock.next() <= start + 10 * SECOND && clock.next() > start + 9 * SECOND);
        assert_eq!(clock.handle_timeout(start + 9 * SECOND), Due::Nothing);
        assert_eq!(clock.handle_timeout(start + 10 * SECOND), Due::Expired);
        clock.expire_at(start, Some(SystemTime::now() + Duration::from_secs(u64::MAX / 4)));
        assert_eq!(clock.handle_timeout(start + 10 * SECOND), Due::Nothing);
    }
}
