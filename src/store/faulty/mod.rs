//! A store that fails on demand, for crash tests: the n-th write from now fails before or after it was
//! made durable, and with [`Fault::PowerLoss`] everything fails from then on, as for a process that was
//! killed. It never changes what a write does; what follows from it is the test's to look at.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Store, StoreError};

mod passing;

type Result<T> = std::result::Result<T, StoreError>;

/// When the chosen write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it is kept.
    BeforeCommit,
    /// It is durable, but its caller is told that it failed.
    AfterCommit,
}

/// What follows the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This write fails, the next works.
    Once(Moment),
    /// From this write on everything fails, reads too, until [`FaultyStore::power_on`].
    PowerLoss(Moment),
}

/// Passes everything to another store, except what it was told to spoil.
///
/// ```
/// # use leasehold::store::{Store, faulty::{Fault, FaultyStore, Moment}, sqlite::Sqlite};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let store = FaultyStore::new(Sqlite::temporary().unwrap());
/// store.spoil(2, Fault::PowerLoss(Moment::AfterCommit));
/// store.put_setting("a", b"1").await.unwrap();
/// store.put_setting("b", b"2").await.unwrap_err();
/// store.setting("a").await.unwrap_err();
/// assert_eq!(store.writes(), ["put_setting", "put_setting"]);
/// store.power_on();
/// assert_eq!(store.setting("b").await.unwrap().unwrap(), b"2");
/// # }
/// ```
pub struct FaultyStore<S: ?Sized> {
    plan: Mutex<Plan>,
    watch: OnceLock<Watch>,
    inner: Arc<S>,
}

/// Told of each write, by its method's name: before it begins, and once it is durable.
pub type Watch = Box<dyn Fn(&'static str, Moment) + Send + Sync>;

impl<S: std::fmt::Debug + ?Sized> std::fmt::Debug for FaultyStore<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStore").field("plan", &self.plan).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Plan {
    /// How many writes until the fault, 1 = the next; and the fault.
    fault: Option<(u64, Fault)>,
    dark: bool,
    writes: Vec<&'static str>,
}

/// What is to happen with one write.
enum Turn {
    Pass,
    Refuse,
    PassAndFail,
}

impl<S: Store + ?Sized> FaultyStore<S> {
    /// Around `inner`, without any fault yet.
    pub fn new(inner: Arc<S>) -> Arc<Self> {
        Arc::new(Self { plan: Mutex::default(), watch: OnceLock::new(), inner })
    }

    /// Around `inner`, telling `watch` of each write.
    pub fn watched(inner: Arc<S>, watch: Watch) -> Arc<Self> {
        let store = Self::new(inner);
        store.watch(watch);
        store
    }

    /// Tells `watch` of each write from now on; the first one that is given stays.
    pub fn watch(&self, watch: Watch) {
        self.watch.get_or_init(|| watch);
    }

    /// Spoils the n-th write from now, 1 = the next one. Replaces what was planned before.
    pub fn spoil(&self, nth: u64, fault: Fault) {
        self.plan().fault = Some((nth, fault));
    }

    /// Fails everything from now on.
    pub fn power_off(&self) {
        self.plan().dark = true;
    }

    /// Everything works again, without a plan: what a new process finds.
    pub fn power_on(&self) {
        let mut plan = self.plan();
        plan.dark = false;
        plan.fault = None;
    }

    /// Whether the power is off.
    pub fn is_dark(&self) -> bool {
        self.plan().dark
    }

    /// The writes that were asked for so far, spoilt ones included, by the names of the methods: tells
    /// a test how many steps there are to spoil.
    pub fn writes(&self) -> Vec<&'static str> {
        self.plan().writes.clone()
    }

    /// The store inside.
    pub fn inner(&self) -> &Arc<S> {
        &self.inner
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, method: &'static str, moment: Moment) {
        if let Some(watch) = self.watch.get() {
            watch(method, moment);
        }
    }

    fn read(&self) -> Result<()> {
        if self.plan().dark { Err(failed("the power is off")) } else { Ok(()) }
    }

    fn turn(&self, method: &'static str) -> Turn {
        let mut plan = self.plan();
        if plan.dark {
            return Turn::Refuse;
        }
        plan.writes.push(method);
        let Some((left, fault)) = plan.fault.take() else {
            return Turn::Pass;
        };
        if left > 1 {
            plan.fault = Some((left.saturating_sub(1), fault));
            return Turn::Pass;
        }
        plan.dark = matches!(fault, Fault::PowerLoss(_));
        match fault {
            Fault::Once(Moment::BeforeCommit) | Fault::PowerLoss(Moment::BeforeCommit) => {
                Turn::Refuse
            }
            Fault::Once(Moment::AfterCommit) | Fault::PowerLoss(Moment::AfterCommit) => {
                Turn::PassAndFail
            }
        }
    }

    async fn write<T>(
        &self,
        method: &'static str,
        write: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match self.turn(method) {
            Turn::Pass => {
                self.tell(method, Moment::BeforeCommit);
                let done = write.await?;
                self.tell(method, Moment::AfterCommit);
                // Nobody hears of a write that was under way when the power went.
                self.read().map(|()| done)
            }
            Turn::Refuse => Err(failed("made to fail before its commit")),
            Turn::PassAndFail => {
                write.await?;
                Err(failed("made to fail after its commit"))
            }
        }
    }
}

fn failed(why: &str) -> StoreError {
    StoreError::Failed(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::Sqlite;

    fn faulty() -> Arc<FaultyStore<Sqlite>> {
        FaultyStore::new(Sqlite::temporary().unwrap())
    }

    #[tokio::test]
    async fn a_write_that_fails_before_its_commit_left_nothing() {
        let store = faulty();
        store.spoil(1, Fault::Once(Moment::BeforeCommit));
        store.put_setting("a", b"1").await.unwrap_err();
        assert_eq!(store.setting("a").await.unwrap(), None);
        store.put_setting("a", b"2").await.unwrap();
        assert_eq!(store.setting("a").await.unwrap().unwrap(), b"2");
    }

    #[tokio::test]
    async fn a_write_that_fails_after_its_commit_is_there() {
        let store = faulty();
        store.spoil(2, Fault::Once(Moment::AfterCommit));
        store.put_setting("a", b"1").await.unwrap();
        store.put_setting("b", b"2").await.unwrap_err();
        assert_eq!(store.setting("b").await.unwrap().unwrap(), b"2");
    }

    #[tokio::test]
    async fn after_a_power_loss_everything_fails_until_the_power_is_on() {
        let store = faulty();
        store.spoil(1, Fault::PowerLoss(Moment::BeforeCommit));
        store.put_setting("a", b"1").await.unwrap_err();
        assert!(store.is_dark());
        store.put_setting("b", b"2").await.unwrap_err();
        store.mounts().await.unwrap_err();
        assert_eq!(store.writes(), ["put_setting"]);
        store.power_on();
        assert_eq!(store.setting("a").await.unwrap(), None);
        assert_eq!(store.setting("b").await.unwrap(), None);
        store.power_off();
        store.next_due().await.unwrap_err();
    }
}
