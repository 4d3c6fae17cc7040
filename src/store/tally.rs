//! How many leases stand where, and how much was written: what the metrics show of the store. Must cost
//! the same with a million leases as with ten. [`super::sqlite`] keeps the numbers.

use async_trait::async_trait;

use super::StoreError;
use crate::model::Timestamp;

/// What can be counted at any time.
#[async_trait]
pub trait TallyStore: std::fmt::Debug + Send + Sync + 'static {
    /// The leases as they stand; `stuck_after` failed passes in a row make a teardown stuck.
    async fn lease_tally(&self, stuck_after: u32) -> Result<LeaseTally, StoreError>;
    /// Jobs as they stand, and the last backup that is known of.
    async fn work_tally(&self) -> Result<WorkTally, StoreError>;
    /// What was written since the store was opened.
    fn written(&self) -> Written;
}

/// The leases as they stand, revoked ones apart: those are records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaseTally {
    /// Written, not handed out yet.
    pub pending: u64,
    /// Active ones by the hour in which they end, the earliest first.
    pub active: Vec<(Timestamp, u64)>,
    /// Ended, and something of them may still be in AWS.
    pub ending: u64,
    /// Of these: the credential may still work.
    pub uncontained: u64,
    /// Since when the oldest of those is being revoked.
    pub uncontained_since: Option<Timestamp>,
    /// Of those that end: teardowns that failed so often that somebody should look.
    pub stuck: u64,
    /// Removed, and looked after once or twice more.
    pub settling: u64,
}

impl LeaseTally {
    /// All active ones.
    pub fn active_count(&self) -> u64 {
        self.active.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

/// Jobs as they stand, forgotten ones apart, and the last backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkTally {
    /// Running, and not all of their leases are marked.
    pub jobs_marking: u64,
    /// Running, and all of their leases are marked.
    pub jobs_running: u64,
    /// Paused.
    pub jobs_paused: u64,
    /// Done, and not purged.
    pub jobs_done: u64,
    /// Leases that a job that is not done has marked and that are still to be removed.
    pub job_leases_left: u64,
    /// When the last backup was taken from where the store is; `None` where none is known of.
    pub last_backup: Option<Timestamp>,
}

/// What was written since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Writes that were asked for and answered, refused ones included.
    pub writes: u64,
    /// Transactions that held them.
    pub commits: u64,
}
