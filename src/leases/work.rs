//! Who works on which lease right now, so that a revocation and the reaper never run the same one
//! twice, and who comes second gets the first one's result; and how many the reaper works on in each
//! account. In memory only: after a crash nobody works on anything, and the rows say what is to be done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::teardown::Trouble;
use crate::model::LeaseId;

/// What a piece of work came to: nothing in the way, or what.
pub(super) type Outcome = Option<Trouble>;

/// The leases that are being worked on.
#[derive(Debug)]
pub(super) struct Claims {
    held: Arc<Mutex<HashMap<LeaseId, watch::Receiver<Option<Outcome>>>>>,
    /// Woken whenever work ends.
    wake: Arc<Notify>,
}

/// The answer to a claim.
#[derive(Debug)]
pub(super) enum Claim {
    /// Go ahead.
    Mine(Work),
    /// Somebody else is at it.
    Busy(Waiter),
}

impl Claims {
    pub(super) fn new(wake: Arc<Notify>) -> Self {
        Self { held: Arc::default(), wake }
    }

    /// How many leases are being worked on.
    pub(super) fn count(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Those that are being worked on, in no order.
    pub(super) fn ids(&self) -> Vec<LeaseId> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Takes a lease to work on, if nobody has it.
    pub(super) fn claim(&self, id: &LeaseId) -> Claim {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = held.get(id) {
            return Claim::Busy(Waiter(outcome.clone()));
        }
        let (outcome, waiter) = watch::channel(None);
        held.insert(id.clone(), waiter);
        let (held, wake) = (Arc::clone(&self.held), Arc::clone(&self.wake));
        Claim::Mine(Work { id: id.clone(), held, wake, outcome })
    }
}

/// The right to work on a lease, until it is dropped.
#[derive(Debug)]
pub(super) struct Work {
    id: LeaseId,
    held: Arc<Mutex<HashMap<LeaseId, watch::Receiver<Option<Outcome>>>>>,
    wake: Arc<Notify>,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Work {
    pub(super) fn id(&self) -> &LeaseId {
        &self.id
    }

    /// A step was made, and came to this.
    pub(super) fn finish(self, outcome: Outcome) {
        self.settle(Some(outcome));
    }

    /// The same; `None` where nothing was to be done, so that who waits has to look again.
    pub(super) fn settle(self, outcome: Option<Outcome>) {
        self.outcome.send_replace(outcome);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.wake.notify_one();
    }
}

/// Waits for somebody else's result.
#[derive(Debug)]
pub(super) struct Waiter(watch::Receiver<Option<Outcome>>);

impl Waiter {
    /// The result; `None` where the work ended without one.
    pub(super) async fn outcome(mut self) -> Option<Outcome> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone())
    }
}

/// How many of the reaper's passes may be under way in each account. Nothing is shared between accounts, so
/// that no number of leases in one can take anything from another.
#[derive(Debug)]
pub(super) struct Slots {
    each: usize,
    used: Arc<Mutex<HashMap<String, usize>>>,
}

impl Slots {
    pub(super) fn new(each: usize) -> Self {
        Self { each, used: Arc::default() }
    }

    /// A slot of the account, unless all of its own are taken.
    pub(super) fn take(&self, account: &str) -> Option<Slot> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = used.entry(account.to_owned()).or_default();
        if *taken >= self.each {
            return None;
        }
        *taken = taken.saturating_add(1);
        Some(Slot { account: account.to_owned(), used: Arc::clone(&self.used) })
    }
}

/// One pass in an account, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    account: String,
    used: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.get_mut(&self.account) {
            Some(taken) if *taken > 1 => *taken = taken.saturating_sub(1),
            Some(_) | None => drop(used.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> LeaseId {
        "aws/creds/r/abcdefghijklmnopqrstuvwx".parse().unwrap()
    }

    #[tokio::test]
    async fn who_comes_second_gets_the_first_ones_result() {
        let claims = Claims::new(Arc::default());
        let Claim::Mine(work) = claims.claim(&id()) else { panic!("free") };
        let Claim::Busy(waiter) = claims.claim(&id()) else { panic!("taken") };
        work.finish(None);
        assert_eq!(waiter.outcome().await, Some(None));
        assert!(matches!(claims.claim(&id()), Claim::Mine(_)));
    }

    #[test]
    fn an_account_that_takes_all_its_slots_takes_none_of_anothers() {
        let slots = Slots::new(2);
        let mut taken: Vec<Slot> = Vec::new();
        for account in ["a", "a", "a", "a", "b", "b", "b"] {
            taken.extend(slots.take(account));
        }
        let of = |account: &str| taken.iter().filter(|slot| slot.account == account).count();
        assert_eq!((of("a"), of("b")), (2, 2));
        drop(taken);
        assert!(slots.take("a").is_some() && slots.take("b").is_some());
        assert!(slots.used.lock().unwrap().is_empty(), "an account without a pass costs nothing");
    }

    #[tokio::test]
    async fn work_that_is_cut_short_has_no_result_and_frees_the_lease() {
        let claims = Claims::new(Arc::default());
        let Claim::Mine(work) = claims.claim(&id()) else { panic!("free") };
        let Claim::Busy(waiter) = claims.claim(&id()) else { panic!("taken") };
        drop(work);
        assert_eq!(waiter.outcome().await, None);
        assert!(matches!(claims.claim(&id()), Claim::Mine(_)));
    }
}
