//! A part of a task with a waker of its own, which is polled only when it was woken itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Timers and signals, which seldom wake a task that is woken for something else all the time; or all
/// of a connection but its outbox.
#[derive(Debug, Default)]
pub(crate) struct Apart(Option<Arc<Bell>>);

impl Apart {
    /// What to poll with, if anything that was polled with it before has been woken, and the first
    /// time. Who is given it polls until that is pending.
    pub(crate) fn due(&mut self, cx: &Context<'_>) -> Option<Waker> {
        match &self.0 {
            Some(bell) if bell.task.will_wake(cx.waker()) => {
                bell.has_rung().then(|| recognizable(bell))
            }
            _ => Some(self.waker(cx)),
        }
    }

    /// The same, due or not.
    pub(crate) fn waker(&mut self, cx: &Context<'_>) -> Waker {
        let bell = self.0.take().filter(|bell| bell.task.will_wake(cx.waker()));
        let ring = || Bell { has_rung: AtomicBool::default(), task: cx.waker().clone() };
        recognizable(self.0.insert(bell.unwrap_or_else(|| Arc::new(ring()))))
    }

    /// Polls if it is due.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.due(cx).map_or(Poll::Pending, |waker| poll(&mut Context::from_waker(&waker)))
    }

    /// It is due next time.
    pub(crate) fn look_again(&self) {
        if let Some(bell) = &self.0 {
            bell.has_rung.store(true, Ordering::Relaxed);
        }
    }
}

/// A waker of which [`Waker::will_wake`] knows its clones. That compares the addresses of tables, and
/// the first waker's may be another than that of its clones, which have one in common.
pub(crate) fn recognizable<W: Wake + Send + Sync + 'static>(wakes: &Arc<W>) -> Waker {
    Waker::from(Arc::clone(wakes)).clone()
}

#[derive(Debug)]
struct Bell {
    has_rung: AtomicBool,
    task: Waker,
}

impl Bell {
    fn has_rung(&self) -> bool {
        self.has_rung.load(Ordering::Relaxed) && self.has_rung.swap(false, Ordering::Acquire)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll::{Pending, Ready};

    use super::*;

    #[test]
    fn only_what_was_woken_is_polled_again() {
        let task = Bell { has_rung: AtomicBool::default(), task: Waker::noop().clone() };
        let task = recognizable(&Arc::new(task));
        let (mut apart, cx) = (Apart::default(), Context::from_waker(&task));
        let mut kept = None;
        assert!(
            apart
                .poll(&cx, |cx| {
                    kept = Some(cx.waker().clone());
                    Pending::<()>
                })
                .is_pending()
        );
        assert_eq!(apart.poll(&cx, |_| Ready(1)), Pending);
        kept.iter().for_each(Waker::wake_by_ref);
        assert_eq!(apart.poll(&cx, |_| Ready(2)), Ready(2));
        assert_eq!(apart.poll(&cx, |_| Ready(3)), Pending);
        apart.look_again();
        assert_eq!(apart.poll(&cx, |_| Ready(4)), Ready(4));
    }
}
