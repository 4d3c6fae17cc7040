//! How the leases stand, for the metrics, and the instruments that their life is counted with. Reads no
//! row of a lease: a million cost what ten do.

use super::{LeaseError, Leases};
use crate::metrics::LeaseEvents;
use crate::store::{LeaseTally, Written};

/// After so many failed passes in a row a teardown is called stuck: where Vault gives a lease up
/// (contract 5.4). Ours goes on.
const STUCK_AFTER: u32 = 6;

impl Leases {
    /// How many are where, and what the store wrote since it was opened.
    pub async fn tally(&self) -> Result<(LeaseTally, Written), LeaseError> {
        Ok((self.store.lease_tally(STUCK_AFTER).await?, self.store.written()))
    }

    /// What their life is counted with.
    pub fn events(&self) -> &LeaseEvents {
        &self.events
    }
}
