//! Leases by what is known of them: who holds this key, what did that caller get, what came of this verdict. Looks at
//! ended leases too, as long as their rows are kept. Must never hold up a write, whatever is asked:
//! one page looks at a bounded number of rows. SQL: [`super::sqlite`].

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Accessor, Lease, LeaseId, MountId, RoleName};

/// How many failed passes in a row make a lease stuck. 6: after so many Vault gives up and calls a lease
/// irrevocable (contract 5.3); here the teardown goes on.
pub const STUCK_ATTEMPTS: u32 = 6;

/// What leases are looked for by: all that is set must fit, exactly. Nothing set: every lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaseFilter {
    /// This one.
    pub id: Option<LeaseId>,
    /// The public half that was handed out, e.g. `AKIA…`.
    pub access_key: Option<String>,
    /// The IAM user's name.
    pub user: Option<String>,
    /// AWS's id of the user, e.g. `AIDA…`.
    pub user_id: Option<String>,
    /// Display name of the token that asked.
    pub caller: Option<String>,
    /// Accessor of the token that holds it.
    pub accessor: Option<Accessor>,
    /// The role.
    pub role: Option<RoleName>,
    /// The role's write that was current.
    pub role_version: Option<u64>,
    /// Digest over all that it may do, hex.
    pub policy_digest: Option<String>,
    /// Digest of the verdict that let it through, hex.
    pub verdict: Option<String>,
    /// Where it was asked from.
    pub source: Option<IpAddr>,
    /// The AWS account.
    pub account: Option<String>,
    /// The mount.
    pub mount: Option<MountId>,
    /// Where in its life it is.
    pub stage: Option<Stage>,
}

/// Where in its life a lease is, as people ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Being issued.
    Pending,
    /// Handed out and working.
    Active,
    /// Being torn down.
    Revoking,
    /// Gone.
    Revoked,
    /// Any of the first three.
    Unfinished,
    /// Being torn down, and failing for [`STUCK_ATTEMPTS`] passes or more.
    Stuck,
}

impl Stage {
    /// All of them, as they are written.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("pending", Self::Pending),
        ("active", Self::Active),
        ("revoking", Self::Revoking),
        ("revoked", Self::Revoked),
        ("unfinished", Self::Unfinished),
        ("stuck", Self::Stuck),
    ];
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, UnknownStage> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, stage)| *stage).ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

/// Not one of [`Stage::NAMES`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no state of a lease\nhelp: pending, active, revoking, revoked, unfinished or stuck"
)]
pub struct UnknownStage(pub String);

/// A place in the order of issue, from which a query goes on. Stays good when rows are purged; opaque.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Some of what was asked for, in the order of issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as were wanted; fewer, or none at all, also where there is more to come.
    pub items: Vec<T>,
    /// Where to go on; `None` when everything was looked at.
    pub next: Option<Position>,
}

/// Leases by what is known of them.
#[async_trait]
pub trait QueryStore: Send + Sync {
    /// Leases that fit, after `after`, at most `limit`.
    async fn leases_matching(
        &self,
        filter: &LeaseFilter,
        after: Position,
        limit: u32,
    ) -> Result<Page<Lease>, StoreError>;

    /// Only the ids of the same: what a job walks through.
    async fn lease_ids_matching(
        &self,
        filter: &LeaseFilter,
        after: Position,
        limit: u32,
    ) -> Result<Page<LeaseId>, StoreError>;

    /// How many leases of each mount are stuck; mounts without one are left out.
    async fn stuck_leases(&self) -> Result<Vec<(MountId, u64)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_reads_by_its_name_and_nothing_else_does() {
        for (name, stage) in Stage::NAMES {
            assert_eq!(name.parse(), Ok(stage));
        }
        assert!("Active".parse::<Stage>().is_err());
    }

    #[test]
    fn a_position_reads_as_it_is_written() {
        assert_eq!(Position(42).to_string().parse(), Ok(Position(42)));
        assert!("aws/creds".parse::<Position>().is_err());
    }
}
