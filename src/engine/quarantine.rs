//! A database that was restored from a backup does not know what was done since: users that were made have
//! no row, leases that were renewed look overdue, leases that were revoked look active. So a start on one
//! issues nothing and tears nothing down by itself until somebody has looked at the difference and says so.
//! What is asked for by name works: reads, renewals, revocations, comparisons.

use std::sync::PoisonError;

use super::Engine;
use crate::model::Quarantine;
use crate::store::StoreError;

/// Nothing is issued. What to do is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this broker runs on a restored backup and issues nothing while it is in quarantine\nhelp: read sys/leases/quarantine for what changed since the backup, then write action=lift to it"
)]
pub struct Quarantined;

impl Engine {
    /// Holds everything still if the database says so; before anything else runs.
    pub(super) async fn enter_quarantine(&self) -> Result<(), StoreError> {
        let Some(value) = self.parts.store.setting(Quarantine::SETTING).await? else {
            return Ok(());
        };
        let mark = Quarantine::read(&value);
        self.parts.leases.pause();
        *self.quarantine.write().unwrap_or_else(PoisonError::into_inner) = Some(mark);
        tracing::warn!(
            "the database was restored from a backup: nothing is issued or torn down until the quarantine is lifted"
        );
        Ok(())
    }

    /// The mark of a restored database that nobody has looked at yet.
    pub fn quarantine(&self) -> Option<Quarantine> {
        *self.quarantine.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what must wait for the end of the quarantine.
    pub fn must_not_be_quarantined(&self) -> Result<(), Quarantined> {
        if self.quarantine().is_some() { Err(Quarantined) } else { Ok(()) }
    }

    /// Ends the quarantine, durably first; whatever is due is done from now on. False where there was none.
    pub async fn lift_quarantine(&self) -> Result<bool, StoreError> {
        if self.quarantine().is_none() {
            return Ok(false);
        }
        self.parts.store.remove_setting(Quarantine::SETTING).await?;
        *self.quarantine.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.parts.leases.resume();
        tracing::warn!("the quarantine is lifted: leases are issued and torn down again");
        Ok(true)
    }
}
