//! Static roles (contract 1.13): IAM users that somebody else made, of each of which one access key is ours,
//! handed out and rotated. Nothing is granted here, so that the gate has nothing to judge; and a key that
//! others made is never deleted, unless the role says so. The rules of a write are in [`check`], rotating
//! is in [`rotate`], removing in [`remove`].

use tracing::info;

use super::Engine;
use super::rotation::{Subject, plan};
use crate::model::{
    AccessKeyId, Mount, RoleName, RotationProgress, SecretAccessKey, StaticRole, Timestamp,
    UserName,
};

mod check;
mod error;
mod holder;
mod remove;
mod rotate;

pub use error::StaticRoleError;
use holder::StaticHolder;

/// A write of a static role; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaticRoleChange {
    /// The user; required for a new role.
    pub username: Option<String>,
    /// Seconds; a new role needs it or a schedule.
    pub rotation_period: Option<u64>,
    /// Leasehold's own: cron expression, in UTC.
    pub rotation_schedule: Option<String>,
    /// Leasehold's own: seconds.
    pub rotation_window: Option<u64>,
    /// Leasehold's own: seconds for which the old key goes on working.
    pub overlap: Option<u64>,
    /// Leasehold's own: whether keys that others made may be deleted to make room.
    pub replace_foreign_keys: Option<bool>,
    /// Whether a field of Vault's Enterprise edition was sent.
    pub cross_account: CrossAccount,
}

/// Whether a role in another account is wished for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CrossAccount {
    /// None of its fields was sent.
    #[default]
    NotSent,
    /// One was.
    Sent,
}

/// What `static-creds` hands out.
#[derive(Debug, Clone)]
pub struct StaticCredentials {
    /// Public half.
    pub access_key: AccessKeyId,
    /// Secret half.
    pub secret_key: SecretAccessKey,
    /// When the next key takes its place.
    pub expiration: Option<Timestamp>,
}

/// A static role as it was written, and what its writer should know.
#[derive(Debug, Clone)]
pub struct Written {
    /// The role.
    pub role: StaticRole,
    /// Warnings.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Makes a static role and its first key, or changes one.
    pub async fn write_static_role(
        &self,
        mount: &Mount,
        name: &RoleName,
        change: StaticRoleChange,
    ) -> Result<Written, StaticRoleError> {
        if change.cross_account == CrossAccount::Sent {
            return Err(StaticRoleError::CrossAccount);
        }
        let serving = self.table.serve(mount).await?;
        let mount = &serving.mount;
        let _turn = self.rotations.turn(Subject::Static(mount.id.clone(), name.clone())).await;
        let stored = match self.parts.store.static_role(&mount.id, name).await? {
            Some(role) if role.deleting => {
                self.finish_deleting(role).await?;
                if self.parts.store.static_role(&mount.id, name).await?.is_some() {
                    return Err(StaticRoleError::BeingDeleted(name.clone()));
                }
                None
            }
            stored => stored,
        };
        let written = match stored {
            None => self.create_static_role(mount, name, &change).await?,
            Some(role) => self.change_static_role(role, &change).await?,
        };
        self.rotations.wake();
        info!(role.name = %name, mount.path = %mount.path, aws.user = %written.role.user, "static role {name} written");
        Ok(written)
    }

    async fn create_static_role(
        &self,
        mount: &Mount,
        name: &RoleName,
        change: &StaticRoleChange,
    ) -> Result<Written, StaticRoleError> {
        let asked = change.username.as_deref().filter(|username| !username.is_empty());
        let asked = asked.ok_or(StaticRoleError::Missing("username"))?;
        let settings = check::merged(None, change)?;
        let now = self.parts.clock.now();
        let user = self.valid_user(mount, asked).await?;
        self.no_other_role(mount, name, &user.name).await?;
        let role = StaticRole {
            mount: mount.id.clone(),
            name: name.clone(),
            user: user.name,
            user_id: user.id,
            account: user.account,
            times: settings.times,
            since: now,
            overlap: settings.overlap,
            replace_foreign_keys: settings.replace_foreign_keys,
            access_key: None,
            sealed_secret_key: None,
            progress: RotationProgress::default(),
            change: None,
            deleting: false,
            due_at: None,
        };
        let mut holder = StaticHolder::new(self, role);
        let made = self.rotate_static(&mut holder).await;
        let role = self.settle_first_key(mount, name, made).await?;
        let warnings = self.crowded(&role).await.into_iter().collect();
        Ok(Written { role, warnings })
    }

    async fn change_static_role(
        &self,
        mut role: StaticRole,
        change: &StaticRoleChange,
    ) -> Result<Written, StaticRoleError> {
        let settings = check::merged(Some(&role), change)?;
        if let Some(asked) = &change.username {
            let mount = self.table.by_id(&role.mount);
            let mount = mount.ok_or_else(|| StaticRoleError::Gone(role.name.clone()))?;
            let user = self.valid_user(&mount, asked).await?;
            check::same_user(&role.user_id, &user.id)?;
            role.user = user.name;
            role.account = user.account.or(role.account);
        }
        if role.times != settings.times {
            role.since = self.parts.clock.now();
            // A failure is of the old times.
            role.progress.retry_at = None;
        }
        role.times = settings.times;
        role.overlap = settings.overlap;
        role.replace_foreign_keys = settings.replace_foreign_keys;
        role.due_at = self.static_due(&role);
        self.parts.store.save_static_role(&role).await?;
        Ok(Written { role, warnings: Vec::new() })
    }

    /// A static role as it was written.
    pub async fn read_static_role(
        &self,
        mount: &Mount,
        name: &RoleName,
    ) -> Result<Option<StaticRole>, StaticRoleError> {
        let stored = self.parts.store.static_role(&mount.id, name).await?;
        Ok(stored.filter(|role| !role.deleting))
    }

    /// The names of a mount's static roles, sorted by byte value.
    pub async fn list_static_roles(&self, mount: &Mount) -> Result<Vec<RoleName>, StaticRoleError> {
        let roles = self.parts.store.static_roles(&mount.id).await?;
        Ok(roles.into_iter().filter(|role| !role.deleting).map(|role| role.name).collect())
    }

    /// The key of a static role; `None` where there is no such role, or no key yet.
    pub async fn static_credentials(
        &self,
        mount: &Mount,
        name: &RoleName,
    ) -> Result<Option<StaticCredentials>, StaticRoleError> {
        let Some(role) = self.read_static_role(mount, name).await? else {
            return Ok(None);
        };
        let (Some(access_key), Some(sealed)) = (&role.access_key, &role.sealed_secret_key) else {
            return Ok(None);
        };
        let secret_key =
            self.parts.barrier.open_secret_key(sealed, &holder::seal_context(&role))?;
        let expiration = self.static_next(&role);
        Ok(Some(StaticCredentials { access_key: access_key.clone(), secret_key, expiration }))
    }

    /// Removes a static role and our keys of its user. A missing one is fine.
    pub async fn delete_static_role(
        &self,
        mount: &Mount,
        name: &RoleName,
    ) -> Result<(), StaticRoleError> {
        let serving = self.table.serve(mount).await?;
        let id = &serving.mount.id;
        let _turn = self.rotations.turn(Subject::Static(id.clone(), name.clone())).await;
        let Some(mut role) = self.parts.store.static_role(id, name).await? else {
            return Ok(());
        };
        role.deleting = true;
        role.progress.retry_at = None;
        role.due_at = Some(self.parts.clock.now());
        self.parts.store.save_static_role(&role).await?;
        info!(role.name = %name, mount.path = %serving.mount.path, aws.user = %role.user, "static role {name} is deleted");
        self.finish_deleting(role).await
    }

    /// When the key of a role is replaced by itself.
    pub(super) fn static_next(&self, role: &StaticRole) -> Option<Timestamp> {
        plan::next(&role.times, role.since, role.progress.rotated_at, self.parts.clock.now())
    }

    /// One user, one static role: two would count each other's keys as foreign.
    async fn no_other_role(
        &self,
        mount: &Mount,
        name: &RoleName,
        user: &UserName,
    ) -> Result<(), StaticRoleError> {
        let roles = self.parts.store.static_roles(&mount.id).await?;
        match roles.into_iter().find(|role| role.user == *user && role.name != *name) {
            Some(other) => Err(StaticRoleError::UserTaken { user: user.clone(), role: other.name }),
            None => Ok(()),
        }
    }
}
