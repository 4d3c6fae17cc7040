//! Disabling a mount (contract 2.1): tainted first, so that nothing more is issued under it; then its leases are
//! revoked as a job; then it is gone. A crash at any point leaves a tainted mount, and the next start goes on
//! with it. Must never take a mount away while a credential of it that somebody holds may work. Who works
//! under a mount is counted in [`super::mount_table`].

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{error, info};

use super::Engine;
use super::mounts::{MountError, is_protected, mount_path};
use crate::leases::LeaseError;
use crate::model::{JobId, JobKind, JobScope, Mount, MountPath, MountState};
use crate::store::StoreError;

impl Engine {
    /// Disables a mount: first nothing more is issued under it, then every lease under it is revoked, then it is
    /// gone. Waits for the first pass of each lease; where one fails the mount stays, tainted, until the
    /// job is through with it. A missing one is fine.
    pub async fn disable_mount(&self, path: &str) -> Result<(), MountError> {
        let path = mount_path(path)?;
        if is_protected(&path) {
            return Err(MountError::CannotUnmount(path.to_string()));
        }
        let Some(mount) = self.taint(&path).await? else {
            return Ok(());
        };
        let Some(_quiet) = self.table.quiet(&mount).await else {
            return Ok(());
        };
        let job = self.parts.leases.revoke_mount(&mount.id).await?;
        self.take_away(&mount).await?;
        if let Some(job) = job {
            self.close(&job).await?;
        }
        Ok(())
    }

    /// Goes on with what an earlier process was disabling, and takes mounts away as their last leases go,
    /// until it is told to stop.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        if let Err(error) = self.go_on_disabling().await {
            error!("mounts that are being disabled wait for the next start: {error}");
        }
        loop {
            if let Err(error) = self.finish_disabling().await {
                error!("a disabled mount could not be taken away and is tried again: {error}");
            }
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                () = self.parts.leases.mount_disabled() => {}
            }
        }
    }

    /// Every tainted mount has a job.
    pub(super) async fn go_on_disabling(&self) -> Result<(), LeaseError> {
        for mount in self.table.list() {
            let tainted = mount.state == MountState::Tainted;
            if tainted && !self.parts.leases.is_disabling(&mount.id).await? {
                let scope = JobScope::Mount(mount.id.clone());
                self.parts.leases.begin_job(JobKind::Disable, scope).await?;
            }
        }
        Ok(())
    }

    /// Takes away every mount whose leases are gone; none while everything is held still.
    pub(super) async fn finish_disabling(&self) -> Result<(), MountError> {
        if self.parts.leases.is_paused() {
            return Ok(());
        }
        for (job, id) in self.parts.leases.disabled_mounts().await.map_err(store_error)? {
            if let Some(mount) = self.table.by_id(&id)
                && mount.state == MountState::Tainted
            {
                self.take_away(&mount).await?;
            }
            self.close(&job).await?;
        }
        Ok(())
    }

    async fn close(&self, job: &JobId) -> Result<(), MountError> {
        self.parts.leases.end_job(job).await.map_err(store_error)
    }

    async fn taint(&self, path: &MountPath) -> Result<Option<Arc<Mount>>, MountError> {
        let _alone = self.mount_changes.lock().await;
        let Some(mount) = self.table.get(path.as_str()) else {
            return Ok(None);
        };
        if mount.state == MountState::Active {
            let tainted = Mount { state: MountState::Tainted, ..Mount::clone(&mount) };
            self.parts.store.put_mount(&tainted).await?;
            self.table.put(tainted);
        }
        Ok(Some(mount))
    }

    /// The mount becomes a tombstone. Lets go of its account, unless a teardown still needs that.
    async fn take_away(&self, mount: &Mount) -> Result<(), MountError> {
        let _alone = self.mount_changes.lock().await;
        if self.table.by_id(&mount.id).is_none() {
            return Ok(());
        }
        self.parts.store.remove_mount(&mount.id).await?;
        self.table.remove(mount);
        self.release_account(mount).await?;
        info!(mount.path = %mount.path, mount.id = %mount.id.0, "aws engine at {} disabled", mount.path);
        Ok(())
    }

    /// Lets go of the account of a disabled mount, unless a teardown or a key that is to be removed still
    /// needs it.
    async fn release_account(&self, mount: &Mount) -> Result<(), StoreError> {
        let store = &self.parts.store;
        let keys_remain = !store.static_roles(&mount.id).await?.is_empty()
            || store.unfinished_root_rotations().await?.contains(&mount.id);
        self.rotations.wake();
        if !store.mount_in_use(&mount.id).await? && !keys_remain {
            self.parts.accounts.unbind(&mount.id);
        }
        Ok(())
    }
}

/// A job's rows have no state to be illegal in: what fails is the store.
fn store_error(error: LeaseError) -> MountError {
    match error {
        LeaseError::Store(error) => error.into(),
        other @ (LeaseError::Illegal(_)
        | LeaseError::Unknown(_)
        | LeaseError::CapReached(_)
        | LeaseError::Sealed) => StoreError::Failed(other.to_string()).into(),
    }
}
