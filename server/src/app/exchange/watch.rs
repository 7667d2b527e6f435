//! What becomes of a connection when time passes: parked while it is quiet, cut when no request comes.

use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFuture;

use super::{Exchange, Stage};
use crate::sockjs::{Apart, Waiting};

/// How long a poll waits before it is parked, unless its connection was busy just before.
const QUIET: Duration = Duration::from_millis(20);
/// How long a connection goes without a request before it is parked, and at most twice that.
pub(super) const CALM: Duration = Duration::from_millis(250);
/// So many changes within one time of the clock are a busy connection's; a request is three.
const BUSY: u32 = 8;

/// What there is to be done.
pub(super) enum Found {
    /// There is no request, and nothing is left of the last.
    Calm,
    /// A poll has to wait.
    Quiet(Waiting),
    /// The head of a request has not been whole in time.
    Late,
    /// The server stops; told once.
    Stop,
}

/// Looks after a connection beside hyper, and costs nothing while nothing is to be found.
pub(super) struct Watch<'a> {
    exchange: &'a Exchange,
    clock: Clock,
    stopping: Option<Pin<Box<WaitForCancellationFuture<'a>>>>,
    apart: Apart,
}

impl<'a> Watch<'a> {
    pub(super) fn new(exchange: &'a Exchange) -> Self {
        let stopping = Some(Box::pin(exchange.serving.stop.cancelled()));
        Self { exchange, clock: Clock::default(), stopping, apart: Apart::default() }
    }

    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Found> {
        let Self { exchange, clock, stopping, apart } = self;
        if clock.is_due(exchange) {
            apart.look_again();
        }
        apart.poll(cx, |cx| {
            if let Poll::Ready(found) = clock.poll(exchange, cx) {
                return Poll::Ready(found);
            }
            if let Some(it) = stopping {
                ready!(it.as_mut().poll(cx));
                *stopping = None;
                return Poll::Ready(Found::Stop);
            }
            Poll::Pending
        })
    }
}

/// One timer, which serves all the requests that come before it rings. Only then it is looked at
/// whether anything has changed, so all may take a moment longer, and no request needs a timer.
#[derive(Default)]
struct Clock {
    timer: Option<Pin<Box<Sleep>>>,
    /// What it was set for.
    after: Duration,
    /// Whether it rings when the head of a request is late; else it rings after a moment.
    is_for_head: bool,
    /// What the changes were when it was set; none before.
    changes: Option<u32>,
    is_busy: bool,
}

impl Clock {
    /// Whether the timer is to be set.
    fn is_due(&self, exchange: &Exchange) -> bool {
        let is_too_late = || self.changes_since(exchange) > 0 && self.after > self.moment(exchange);
        exchange.is_idle() && (self.timer.is_none() || is_too_late())
    }

    fn moment(&self, exchange: &Exchange) -> Duration {
        let may_wait = self.is_busy || !exchange.is_at(Stage::Waiting);
        if may_wait { CALM } else { QUIET }.min(exchange.serving.limits.header_timeout)
    }

    fn poll(&mut self, exchange: &Exchange, cx: &mut Context<'_>) -> Poll<Found> {
        let for_head = exchange.serving.limits.header_timeout;
        loop {
            if self.is_due(exchange) {
                let is_first = self.changes.is_none() && exchange.is_at(Stage::Awaited);
                let after = if is_first { for_head } else { self.moment(exchange) };
                self.set(after, is_first, exchange);
            }
            let Some(timer) = &mut self.timer else { return Poll::Pending };
            ready!(timer.as_mut().poll(cx));
            let changes = self.changes_since(exchange);
            self.is_busy = changes >= BUSY;
            if changes > 0 {
                self.timer = None;
                continue;
            }
            if let Some(waiting) = exchange.take_waiting() {
                return Poll::Ready(Found::Quiet(waiting));
            }
            let (is_answered, is_blocked) =
                (exchange.is_at(Stage::Answered), exchange.backlog.is_there());
            if is_answered {
                // Once for each answer: whoever sends bytes of a request has no further rest before
                // it is whole.
                exchange.enter(Stage::Awaited);
            }
            match (is_answered, is_blocked) {
                (true, false) => return Poll::Ready(Found::Calm),
                (false, false) if self.is_for_head => return Poll::Ready(Found::Late),
                (false, false) => {
                    self.set(for_head.saturating_sub(self.after), true, exchange);
                }
                // A peer that does not read is cut off by the kernel.
                (_, true) => self.set(for_head, true, exchange),
            }
        }
    }

    fn changes_since(&self, exchange: &Exchange) -> u32 {
        let changes = exchange.changes.load(Relaxed);
        changes.wrapping_sub(self.changes.unwrap_or(changes))
    }

    fn set(&mut self, after: Duration, is_for_head: bool, exchange: &Exchange) {
        (self.after, self.is_for_head) = (after, is_for_head);
        self.changes = Some(exchange.changes.load(Relaxed));
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(Instant::now() + after),
            none => *none = Some(Box::pin(sleep(after))),
        }
    }
}
