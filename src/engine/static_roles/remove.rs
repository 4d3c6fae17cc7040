//! Removing our keys of a static role's user when the role goes. The role is out of sight from the first moment
//! and its row stays until AWS has none of its keys. Must never touch a key of others.

use tracing::warn;

use super::{StaticHolder, StaticRoleError};
use crate::aws::{AwsError, RefusalKind};
use crate::engine::Engine;
use crate::engine::rotation::change::Holder as _;
use crate::engine::rotation::steps::{SETTLING, remove_key};
use crate::engine::rotation::{KeyError, plan};
use crate::model::{AccessKeyId, KeyStep, RotationProgress, StaticRole, Timestamp};

/// What is left of a deleted role's keys.
enum Left {
    Nothing,
    /// A key that may have been made, to be looked for again then.
    PerhapsOne(Timestamp),
}

impl Engine {
    /// Removes our keys of a deleted role's user, then the role. Where that fails it is tried again.
    pub(super) async fn finish_deleting(&self, role: StaticRole) -> Result<(), StaticRoleError> {
        let now = self.parts.clock.now();
        let (mount, name) = (role.mount.clone(), role.name.clone());
        let mut holder = StaticHolder::new(self, role);
        match self.remove_keys(&holder).await {
            Ok(Left::Nothing) => {
                self.parts.store.remove_static_role(&mount, &name).await?;
                Ok(())
            }
            Ok(Left::PerhapsOne(until)) => {
                // What is left may be a key that no list shows yet.
                holder.role.access_key = None;
                holder.role.sealed_secret_key = None;
                holder.role.progress =
                    RotationProgress { retry_at: Some(until), ..RotationProgress::default() };
                holder.role.due_at = Some(until);
                self.parts.store.save_static_role(&holder.role).await?;
                Ok(())
            }
            Err(source) => {
                let source = Box::new(source);
                let error = StaticRoleError::NotCleaned { role: name, source };
                warn!(mount.id = %mount.0, error = %error, detail = error.detail(), "{}", error.shown());
                plan::failed(&mut holder.role.progress, error.shown(), now);
                holder.role.due_at = holder.role.progress.retry_at;
                self.parts.store.save_static_role(&holder.role).await?;
                Err(error)
            }
        }
    }

    async fn remove_keys(&self, holder: &StaticHolder<'_>) -> Result<Left, KeyError> {
        let role = &holder.role;
        let mut left = Left::Nothing;
        let mut ours: Vec<&AccessKeyId> = role.access_key.iter().collect();
        if let Some(change) = &role.change {
            ours.extend(&change.old);
            match &change.step {
                KeyStep::Created(made) => ours.push(made),
                KeyStep::Retiring { new, .. } => ours.push(new),
                KeyStep::Creating => {
                    let until = change.tried_at.after(SETTLING);
                    let found = self.sweep(holder, change, None).await?;
                    if !found && self.parts.clock.now() < until {
                        left = Left::PerhapsOne(until);
                    }
                }
            }
        }
        ours.sort();
        ours.dedup();
        let keys = holder.keys().await.map_err(KeyError::NoClient)?;
        for key in ours {
            match remove_key(&*keys, &role.user, key).await {
                Err(AwsError::Refused { kind: RefusalKind::Absent, .. }) | Ok(()) => {}
                Err(source) => return Err(KeyError::Call { call: "DeleteAccessKey", source }),
            }
        }
        Ok(left)
    }
}
