//! When an HTTP session has a receiver, waits for the next, and is over. Pure: time is passed in.
//!
//! ```text
//!           attach                 ended by us
//! (new) ------------> Attached ------------------> Waiting -- deadline --> Gone
//!                        |  ^                         |
//!                   lost |  +------- attach ----------+
//!                        v
//!                       Gone
//! ```

use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Attached,
    Waiting { until: Instant },
    Gone,
}

#[derive(Debug)]
pub(super) struct Life {
    state: State,
    disconnect_delay: Duration,
    is_opened: bool,
    /// The driver sleeps and will look again by itself.
    is_armed: bool,
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
    pub(super) fn new(disconnect_delay: Duration, now: Instant) -> Self {
        let state = State::Waiting {
            until: now + disconnect_delay,
        };
        Self {
            state,
            disconnect_delay,
            is_opened: false,
            is_armed: false,
        }
    }

    pub(super) fn attach(&mut self) -> Attach {
        match self.state {
            State::Attached => Attach::Busy,
            State::Gone => Attach::Gone,
            State::Waiting { .. } => {
                self.state = State::Attached;
                if std::mem::replace(&mut self.is_opened, true) {
                    Attach::Next
                } else {
                    Attach::First
                }
            }
        }
    }

    /// The server ended the response. True when the driver has to be told.
    pub(super) fn handle_ended(&mut self, now: Instant) -> bool {
        if self.state == State::Attached {
            self.state = State::Waiting {
                until: now + self.disconnect_delay,
            };
        }
        !self.is_armed
    }

    /// The network ended the response.
    pub(super) fn handle_lost(&mut self) {
        self.state = State::Gone;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let State::Waiting { until } = self.state
            && until <= now
        {
            self.state = State::Gone;
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// When to call [`Life::handle_timeout`]; the driver promises to.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let deadline = match self.state {
            State::Waiting { until } => Some(until),
            _ => None,
        };
        self.is_armed = deadline.is_some();
        deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_secs(5);

    fn attached(now: Instant) -> Life {
        let mut life = Life::new(DELAY, now);
        assert_eq!(life.attach(), Attach::First);
        life
    }

    #[test]
    fn a_second_receiver_is_refused_and_the_next_is_not_the_first() {
        let now = Instant::now();
        let mut life = attached(now);
        assert_eq!(life.attach(), Attach::Busy);
        life.handle_ended(now);
        assert_eq!(life.attach(), Attach::Next);
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
        assert_eq!(life.attach(), Attach::Gone);
    }

    #[test]
    fn with_a_receiver_it_does_not_end() {
        let now = Instant::now();
        let mut life = attached(now);
        assert_eq!(life.poll_timeout(), None);
        life.handle_timeout(now + DELAY * 10);
        assert!(!life.is_gone());
    }

    #[test]
    fn each_receiver_restarts_the_delay() {
        let now = Instant::now();
        let mut life = attached(now);
        life.handle_ended(now);
        life.attach();
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
    fn a_sleeping_driver_is_not_told() {
        let now = Instant::now();
        let mut life = attached(now);
        assert_eq!(life.poll_timeout(), None);
        assert!(life.handle_ended(now));
        life.poll_timeout();
        life.attach();
        assert!(!life.handle_ended(now));
    }
}
