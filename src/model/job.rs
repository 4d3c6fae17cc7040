//! A job: many leases revoked as one piece of work, which outlives whoever asked for it and the process
//! that began it; and the move of a mount. Plain data: a job's leases are rows of their own, and how
//! far it is follows from them. Must never hold a list of leases. What moves it on: [`crate::leases`].

use serde::{Deserialize, Serialize};

use super::{FailureClass, LeaseFilter, LeaseId, MountId, MountPath, Timestamp};

/// The name of a job: a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub String);

/// What is done with the leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// They are revoked.
    Revoke,
    /// They are revoked and out of sight at once.
    Force,
    /// They are revoked, and then their mount is gone.
    Disable,
}

/// Which leases: those of these that begun before the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobScope {
    /// Whose id begins with this; it ends in a slash, or is empty for all.
    Prefix(String),
    /// That were issued under this mount, wherever it was then.
    Mount(MountId),
    /// That fit all of this.
    Filter(Box<LeaseFilter>),
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Its leases are being marked and taken down.
    Running,
    /// None is marked, and of those that are marked none is begun before its own end.
    Paused,
    /// Every one of its leases is removed.
    Done,
}

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// What is done.
    pub kind: JobKind,
    /// With which leases.
    pub scope: JobScope,
    /// How it stands.
    pub state: JobState,
    /// Whether all of its leases are marked as ending.
    pub all_marked: bool,
    /// Whether a pause or its end has still to reach leases that are marked.
    pub unsettled: bool,
    /// How many leases are marked so far.
    pub marked: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

/// How far a job is, counted over its leases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// Their credentials do not work any more; removed ones too.
    pub contained: u64,
    /// Their users are gone.
    pub removed: u64,
    /// No pass was made for them yet.
    pub waiting: u64,
    /// The last pass of these failed, by what it met; each is tried again.
    pub failing: Vec<(FailureClass, u64)>,
}

/// A lease of a job for which no pass was made since the job marked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untried {
    /// Its place among the job's leases, for the next page.
    pub place: i64,
    /// Which one.
    pub id: LeaseId,
    /// How many passes had failed when the job marked it.
    pub attempts: u32,
}

/// The first lease of a job, in the order of ids, whose pass failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// Which one.
    pub lease: LeaseId,
    /// What the pass met.
    pub class: FailureClass,
    /// One sentence.
    pub message: String,
    /// Which of the leases that somebody waits for, from 1, and of how many.
    pub position: (usize, usize),
}

/// A mount that went to another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountMove {
    /// Vault calls it `migration_id`: a UUID.
    pub id: String,
    /// Where it was.
    pub source: MountPath,
    /// Where it is.
    pub target: MountPath,
    /// When it went.
    pub moved_at: Timestamp,
}
