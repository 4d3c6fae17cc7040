//! When a key was seen to work, written down after the lease began. Says nothing about the lease's life:
//! a lease that ends meanwhile keeps it as a record. Who looks: [`crate::engine::readiness`].

use super::{LeaseError, Leases};
use crate::model::{LeaseId, Timestamp};

impl Leases {
    /// The lease's key works since `at`. Nothing to do for a lease that is not there.
    pub async fn proven(&self, id: &LeaseId, at: Timestamp) -> Result<(), LeaseError> {
        let Some(lease) = self.store.lease(id).await? else {
            return Ok(());
        };
        let written = self.update(lease, |lease| {
            lease.proven_at = lease.proven_at.or(Some(at));
            Ok(())
        });
        written.await.map(drop)
    }
}
