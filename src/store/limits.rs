//! Caps on live leases: what `config/limits` and those of AWS accounts say, and the beginning of a lease that
//! counts first. What a cap means is in [`crate::model::limits`]; which ones apply is the engine's to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::Result;
use crate::model::{CapReached, Lease, LeaseCaps, LeaseLimits, MountId};

/// Counts live leases where there is a cap, and nowhere else.
#[async_trait]
pub trait LimitStore {
    /// `config/limits` of a mount; `None` when it was never written.
    async fn lease_limits(&self, mount: &MountId) -> Result<Option<LeaseLimits>>;
    /// Writes `config/limits`.
    async fn put_lease_limits(&self, mount: &MountId, limits: LeaseLimits) -> Result<()>;
    /// The caps of AWS accounts, by their ids.
    async fn account_limits(&self) -> Result<Arc<BTreeMap<String, LeaseLimits>>>;
    /// Writes those of one account.
    async fn put_account_limits(&self, account: &str, limits: LeaseLimits) -> Result<()>;
    /// Removes those of one account, if there are any.
    async fn remove_account_limits(&self, account: &str) -> Result<()>;
    /// As [`super::Store::begin_lease`], unless a cap leaves no room: then nothing is written, and the
    /// cap that is reached is the answer. Counting and writing are one transaction.
    async fn begin_lease_within(
        &self,
        lease: &Lease,
        caps: LeaseCaps,
    ) -> Result<Option<CapReached>>;
}
