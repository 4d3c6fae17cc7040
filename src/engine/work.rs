//! How the work beside issuing stands, for the metrics: the last comparison, the quarantine, jobs, keys that
//! are overdue, the last backup. Must read no row of a lease: a scrape costs the same however many there are.

use super::Engine;
use crate::metrics::{Jobs, Work};
use crate::store::StoreError;

impl Engine {
    /// Work as it stands now.
    pub async fn work(&self) -> Result<Work, StoreError> {
        let tally = self.parts.store.work_tally().await?;
        let (overdue_root, overdue_static) = self.overdue().await?;
        Ok(Work {
            compared: self.passes.last(),
            quarantined: self.quarantine().is_some(),
            jobs: Jobs {
                marking: tally.jobs_marking,
                running: tally.jobs_running,
                paused: tally.jobs_paused,
                done: tally.jobs_done,
                left: tally.job_leases_left,
            },
            overdue_root,
            overdue_static,
            last_backup: tally.last_backup.map(crate::model::Timestamp::as_seconds),
        })
    }

    /// Root keys and static roles whose moment is over.
    async fn overdue(&self) -> Result<(u64, u64), StoreError> {
        let now = self.parts.clock.now();
        let (mut roots, mut roles): (u64, u64) = (0, 0);
        for mount in self.mounts() {
            if self.root_planned(&mount.id).await?.is_some_and(|next| next < now) {
                roots = roots.saturating_add(1);
            }
            for role in self.parts.store.static_roles(&mount.id).await? {
                let is_late = self.static_next(&role).is_some_and(|next| next < now);
                if is_late && !role.deleting {
                    roles = roles.saturating_add(1);
                }
            }
        }
        Ok((roots, roles))
    }
}
