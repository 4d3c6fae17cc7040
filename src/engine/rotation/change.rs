//! Replacing an access key so that a crash at any step is finished or undone: write down the intent,
//! create, write down the key, prove it, switch, remove the old one. The same for the root key and for
//! static roles, which are two [`Holder`]s. Must never remove a key that it did not make, except the
//! `old` one, which its holder had in use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tracing::{info, warn};

use super::KeyError;
use super::steps::{SETTLING, proven, remove_key, strays};
use crate::aws::{AwsError, HeldKey, KeyProvider, NewAccessKey, RefusalKind};
use crate::engine::Engine;
use crate::model::{AccessKeyId, KeyChange, KeyStep, SecretAccessKey, UserName};
use crate::seal::SealError;
use crate::store::StoreError;

/// What has a key that can be replaced, and how it writes that down.
#[async_trait]
pub(in crate::engine) trait Holder: Send + Sync {
    /// What the new secret is sealed for.
    fn seal_context(&self) -> String;
    /// What is under way, as it is stored.
    fn change(&self) -> Option<&KeyChange>;
    /// How long the old key goes on working.
    fn overlap(&self) -> Duration;
    /// The key that is in use now; somebody may have put another one there than the change did.
    async fn in_use(&self) -> Result<Option<AccessKeyId>, StoreError>;
    /// Signs with the key that is in use.
    async fn keys(&self) -> Result<Arc<dyn KeyProvider>, AwsError>;
    /// Signs to remove a new key that will not be used.
    async fn keys_to_undo(&self, made: &NewAccessKey) -> Result<Arc<dyn KeyProvider>, AwsError>;
    /// Whether AWS takes a new key, asked once.
    async fn prove(&self, made: &NewAccessKey) -> Result<(), AwsError>;
    /// Writes down what is under way; durable when it returns.
    async fn keep(&mut self, change: Option<KeyChange>) -> Result<(), StoreError>;
    /// Puts the new key into use; durable when it returns.
    async fn switch(
        &mut self,
        made: &NewAccessKey,
        change: Option<KeyChange>,
    ) -> Result<(), KeyError>;
}

/// What is to be replaced.
#[derive(Debug)]
pub(in crate::engine) struct Wanted {
    /// Whose key.
    pub(in crate::engine) user: UserName,
    /// All keys of the user.
    pub(in crate::engine) held: Vec<HeldKey>,
    /// The one to replace.
    pub(in crate::engine) old: Option<AccessKeyId>,
}

impl Engine {
    /// Replaces a key; gives the new one. What was under way must have been seen to by
    /// [`Engine::resume`]: doubt that it left is carried on.
    pub(in crate::engine) async fn replace_key(
        &self,
        holder: &mut dyn Holder,
        wanted: Wanted,
    ) -> Result<AccessKeyId, KeyError> {
        let now = self.parts.clock.now();
        let earlier = holder.change();
        if let Some(KeyChange { step: KeyStep::Created(left), .. }) = earlier {
            return Err(KeyError::StillThere(left.clone()));
        }
        let doubt_since = earlier.map(|change| change.began_at);
        // What an earlier change may have made is none of those that were there before.
        let made = earlier.map(|change| strays(change, None, &wanted.held)).unwrap_or_default();
        let known = wanted.held.into_iter().map(|key| key.id).filter(|id| !made.contains(id));
        let change = KeyChange {
            user: wanted.user,
            began_at: doubt_since.unwrap_or(now),
            tried_at: now,
            known: known.collect(),
            old: wanted.old,
            doubt: doubt_since.is_some(),
            step: KeyStep::Creating,
            sealed_secret_key: None,
        };
        let keys = holder.keys().await.map_err(KeyError::NoClient)?;
        holder.keep(Some(change.clone())).await?;
        let made = match keys.replacement_key(&change.user).await {
            Ok(made) => made,
            Err(source) => {
                drop(keys);
                self.nothing_made(holder, &source).await?;
                return Err(KeyError::Call { call: "CreateAccessKey", source });
            }
        };
        drop(keys);
        let sealed = self.parts.barrier.seal_secret_key(&made.secret, &holder.seal_context())?;
        let created = KeyChange {
            step: KeyStep::Created(made.id.clone()),
            sealed_secret_key: Some(sealed),
            ..change
        };
        if let Err(error) = holder.keep(Some(created.clone())).await {
            // The secret is lost with this call; the row still knows that there may be a key.
            self.remove_unused(holder, &created.user, &made).await;
            return Err(error.into());
        }
        self.finish(holder, created, made).await
    }

    /// `CreateAccessKey` failed: after a refusal there is nothing, else the row stays.
    async fn nothing_made(
        &self,
        holder: &mut dyn Holder,
        source: &AwsError,
    ) -> Result<(), KeyError> {
        let doubt = holder.change().is_some_and(|change| change.doubt);
        match source {
            AwsError::Refused { .. } | AwsError::NotConfigured(_) if !doubt => {
                holder.keep(None).await?;
            }
            AwsError::Refused { .. } | AwsError::NotConfigured(_) => {}
            AwsError::Unclear { .. } => {
                if let Err(error) = self.resume(holder).await {
                    warn!(error = %error.shown(), "a key that may have been made is looked for later");
                }
            }
        }
        Ok(())
    }

    /// From a key that is written down to the end.
    async fn finish(
        &self,
        holder: &mut dyn Holder,
        created: KeyChange,
        made: NewAccessKey,
    ) -> Result<AccessKeyId, KeyError> {
        let user = created.user.clone();
        if let Err(source) = proven(holder, &made).await {
            self.undo(holder, &user, &made).await?;
            return Err(KeyError::NotProven { key: made.id, source });
        }
        let retiring = KeyChange {
            step: KeyStep::Retiring {
                new: made.id.clone(),
                not_before: self.parts.clock.now().after(holder.overlap()),
            },
            sealed_secret_key: None,
            ..created
        };
        let more = retiring.old.is_some() || retiring.doubt;
        match holder.switch(&made, more.then_some(retiring)).await {
            Ok(()) => {}
            Err(KeyError::Superseded) => {
                self.undo(holder, &user, &made).await?;
                return Err(KeyError::Superseded);
            }
            Err(error) => return Err(error),
        }
        info!(aws.user = %user, aws.access_key = %made.id, "access key {} of {user} is in use", made.id);
        self.retire(holder).await?;
        Ok(made.id)
    }

    /// Brings what is under way to its end, or undoes it. What is left afterwards is a key that may have
    /// been made and does not show yet, or an old one whose time has not come.
    pub(in crate::engine) async fn resume(&self, holder: &mut dyn Holder) -> Result<(), KeyError> {
        let Some(change) = holder.change().cloned() else {
            return Ok(());
        };
        match &change.step {
            KeyStep::Creating => {
                let found = self.sweep(holder, &change, None).await?;
                let settled = self.parts.clock.now() >= change.tried_at.after(SETTLING);
                if found || settled {
                    holder.keep(None).await?;
                }
                Ok(())
            }
            KeyStep::Created(id) => {
                let made = NewAccessKey { id: id.clone(), secret: self.kept_secret(holder)? };
                match self.finish(holder, change, made).await {
                    // It was undone: that is an end, too.
                    Ok(_) | Err(KeyError::Superseded | KeyError::NotProven { .. }) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            KeyStep::Retiring { .. } => self.retire(holder).await,
        }
    }

    /// The secret of a key that was written down.
    pub(in crate::engine) fn kept_secret(
        &self,
        holder: &dyn Holder,
    ) -> Result<SecretAccessKey, SealError> {
        let context = holder.seal_context();
        let sealed = holder.change().and_then(|change| change.sealed_secret_key.as_deref());
        let Some(sealed) = sealed else {
            return Err(SealError::NotOpened { context });
        };
        self.parts.barrier.open_secret_key(sealed, &context)
    }

    /// Removes the old key when its time has come.
    async fn retire(&self, holder: &mut dyn Holder) -> Result<(), KeyError> {
        let Some(change) = holder.change().cloned() else {
            return Ok(());
        };
        let KeyStep::Retiring { new, not_before } = &change.step else {
            return Ok(());
        };
        if self.parts.clock.now() < *not_before {
            return Ok(());
        }
        let in_use = holder.in_use().await?;
        if let Some(old) = change.old.as_ref().filter(|old| in_use.as_ref() == Some(*old)) {
            warn!(aws.user = %change.user, aws.access_key = %old,
                "access key {old} of {} is in use again and stays; {new}, which took its place, is nobody's now", change.user);
        } else if let Some(old) = &change.old {
            let keys = holder.keys().await.map_err(KeyError::NoClient)?;
            remove_key(&*keys, &change.user, old).await.map_err(|source| {
                KeyError::OldKeyRemains { new: new.clone(), old: old.to_string(), source }
            })?;
        }
        if change.doubt {
            self.sweep(holder, &change, Some(new)).await?;
        }
        holder.keep(None).await?;
        Ok(())
    }

    /// Removes what the change made and nobody knows; tells whether there was something.
    pub(in crate::engine) async fn sweep(
        &self,
        holder: &dyn Holder,
        change: &KeyChange,
        new: Option<&AccessKeyId>,
    ) -> Result<bool, KeyError> {
        let call = |call| move |source| KeyError::Call { call, source };
        let keys = holder.keys().await.map_err(KeyError::NoClient)?;
        let held = match keys.access_keys(&change.user).await {
            // Whoever has no user has no keys.
            Err(AwsError::Refused { kind: RefusalKind::Absent, .. }) => Vec::new(),
            held => held.map_err(call("ListAccessKeys"))?,
        };
        // What somebody wrote down meanwhile may be as young as what was made.
        let in_use = holder.in_use().await?;
        let mut strays = strays(change, new, &held);
        strays.retain(|stray| in_use.as_ref() != Some(stray));
        for stray in &strays {
            remove_key(&*keys, &change.user, stray).await.map_err(call("DeleteAccessKey"))?;
            warn!(aws.user = %change.user, aws.access_key = %stray,
                "access key {stray} of {} was made for nobody and is removed", change.user);
        }
        Ok(!strays.is_empty())
    }

    /// Removes a new key that will not be used, and ends the change.
    async fn undo(
        &self,
        holder: &mut dyn Holder,
        user: &UserName,
        made: &NewAccessKey,
    ) -> Result<(), KeyError> {
        if self.remove_unused(holder, user, made).await {
            holder.keep(None).await?;
        }
        Ok(())
    }

    async fn remove_unused(
        &self,
        holder: &dyn Holder,
        user: &UserName,
        made: &NewAccessKey,
    ) -> bool {
        let removed = match holder.keys_to_undo(made).await {
            // Not made inactive first: it may be the one that signs.
            Ok(keys) => keys.delete_key(user, &made.id).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &removed {
            warn!(aws.user = %user, aws.access_key = %made.id, error = %error,
                "access key {} is of no use and could not be removed: that is tried again", made.id);
        }
        removed.is_ok()
    }
}
