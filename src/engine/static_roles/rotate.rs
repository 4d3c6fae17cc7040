//! Rotating the key of a static role, on demand and by itself. Who is at a role has its turn; what is written
//! down decides the rest. A key that others made is deleted here alone, and only where the role says so.

use tracing::{info, warn};

use super::check::same_user;
use super::{StaticHolder, StaticRoleError};
use crate::aws::{AwsError, HeldKey, HeldUser};
use crate::engine::Engine;
use crate::engine::rotation::change::{Holder as _, Wanted};
use crate::engine::rotation::steps::remove_key;
use crate::engine::rotation::{KeyError, Subject, plan};
use crate::metrics::RotatedKey;
use crate::model::{
    AccessKeyId, KeyChange, KeyStep, Mount, MountId, MountState, RoleName, StaticRole, Timestamp,
    UserName,
};
use crate::store::StoreError;

/// The most access keys that IAM lets a user have (IAM user guide, quotas).
const KEYS_PER_USER: usize = 2;

impl Engine {
    /// Rotates the key of a static role now; gives the new one.
    pub async fn rotate_static_role(
        &self,
        mount: &Mount,
        name: &RoleName,
    ) -> Result<AccessKeyId, StaticRoleError> {
        let serving = self.table.serve(mount).await?;
        let id = &serving.mount.id;
        let _turn = self.rotations.turn(Subject::Static(id.clone(), name.clone())).await;
        let role = self.parts.store.static_role(id, name).await?.filter(|role| !role.deleting);
        let role = role.ok_or_else(|| StaticRoleError::Gone(name.clone()))?;
        let mut holder = StaticHolder::new(self, role);
        let rotated = self.rotate_static(&mut holder).await;
        let settled = self.settle_rotation(id, name, rotated.as_ref().map(drop)).await;
        self.rotations.wake();
        let rotated = rotated?;
        settled?;
        Ok(rotated)
    }

    /// Finishes what is under way, and rotates or removes where that is due.
    pub(in crate::engine) async fn tend_static_role(
        &self,
        mount: &MountId,
        name: &RoleName,
    ) -> Result<(), StoreError> {
        let _turn = self.rotations.turn(Subject::Static(mount.clone(), name.clone())).await;
        let Some(role) = self.parts.store.static_role(mount, name).await? else {
            return Ok(());
        };
        let now = self.parts.clock.now();
        if role.due_at.is_none_or(|due| due > now) {
            return Ok(());
        }
        if role.deleting {
            // Its failure is written down and logged there.
            return match self.finish_deleting(role).await {
                Err(StaticRoleError::Store(error)) => Err(error),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let tended = self.tend(role, now).await;
        if let Err(error) = &tended {
            warn!(role.name = %name, mount.id = %mount.0, error = %error, detail = error.detail(), "static role {name} was not rotated, that is tried again: {error}");
        }
        self.settle_rotation(mount, name, tended.as_ref().map(drop)).await
    }

    async fn tend(&self, role: StaticRole, now: Timestamp) -> Result<(), StaticRoleError> {
        let may_try = role.progress.retry_at.is_none_or(|retry_at| retry_at <= now);
        let mut holder = StaticHolder::new(self, role);
        if let Some(before) = holder.change().cloned() {
            self.resume(&mut holder).await.map_err(|error| not_rotated(&holder.role, error))?;
            let mut role = holder.role.clone();
            plan::resumed(&mut role.progress, &before, role.change.as_ref(), now);
            role.due_at = self.static_due(&role);
            self.parts.store.save_static_role(&role).await?;
            holder.role = role;
        }
        // What is left to look for does not hold up what is due; both wait for the same moment.
        let next = self.static_next(&holder.role);
        let never_made = holder.role.access_key.is_none();
        let in_time = may_try && next.is_some_and(|next| next <= now);
        if in_time || (may_try && never_made) {
            let mount = self.table.by_id(&holder.role.mount);
            let serves = mount.is_some_and(|mount| mount.state == MountState::Active);
            if serves {
                self.rotate_static(&mut holder).await?;
            } else {
                let client = AwsError::NotConfigured("the mount does not serve".to_owned());
                return Err(not_rotated(&holder.role, KeyError::NoClient(client)));
            }
        }
        Ok(())
    }

    /// Replaces the key, whether it is due or not.
    pub(super) async fn rotate_static(
        &self,
        holder: &mut StaticHolder<'_>,
    ) -> Result<AccessKeyId, StaticRoleError> {
        if let Some(change) = holder.change().cloned() {
            if let KeyStep::Retiring { new, .. } = change.step {
                // The time of the key before it is over: a user has two at most.
                let step = KeyStep::Retiring { new, not_before: self.parts.clock.now() };
                holder.keep(Some(KeyChange { step, ..change })).await?;
            }
            self.resume(holder).await.map_err(|error| not_rotated(&holder.role, error))?;
        }
        let held = self.room_for_a_key(&holder.role).await?;
        let old = holder.role.access_key.clone();
        let wanted = Wanted { user: holder.role.user.clone(), held, old };
        let made = self.replace_key(holder, wanted).await;
        let new = made.map_err(|error| not_rotated(&holder.role, error))?;
        let role = &holder.role;
        info!(role.name = %role.name, aws.user = %role.user, aws.access_key = %new, "static role {} was rotated", role.name);
        Ok(new)
    }

    /// The keys that the user has when there is room for one more.
    async fn room_for_a_key(&self, role: &StaticRole) -> Result<Vec<HeldKey>, StaticRoleError> {
        let call = |call| move |source| not_rotated(role, KeyError::Call { call, source });
        let keys = self.parts.accounts.keys(&role.mount).await;
        let keys = keys.map_err(|error| not_rotated(role, KeyError::NoClient(error)))?;
        let user = keys.user(&role.user).await;
        let user =
            user.map_err(|error| StaticRoleError::unvalidated(role.user.as_str(), &error))?;
        same_user(&role.user_id, &user.id)?;
        let mut held = keys.access_keys(&role.user).await.map_err(call("ListAccessKeys"))?;
        let binding = self.parts.store.account_binding(&role.mount).await?;
        if binding.is_some_and(|own| held.iter().any(|key| key.id.as_str() == own.access_key)) {
            return Err(StaticRoleError::BrokersOwn(role.user.clone()));
        }
        if held.len() < KEYS_PER_USER {
            return Ok(held);
        }
        // The oldest first, as the list is.
        let foreign: Vec<AccessKeyId> = held
            .iter()
            .map(|key| &key.id)
            .filter(|id| role.access_key.as_ref() != Some(*id))
            .cloned()
            .collect();
        let Some(oldest) = foreign.first().filter(|_| role.replace_foreign_keys) else {
            return Err(StaticRoleError::ForeignKeys { user: role.user.clone(), keys: foreign });
        };
        remove_key(&*keys, &role.user, oldest).await.map_err(call("DeleteAccessKey"))?;
        warn!(role.name = %role.name, aws.user = %role.user, aws.access_key = %oldest,
            "access key {oldest} of {}, which others made, was deleted as static role {} says", role.user, role.name);
        held.retain(|key| key.id != *oldest);
        Ok(held)
    }

    /// The user that a name stands for, as AWS has it.
    pub(super) async fn valid_user(
        &self,
        mount: &Mount,
        asked: &str,
    ) -> Result<HeldUser, StaticRoleError> {
        let name: UserName = asked.parse().map_err(|error: crate::model::InvalidName| {
            StaticRoleError::Unvalidated { username: asked.to_owned(), why: error.to_string() }
        })?;
        let found = match self.parts.accounts.keys(&mount.id).await {
            Ok(keys) => keys.user(&name).await,
            Err(error) => Err(error),
        };
        let user = found.map_err(|error| StaticRoleError::unvalidated(asked, &error))?;
        if user.name != name {
            let (requested, returned) = (asked.to_owned(), user.name.to_string());
            return Err(StaticRoleError::OtherName { requested, returned });
        }
        Ok(user)
    }

    /// What becomes of a new role whose first key was tried: without a key, and with nothing left to look for,
    /// it was never there.
    pub(super) async fn settle_first_key(
        &self,
        mount: &Mount,
        name: &RoleName,
        made: Result<AccessKeyId, StaticRoleError>,
    ) -> Result<StaticRole, StaticRoleError> {
        let stored = self.parts.store.static_role(&mount.id, name).await?;
        let error = match made {
            Ok(_key) => return stored.ok_or_else(|| StaticRoleError::Gone(name.clone())),
            Err(error) => error,
        };
        match stored {
            Some(role) if role.access_key.is_none() && role.change.is_none() => {
                self.parts.store.remove_static_role(&mount.id, name).await?;
                Err(error)
            }
            Some(_) => {
                self.settle_rotation(&mount.id, name, Err(&error)).await?;
                self.rotations.wake();
                Err(error.of_a_role_that_stays())
            }
            None => Err(error),
        }
    }

    /// Writes down how a try ended, on what is stored: after a failed write, memory may say something else.
    async fn settle_rotation(
        &self,
        mount: &MountId,
        name: &RoleName,
        ended: Result<(), &StaticRoleError>,
    ) -> Result<(), StoreError> {
        let Some(mut role) = self.parts.store.static_role(mount, name).await? else {
            return Ok(());
        };
        let before = role.clone();
        match ended {
            // The switch wrote down that it went well.
            Ok(()) => {}
            Err(error) => {
                self.rotated.failed(RotatedKey::Static);
                plan::failed(&mut role.progress, error.shown(), self.parts.clock.now());
            }
        }
        role.due_at = self.static_due(&role);
        if role == before {
            return Ok(());
        }
        self.parts.store.save_static_role(&role).await
    }

    /// What the writer of a new role should know of its user's other key.
    pub(super) async fn crowded(&self, role: &StaticRole) -> Option<String> {
        let keys = self.parts.accounts.keys(&role.mount).await.ok()?;
        let held = keys.access_keys(&role.user).await.ok()?;
        let other = held.iter().find(|key| role.access_key.as_ref() != Some(&key.id))?;
        (!role.replace_foreign_keys).then(|| {
            format!(
                "user `{}` has another access key, `{}`, which leasehold did not make: there is no room to rotate until it is deleted, or the role has replace_foreign_keys=true",
                role.user, other.id
            )
        })
    }
}

fn not_rotated(role: &StaticRole, source: KeyError) -> StaticRoleError {
    if source.is_internal() {
        return StaticRoleError::Fault(Box::new(source));
    }
    StaticRoleError::NotRotated { role: role.name.clone(), source: Box::new(source), after: "" }
}
