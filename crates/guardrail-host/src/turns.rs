//! Whose turn it is: so many evaluations at the same time, so many that wait, and one more is told that the host is
//! busy. Knows nothing of guests. [`crate::evaluate`] takes a turn for each evaluation.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::Limits;

/// The turns of one host.
pub(crate) struct Turns {
    slots: Semaphore,
    waiting: AtomicUsize,
    /// How many may wait.
    may_wait: usize,
}

impl Turns {
    pub(crate) fn new(limits: &Limits) -> Self {
        let slots = usize::try_from(limits.concurrent_evaluations)
            .unwrap_or(usize::MAX)
            .clamp(1, Semaphore::MAX_PERMITS);
        Self {
            slots: Semaphore::new(slots),
            waiting: AtomicUsize::new(0),
            may_wait: limits.waiting_evaluations,
        }
    }

    /// A turn, held until it is dropped; `None` when too many wait already.
    pub(crate) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(permit) = self.slots.try_acquire() {
            return Some(permit);
        }
        let _waiting = Waiting::among(&self.waiting, self.may_wait)?;
        // The semaphore is never closed.
        self.slots.acquire().await.ok()
    }

    /// Turns that nobody has.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.slots.available_permits()
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        (before < limit).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_queue_is_given_back() {
        let waiting = AtomicUsize::new(0);
        let first = Waiting::among(&waiting, 1);
        assert!(first.is_some());
        assert!(Waiting::among(&waiting, 1).is_none());
        drop(first);
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
        assert!(Waiting::among(&waiting, 1).is_some());
    }

    #[tokio::test]
    async fn one_more_than_may_run_waits_and_one_more_than_may_wait_is_refused() {
        let (concurrent_evaluations, waiting_evaluations) = (2, 1);
        let limits = Limits { concurrent_evaluations, waiting_evaluations, ..Limits::default() };
        let turns = Turns::new(&limits);
        let (first, second) = (turns.take().await, turns.take().await);
        assert!(first.is_some() && second.is_some());
        let mut third = std::pin::pin!(turns.take());
        tokio::select! {
            biased;
            _ = &mut third => panic!("there is no turn for a third"),
            () = tokio::task::yield_now() => {}
        }
        assert!(turns.take().await.is_none(), "a fourth is refused at once");
        drop(first);
        assert!(third.await.is_some(), "the third had its turn");
        drop(second);
        assert_eq!(turns.free(), 2, "every turn came back");
    }
}
