//! A part of a task with a waker of its own: the task is woken all the same, and knows whether that
//! part has news.
//!
//! Most polls of a connection bring it a message to write. Looking for input and asking the service
//! then cost more than the message.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// One part.
pub(super) struct Part(Arc<Signal>);

struct Signal {
    has_news: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_news.store(true, Release);
        self.task.wake();
    }
}

impl Part {
    /// A part that wants to be looked at for the first time.
    pub(super) fn new() -> Self {
        let (has_news, task) = (AtomicBool::new(true), AtomicWaker::new());
        Self(Arc::new(Signal { has_news, task }))
    }

    /// Says whom news wake. To be called in each poll, before it is asked for news.
    pub(super) fn belong_to(&self, task: &Waker) {
        self.0.task.register(task);
    }

    /// Whether there is news since this was asked last. Who is told so looks at the part until that
    /// is pending.
    pub(super) fn has_news(&self) -> bool {
        self.0.has_news.swap(false, AcqRel)
    }

    /// What the part is polled with: always the same one, as far as `Waker::will_wake` can tell.
    pub(super) fn waker(&self) -> Waker {
        Arc::clone(&self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn news_wake_the_task_and_are_told_once() {
        let (part, woken) = (Part::new(), Arc::new(Woken::default()));
        let task = Waker::from(Arc::clone(&woken));
        part.belong_to(&task);
        assert!(part.has_news(), "nobody has looked yet");
        assert!(!part.has_news());
        part.waker().wake();
        assert_eq!(woken.0.load(Relaxed), 1);
        part.belong_to(&task);
        assert!(part.has_news());
        assert!(!part.has_news());
        assert!(part.waker().will_wake(&part.waker()));
    }

    #[test]
    fn whoever_polls_last_is_woken() {
        let (part, first, second) =
            (Part::new(), Arc::new(Woken::default()), Arc::new(Woken::default()));
        part.belong_to(&Waker::from(Arc::clone(&first)));
        part.belong_to(&Waker::from(Arc::clone(&second)));
        part.waker().wake();
        assert_eq!((first.0.load(Relaxed), second.0.load(Relaxed)), (0, 1));
    }
}
