//! When an HTTP session has a receiver, waits for the next, owes a heartbeat, and is over. Pure: time
//! is passed in.
//!
//! ```text
//!           attach                 ended by us
//! (new) ------------> Attached ------------------> Waiting -- deadline --> Gone
//!                        |  ^                         |
//!                   lost |  +------- attach ----------+
//!                        v
//!                       Gone
//! ```
//!
//! A receiver that does not fetch the close frame within the close timeout counts as lost. One that
//! stays is owed a heartbeat after each interval; its driver keeps the time for it, because most
//! receivers of a polling client go long before.

use std::time::{Duration, Instant};

/// The disconnect delay while the service drains.
const DRAIN_DELAY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Attached { heartbeat: Instant },
    Waiting { until: Instant },
    Gone,
}

#[derive(Debug)]
pub(super) struct Life {
    state: State,
    times: Times,
    /// The service has closed; an attached receiver has to end by then.
    close_by: Option<Instant>,
    is_opened: bool,
    /// The driver sleeps and will look again by itself then.
    looks_at: Option<Instant>,
}

/// How long what takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) heartbeat_interval: Duration,
    pub(super) disconnect_delay: Duration,
    pub(super) close_timeout: Duration,
}

/// What a request for the receiver's place was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attach {
    /// It is the first of the session and owes the client the open frame.
    First,
    Next,
    /// Another one is there.
    Busy,
    /// The session is over.
    Gone,
}

impl Life {
    pub(super) fn new(times: Times, now: Instant) -> Self {
        Self {
            state: State::Waiting { until: now + times.disconnect_delay },
            times,
            close_by: None,
            is_opened: false,
            looks_at: None,
        }
    }

    pub(super) fn attach(&mut self, now: Instant) -> Attach {
        match self.state {
            State::Attached { .. } => Attach::Busy,
            State::Gone => Attach::Gone,
            State::Waiting { .. } => {
                self.state = State::Attached { heartbeat: now + self.times.heartbeat_interval };
                self.close_by = self.close_by.map(|_| now + self.times.close_timeout);
                if std::mem::replace(&mut self.is_opened, true) {
                    Attach::Next
                } else {
                    Attach::First
                }
            }
        }
    }

    /// The server ended the response.
    pub(super) fn handle_ended(&mut self, now: Instant) {
        if let State::Attached { .. } = self.state {
            self.state = State::Waiting { until: now + self.times.disconnect_delay };
        }
    }

    /// Whether the driver has to be told, because it would look too late.
    pub(super) fn is_ahead_of_driver(&self) -> bool {
        self.deadline().is_some_and(|deadline| self.looks_at.is_none_or(|then| deadline < then))
    }

    /// The network ended the response.
    pub(super) fn handle_lost(&mut self) {
        self.state = State::Gone;
    }

    /// The whole service closes: clients that are there fetch the news at once, and those that are
    /// not will not come.
    pub(super) fn handle_drain(&mut self, now: Instant) {
        self.times.disconnect_delay = self.times.disconnect_delay.min(DRAIN_DELAY);
        if let State::Waiting { until } = &mut self.state {
            *until = (*until).min(now + self.times.disconnect_delay);
        }
    }

    /// The service has closed.
    pub(super) fn handle_close(&mut self, now: Instant) {
        self.close_by = Some(now + self.times.close_timeout);
    }

    /// True when the receiver is owed a heartbeat.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Waiting { until } if *until <= now => self.state = State::Gone,
            State::Attached { .. } if self.close_by.is_some_and(|by| by <= now) => {
                self.state = State::Gone;
            }
            State::Attached { heartbeat } if *heartbeat <= now => {
                *heartbeat = now + self.times.heartbeat_interval;
                return true;
            }
            _ => {}
        }
        false
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until } => Some(until),
            State::Attached { heartbeat } => {
                Some(self.close_by.map_or(heartbeat, |by| by.min(heartbeat)))
            }
            State::Gone => None,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// When to call [`Life::handle_timeout`]; the driver promises to.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.looks_at = self.deadline();
        self.looks_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(5);
    const CLOSE: Duration = Duration::from_secs(3);
    const HEARTBEAT: Duration = Duration::from_secs(25);
    const TIMES: Times =
        Times { heartbeat_interval: HEARTBEAT, disconnect_delay: DELAY, close_timeout: CLOSE };

    fn attached(now: Instant) -> Life {
        let mut life = Life::new(TIMES, now);
        assert_eq!(life.attach(now), Attach::First);
        life
    }

    #[test]
    fn draining_shortens_the_wait_for_the_next_receiver() {
        let now = Instant::now();
        let mut life = attached(now);
        life.handle_ended(now);
        life.handle_drain(now);
        assert_eq!(life.poll_timeout(), Some(now + DRAIN_DELAY));
        assert_eq!(life.attach(now), Attach::Next);
        life.handle_ended(now + CLOSE);
        assert_eq!(life.poll_timeout(), Some(now + CLOSE + DRAIN_DELAY));
    }

    #[test]
    fn a_second_receiver_is_refused_and_the_next_is_not_the_first() {
        let now = Instant::now();
        let mut life = attached(now);
        assert_eq!(life.attach(now), Attach::Busy);
        life.handle_ended(now);
        assert_eq!(life.attach(now), Attach::Next);
    }

    #[test]
    fn without_a_receiver_it_ends_after_the_delay() {
        let now = Instant::now();
        let mut life = attached(now);
        life.handle_ended(now);
        assert_eq!(life.poll_timeout(), Some(now + DELAY));
        life.handle_timeout(now + DELAY - Duration::from_millis(1));
        assert!(!life.is_gone());
        life.handle_timeout(now + DELAY);
        assert_eq!(life.attach(now), Attach::Gone);
    }

    #[test]
    fn with_a_receiver_it_does_not_end() {
        let now = Instant::now();
        let mut life = attached(now);
        assert_eq!(life.poll_timeout(), Some(now + HEARTBEAT));
        life.handle_timeout(now + DELAY * 10);
        assert!(!life.is_gone());
    }

    #[test]
    fn a_receiver_is_owed_a_heartbeat_after_each_interval() {
        let now = Instant::now();
        let mut life = attached(now);
        assert!(!life.handle_timeout(now + HEARTBEAT - Duration::from_millis(1)));
        assert!(life.handle_timeout(now + HEARTBEAT));
        assert!(!life.handle_timeout(now + HEARTBEAT));
        assert_eq!(life.poll_timeout(), Some(now + HEARTBEAT * 2));
        life.handle_ended(now + HEARTBEAT);
        life.attach(now + HEARTBEAT + DELAY / 2);
        assert!(!life.handle_timeout(now + HEARTBEAT * 2));
        assert!(life.handle_timeout(now + HEARTBEAT * 2 + DELAY / 2));
    }

    #[test]
    fn each_receiver_restarts_the_delay() {
        let now = Instant::now();
        let mut life = attached(now);
        life.handle_ended(now);
        life.attach(now);
        life.handle_ended(now + DELAY / 2);
        life.handle_timeout(now + DELAY);
        assert!(!life.is_gone());
        assert_eq!(life.poll_timeout(), Some(now + DELAY / 2 + DELAY));
    }

    #[test]
    fn a_lost_receiver_ends_it_at_once() {
        let mut life = attached(Instant::now());
        life.handle_lost();
        assert!(life.is_gone());
    }

    #[test]
    fn a_receiver_that_does_not_fetch_the_close_is_lost() {
        let now = Instant::now();
        let mut life = attached(now);
        life.handle_close(now);
        assert_eq!(life.poll_timeout(), Some(now + CLOSE));
        life.handle_timeout(now + CLOSE);
        assert!(life.is_gone());
    }

    #[test]
    fn each_receiver_has_time_to_fetch_the_close() {
        let now = Instant::now();
        let mut life = attached(now);
        life.handle_close(now);
        life.handle_ended(now);
        assert_eq!(life.attach(now + CLOSE * 2), Attach::Next);
        life.handle_timeout(now + CLOSE * 2);
        assert!(!life.is_gone());
    }

    #[test]
    fn a_driver_that_looks_in_time_is_not_told() {
        let now = Instant::now();
        let mut life = attached(now);
        assert!(life.is_ahead_of_driver());
        life.poll_timeout();
        assert!(!life.is_ahead_of_driver());
        life.handle_ended(now);
        assert!(life.is_ahead_of_driver());
        life.poll_timeout();
        life.attach(now);
        life.handle_ended(now);
        assert!(!life.is_ahead_of_driver());
    }
}
