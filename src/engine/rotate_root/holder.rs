//! The root key as a [`Holder`]: where its parts are stored, who signs when, and how the account's client is
//! switched. Must never give up a key that `config/root` holds. The order of things is
//! [`crate::engine::rotation::change`]'s.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tracing::warn;

use crate::aws::{AwsError, KeyProvider, NewAccessKey, Outgoing};
use crate::engine::Engine;
use crate::engine::config::seal_context;
use crate::engine::rotation::change::Holder;
use crate::engine::rotation::{KeyError, steps};
use crate::metrics::RotatedKey;
use crate::model::{
    AccessKeyId, AccountBinding, KeyChange, MountId, RootRotation, RotationProgress,
};
use crate::store::StoreError;

/// How long calls that were signed with the old key may take to end. One attempt of a call takes 30 s at
/// most, and clients wait for a minute in all (contract 0.3).
const FAREWELL: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// The root key of a mount, and what is stored of its rotation.
pub(super) struct RootHolder<'a> {
    engine: &'a Engine,
    pub(super) rotation: RootRotation,
}

impl<'a> RootHolder<'a> {
    pub(super) async fn load(engine: &'a Engine, mount: &MountId) -> Result<Self, StoreError> {
        let stored = engine.parts.store.root_rotation(mount).await?;
        let mut holder = Self {
            engine,
            rotation: stored.unwrap_or_else(|| RootRotation {
                mount: mount.clone(),
                progress: RotationProgress::default(),
                change: None,
            }),
        };
        if holder.rotation.change.is_some() {
            // Whether a switch that failed was stored after all, only the store knows.
            holder.use_stored_key().await?;
        }
        Ok(holder)
    }

    /// Lets the account sign with what is stored.
    async fn use_stored_key(&mut self) -> Result<(), StoreError> {
        let engine = self.engine;
        let mount = &self.rotation.mount;
        let _alone = engine.config_changes.lock().await;
        if let Some(binding) = engine.parts.store.account_binding(mount).await? {
            match engine.account_settings(mount, &binding) {
                Ok(settings) => engine.parts.accounts.bind(mount, settings),
                Err(error) => {
                    warn!(mount.id = %mount.0, error = %error, "the root key of mount {} cannot be opened", mount.0);
                }
            }
        }
        Ok(())
    }

    async fn stored_binding(&self) -> Result<Option<AccountBinding>, StoreError> {
        self.engine.parts.store.account_binding(&self.rotation.mount).await
    }

    /// Whether `config/root` still holds the key that is being replaced.
    fn is_replaced(&self, binding: &AccountBinding) -> bool {
        let old = self.rotation.change.as_ref().and_then(|change| change.old.as_ref());
        old.is_some_and(|old| old.as_str() == binding.access_key)
    }
}

#[async_trait]
impl Holder for RootHolder<'_> {
    fn seal_context(&self) -> String {
        format!("rotate-root secret_key {}", self.rotation.mount.0)
    }

    fn change(&self) -> Option<&KeyChange> {
        self.rotation.change.as_ref()
    }

    fn overlap(&self) -> Duration {
        Duration::ZERO
    }

    async fn in_use(&self) -> Result<Option<AccessKeyId>, StoreError> {
        let binding = self.stored_binding().await?;
        Ok(binding.and_then(|binding| binding.access_key.parse().ok()))
    }

    async fn keys(&self) -> Result<Arc<dyn KeyProvider>, AwsError> {
        self.engine.parts.accounts.keys(&self.rotation.mount).await
    }

    /// Where `config/root` was written meanwhile, its key may be another user's: the new one removes itself.
    async fn keys_to_undo(&self, made: &NewAccessKey) -> Result<Arc<dyn KeyProvider>, AwsError> {
        let accounts = &self.engine.parts.accounts;
        match self.stored_binding().await {
            Ok(Some(binding)) if !self.is_replaced(&binding) => {
                accounts.keys_as(&self.rotation.mount, made).await
            }
            Ok(_) | Err(_) => accounts.keys(&self.rotation.mount).await,
        }
    }

    /// At STS and at IAM, where most calls go, and for the same user.
    async fn prove(&self, made: &NewAccessKey) -> Result<(), AwsError> {
        let (accounts, mount) = (&self.engine.parts.accounts, &self.rotation.mount);
        accounts.prove_key(mount, made).await?;
        accounts.keys_as(mount, made).await?.own_user().await.map(drop)
    }

    async fn keep(&mut self, change: Option<KeyChange>) -> Result<(), StoreError> {
        self.rotation.change = change;
        self.engine.parts.store.save_root_rotation(&self.rotation).await
    }

    async fn switch(
        &mut self,
        made: &NewAccessKey,
        change: Option<KeyChange>,
    ) -> Result<(), KeyError> {
        let engine = self.engine;
        let mount = self.rotation.mount.clone();
        let alone = engine.config_changes.lock().await;
        // The new one is there already where an earlier switch was stored and its answer was lost.
        let ours = |binding: &AccountBinding| {
            self.is_replaced(binding) || binding.access_key == made.id.as_str()
        };
        let Some(stored) = self.stored_binding().await?.filter(ours) else {
            return Err(KeyError::Superseded);
        };
        let sealed = engine.parts.barrier.seal_secret_key(&made.secret, &seal_context(&mount))?;
        let binding = AccountBinding {
            access_key: made.id.to_string(),
            sealed_secret_key: Some(sealed),
            ..stored
        };
        let settings = engine.account_settings(&mount, &binding)?;
        let mut rotation = self.rotation.clone();
        rotation.change = change;
        rotation.progress.rotated_at = Some(engine.parts.clock.now());
        engine.parts.store.switch_root_key(&binding, &rotation).await?;
        engine.rotated.done(RotatedKey::Root);
        self.rotation = rotation;
        let outgoing = engine.parts.accounts.outgoing(&mount);
        engine.parts.accounts.bind(&mount, settings);
        drop(alone);
        finished(&outgoing, &mount).await;
        Ok(())
    }
}

/// Waits for the calls that are signed with the old key. What takes longer fails, and is tried again with the
/// new one: a teardown never gives up.
async fn finished(outgoing: &Outgoing, mount: &MountId) {
    let mut waited = Duration::ZERO;
    while !outgoing.is_idle() {
        if waited >= FAREWELL {
            warn!(mount.id = %mount.0, "calls of mount {} that still sign with the old root key are cut short", mount.0);
            return;
        }
        steps::wait(LOOK).await;
        waited = waited.saturating_add(LOOK);
    }
}
