//! Rotating the root key of a mount (contract 1.3): the access key of `config/root`, on demand and by
//! itself. The account's client is switched when the new key is proven and stored, and the old key goes
//! when nobody signs with it any more. Must never remove a key but the one that `config/root` held. The
//! steps: [`super::rotation::change`].

use tracing::{info, warn};

use super::rotation::change::{Holder as _, Wanted};
use super::rotation::{KeyError, Subject, plan};
use super::{Engine, NotServing};
use crate::metrics::RotatedKey;
use crate::model::{
    AccessKeyId, AccountBinding, KeyChange, Mount, MountId, MountState, RootRotation,
    RotationProgress, RotationTimes, Timestamp,
};
use crate::store::StoreError;
use holder::RootHolder;

mod holder;

/// Why the root key was not rotated. The texts are the contract's (1.3) where it has them.
#[derive(Debug, thiserror::Error)]
pub enum RotateRootError {
    /// The broker uses its surroundings' credentials.
    #[error("Cannot call config/rotate-root when either access_key or secret_key is empty")]
    NoKeys,
    /// `config/root` was never written.
    #[error("no configuration found for config/root")]
    NoConfiguration,
    /// The key was not replaced, or not wholly.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The mount does not serve.
    #[error(transparent)]
    NotServing(#[from] NotServing),
}

/// How the rotation of a root key stands.
#[derive(Debug, Clone)]
pub struct RootStatus {
    /// The key in use.
    pub access_key: String,
    /// How it went.
    pub progress: RotationProgress,
    /// When it is rotated by itself; past where that is overdue.
    pub next: Option<Timestamp>,
    /// What is under way.
    pub change: Option<KeyChange>,
}

impl Engine {
    /// Rotates the root key of a mount now; gives the new one.
    pub async fn rotate_root(&self, mount: &Mount) -> Result<AccessKeyId, RotateRootError> {
        let serving = self.table.serve(mount).await?;
        let id = &serving.mount.id;
        let _turn = self.rotations.turn(Subject::Root(id.clone())).await;
        let mut holder = RootHolder::load(self, id).await.map_err(KeyError::from)?;
        let rotated = self.rotate_root_of(&mut holder).await;
        let settled = match &rotated {
            Ok(_) => self.settle_root(id, plan::went_well).await,
            Err(RotateRootError::Key(error)) => self.root_failed(id, error.shown()).await,
            // Nothing was tried.
            Err(
                RotateRootError::NoKeys
                | RotateRootError::NoConfiguration
                | RotateRootError::NotServing(_),
            ) => Ok(()),
        };
        self.rotations.wake();
        let rotated = rotated?;
        settled.map_err(KeyError::from)?;
        Ok(rotated)
    }

    /// How the rotation of a mount's root key stands; `None` without `config/root`.
    pub async fn root_status(&self, mount: &Mount) -> Result<Option<RootStatus>, StoreError> {
        let Some(binding) = self.parts.store.account_binding(&mount.id).await? else {
            return Ok(None);
        };
        let stored = self.parts.store.root_rotation(&mount.id).await?;
        let (progress, change) =
            stored.map(|stored| (stored.progress, stored.change)).unwrap_or_default();
        let next = planned(&binding, &progress, self.parts.clock.now());
        Ok(Some(RootStatus { access_key: binding.access_key, progress, next, change }))
    }

    /// When the root key of a mount has to be looked at.
    pub(super) async fn root_due(&self, mount: &MountId) -> Result<Option<Timestamp>, StoreError> {
        let stored = self.parts.store.root_rotation(mount).await?;
        match stored {
            Some(RootRotation { progress, change: Some(_), .. }) => {
                Ok(Some(progress.retry_at.unwrap_or_else(|| self.parts.clock.now())))
            }
            stored => {
                let progress = stored.map(|stored| stored.progress).unwrap_or_default();
                Ok(plan::due(self.root_planned(mount).await?, &progress))
            }
        }
    }

    /// When the root key of a mount that serves is rotated by itself.
    pub(super) async fn root_planned(
        &self,
        mount: &MountId,
    ) -> Result<Option<Timestamp>, StoreError> {
        if self.table.by_id(mount).is_none_or(|there| there.state != MountState::Active) {
            return Ok(None);
        }
        let Some(binding) = self.parts.store.account_binding(mount).await? else {
            return Ok(None);
        };
        let stored = self.parts.store.root_rotation(mount).await?;
        let progress = stored.map(|stored| stored.progress).unwrap_or_default();
        Ok(planned(&binding, &progress, self.parts.clock.now()))
    }

    /// Finishes what is under way, and rotates where that is due.
    pub(super) async fn tend_root(&self, mount: &MountId) -> Result<(), StoreError> {
        let _turn = self.rotations.turn(Subject::Root(mount.clone())).await;
        // Somebody may have done it while this waited.
        if self.root_due(mount).await?.is_none_or(|due| due > self.parts.clock.now()) {
            return Ok(());
        }
        let Err(tended) = self.tend_root_of(mount).await else {
            return Ok(());
        };
        let (why, detail) = match &tended {
            RotateRootError::Key(error) => (error.shown(), error.detail()),
            error @ (RotateRootError::NoKeys
            | RotateRootError::NoConfiguration
            | RotateRootError::NotServing(_)) => (error.to_string(), error.to_string()),
        };
        warn!(mount.id = %mount.0, error = %tended, detail, "the root key of mount {} was not rotated, that is tried again: {tended}", mount.0);
        self.root_failed(mount, why).await
    }

    async fn tend_root_of(&self, mount: &MountId) -> Result<(), RotateRootError> {
        let mut holder = RootHolder::load(self, mount).await.map_err(KeyError::from)?;
        if let Some(before) = holder.rotation.change.clone() {
            self.resume(&mut holder).await?;
            let (left, now) = (holder.rotation.change.clone(), self.parts.clock.now());
            let note = |progress: &mut _| plan::resumed(progress, &before, left.as_ref(), now);
            self.settle_root(mount, note).await.map_err(KeyError::from)?;
            // What is left to look for does not hold up what is due.
            let planned = self.root_planned(mount).await.map_err(KeyError::from)?;
            if planned.is_none_or(|planned| planned > now) {
                return Ok(());
            }
            holder = RootHolder::load(self, mount).await.map_err(KeyError::from)?;
        }
        self.rotate_root_of(&mut holder).await?;
        let settled = self.settle_root(mount, plan::went_well).await;
        Ok(settled.map_err(KeyError::from)?)
    }

    async fn root_failed(&self, mount: &MountId, why: String) -> Result<(), StoreError> {
        self.rotated.failed(RotatedKey::Root);
        let now = self.parts.clock.now();
        self.settle_root(mount, |progress| plan::failed(progress, why, now)).await
    }

    /// Writes down how a try ended, on what is stored: after a failed write, memory may say something else.
    async fn settle_root(
        &self,
        mount: &MountId,
        note: impl FnOnce(&mut RotationProgress) + Send,
    ) -> Result<(), StoreError> {
        let mut rotation = RootHolder::load(self, mount).await?.rotation;
        let before = rotation.progress.clone();
        note(&mut rotation.progress);
        if rotation.progress == before {
            return Ok(());
        }
        self.parts.store.save_root_rotation(&rotation).await
    }

    async fn rotate_root_of(
        &self,
        holder: &mut RootHolder<'_>,
    ) -> Result<AccessKeyId, RotateRootError> {
        self.resume(holder).await?;
        let mount = holder.rotation.mount.clone();
        let stored = self.parts.store.account_binding(&mount).await.map_err(KeyError::from)?;
        let binding = stored.ok_or(RotateRootError::NoConfiguration)?;
        let old: AccessKeyId = match (&binding.sealed_secret_key, binding.access_key.parse()) {
            (Some(_), Ok(old)) => old,
            (_, _) => return Err(RotateRootError::NoKeys),
        };
        let call = |call| move |source| KeyError::Call { call, source };
        let keys = holder.keys().await.map_err(KeyError::NoClient)?;
        let user = keys.own_user().await.map_err(call("GetUser"))?.name;
        let held = keys.access_keys(&user).await.map_err(call("ListAccessKeys"))?;
        drop(keys);
        let wanted = Wanted { user, held, old: Some(old.clone()) };
        let new = self.replace_key(holder, wanted).await?;
        info!(mount.id = %mount.0, "the root key of mount {} was rotated from {old} to {new}", mount.0);
        Ok(new)
    }
}

/// When the root key is rotated by itself.
fn planned(
    binding: &AccountBinding,
    progress: &RotationProgress,
    now: Timestamp,
) -> Option<Timestamp> {
    let since = binding.rotation_since.filter(|_| !binding.disable_automated_rotation)?;
    let times = RotationTimes {
        period: binding.rotation_period,
        schedule: binding.rotation_schedule.clone(),
        window: binding.rotation_window,
    };
    // A key that was written after the last rotation is as fresh as its writing.
    let rotated_at = progress.rotated_at.map(|rotated_at| rotated_at.max(since));
    plan::next(&times, since, rotated_at, now)
}
