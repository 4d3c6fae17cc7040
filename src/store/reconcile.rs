//! What a comparison of the store with AWS needs, and what it leaves behind. Who compares:
//! [`crate::engine::reconcile`].

use async_trait::async_trait;

use super::Result;
use crate::model::{Lease, LeaseTag, MountId, Orphan, OrphanPolicy, Timestamp, UserRow};

/// Leases whose teardown does not get on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StuckLeases {
    /// How many.
    pub count: u64,
    /// The one that is at it longest, with what its last pass met.
    pub oldest: Option<(crate::model::LeaseId, String)>,
}

/// Rows as a comparison reads them, and the orphans that it finds.
#[async_trait]
pub trait ReconcileStore: std::fmt::Debug + Send + Sync + 'static {
    /// Leases with a user that are not gone, or went at `since` or later, of any mount; those after the
    /// row `after`, at most `limit`, with the number of the last row that was looked at. `None` at the end.
    async fn user_rows(
        &self,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Option<(Vec<UserRow>, i64)>>;
    /// The lease whose id ends in this tag, gone or not. Reads all rows: for single questions.
    async fn lease_by_tag(&self, tag: &LeaseTag) -> Result<Option<Lease>>;
    /// Leases that are ending since before `before` and whose last pass failed.
    async fn stuck_since(&self, before: Timestamp) -> Result<StuckLeases>;

    /// Every user that is an orphan, by name.
    async fn orphans(&self) -> Result<Vec<Orphan>>;
    /// Replaces the orphans of these mounts by `found`. One that was known keeps when it was found and
    /// until when it is ignored.
    async fn put_orphans(&self, mounts: &[MountId], found: &[Orphan]) -> Result<()>;
    /// Every policy that is an orphan, by ARN.
    async fn orphan_policies(&self) -> Result<Vec<OrphanPolicy>>;
    /// The same for policies as [`Self::put_orphans`].
    async fn put_orphan_policies(&self, mounts: &[MountId], found: &[OrphanPolicy]) -> Result<()>;
    /// Says until when a user or a policy is ignored, by AWS's id; false where it is not there.
    async fn ignore_orphan(&self, id: &str, until: Option<Timestamp>) -> Result<bool>;
    /// Forgets a user or a policy, by AWS's id.
    async fn forget_orphan(&self, id: &str) -> Result<()>;
    /// Forgets a value of the installation.
    async fn remove_setting(&self, name: &str) -> Result<()>;
}
