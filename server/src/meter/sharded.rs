//! Counters in several copies, so that threads that count at the same time do not fight for one
//! cache line.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::available_parallelism;

/// More copies than this are not made, however many processors there are.
const MOST: usize = 64;

/// Several copies of `T`, each in cache lines of its own. A thread always gets the same copy.
#[derive(Debug)]
pub struct Sharded<T>(Box<[Apart<T>]>);

/// Two lines: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T: Default> Sharded<T> {
    /// As many copies as there are processors.
    #[must_use]
    pub fn new() -> Self {
        Self::with(T::default)
    }
}

impl<T> Sharded<T> {
    /// As many copies as there are processors, each made by a call.
    pub fn with(make: impl Fn() -> T) -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        let copies = processors.next_power_of_two().min(MOST);
        Self((0..copies).map(|_| Apart(make())).collect())
    }
}

impl<T: Default> Default for Sharded<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Sharded<T> {
    /// The copy of this thread.
    #[inline]
    pub fn here(&self) -> &T {
        &self.0[thread_number() & (self.0.len() - 1)].0
    }

    /// All copies, to be added up.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|copy| &copy.0)
    }
}

/// Threads in the order in which they first counted something.
#[inline]
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(NEXT.fetch_add(1, Relaxed));
        }
        number.get()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let counts = Sharded::<AtomicU64>::new();
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counts.here().fetch_add(1, Relaxed);
                    }
                });
            }
        });
        assert_eq!(counts.iter().map(|count| count.load(Relaxed)).sum::<u64>(), 5000);
    }

    #[test]
    fn a_thread_keeps_its_copy() {
        let counts = Sharded::<AtomicU64>::new();
        assert!(std::ptr::eq(counts.here(), counts.here()));
    }
}
