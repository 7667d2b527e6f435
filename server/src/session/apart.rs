//! Futures that stand beside another in a task and are polled only when they themselves were woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Timers and signals, which seldom wake a task that is woken for something else all the time.
#[derive(Debug, Default)]
pub(crate) struct Apart(Option<(Arc<Bell>, Waker)>);

impl Apart {
    /// Polls if one of those that were polled here before has been woken, and the first time.
    pub(crate) fn poll<T>(
        &mut self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if let Some((bell, waker)) = &self.0
            && bell.task.will_wake(cx.waker())
        {
            if !bell.has_rung() {
                return Poll::Pending;
            }
            return poll(&mut Context::from_waker(waker));
        }
        let bell = Arc::new(Bell { has_rung: AtomicBool::default(), task: cx.waker().clone() });
        let waker = recognizable(&bell);
        let (_, waker) = self.0.insert((bell, waker));
        poll(&mut Context::from_waker(waker))
    }

    /// The next [`Apart::poll`] does poll.
    pub(crate) fn look_again(&self) {
        if let Some((bell, _)) = &self.0 {
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
