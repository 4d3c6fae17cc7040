//! The key of a static role as a [`Holder`]: it is stored in the role's own row, and the account of the mount
//! signs for its user. The order of things is [`crate::engine::rotation::change`]'s.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::aws::{AwsError, KeyProvider, NewAccessKey};
use crate::engine::Engine;
use crate::engine::rotation::change::Holder;
use crate::engine::rotation::{KeyError, plan};
use crate::metrics::RotatedKey;
use crate::model::{AccessKeyId, KeyChange, KeyStep, StaticRole, Timestamp};
use crate::store::StoreError;

/// What a sealed secret key is bound to: it opens nowhere else.
pub(super) fn seal_context(role: &StaticRole) -> String {
    format!("static-roles secret_key {} {}", role.mount.0, role.name)
}

/// A static role, at work.
pub(super) struct StaticHolder<'a> {
    engine: &'a Engine,
    /// As it is stored.
    pub(super) role: StaticRole,
}

impl<'a> StaticHolder<'a> {
    pub(super) fn new(engine: &'a Engine, role: StaticRole) -> Self {
        Self { engine, role }
    }

    async fn save(&mut self, mut role: StaticRole) -> Result<(), StoreError> {
        role.due_at = self.engine.static_due(&role);
        self.engine.parts.store.save_static_role(&role).await?;
        self.role = role;
        Ok(())
    }
}

impl Engine {
    /// When a static role has to be looked at.
    pub(super) fn static_due(&self, role: &StaticRole) -> Option<Timestamp> {
        let now = self.parts.clock.now();
        let soon = role.progress.retry_at.unwrap_or(now);
        let rotation = plan::due(self.static_next(role), &role.progress);
        match role.change.as_ref().map(|change| &change.step) {
            _ if role.deleting || role.access_key.is_none() => Some(soon),
            None => rotation,
            Some(KeyStep::Creating | KeyStep::Created(_)) => Some(soon),
            Some(KeyStep::Retiring { not_before, .. }) => {
                let retiring = role.progress.retry_at.unwrap_or(*not_before).max(*not_before);
                Some(rotation.map_or(retiring, |rotation| rotation.min(retiring)))
            }
        }
    }
}

#[async_trait]
impl Holder for StaticHolder<'_> {
    fn seal_context(&self) -> String {
        seal_context(&self.role)
    }

    fn change(&self) -> Option<&KeyChange> {
        self.role.change.as_ref()
    }

    fn overlap(&self) -> Duration {
        Duration::from_secs(self.role.overlap)
    }

    async fn in_use(&self) -> Result<Option<AccessKeyId>, StoreError> {
        Ok(self.role.access_key.clone())
    }

    async fn keys(&self) -> Result<Arc<dyn KeyProvider>, AwsError> {
        let accounts = &self.engine.parts.accounts;
        accounts.keys_in(&self.role.mount, self.role.account.as_deref()).await
    }

    async fn keys_to_undo(&self, _made: &NewAccessKey) -> Result<Arc<dyn KeyProvider>, AwsError> {
        self.keys().await
    }

    /// At STS alone: it is the one call that every user may make.
    async fn prove(&self, made: &NewAccessKey) -> Result<(), AwsError> {
        self.engine.parts.accounts.prove_key(&self.role.mount, made).await
    }

    async fn keep(&mut self, change: Option<KeyChange>) -> Result<(), StoreError> {
        self.save(StaticRole { change, ..self.role.clone() }).await
    }

    async fn switch(
        &mut self,
        made: &NewAccessKey,
        change: Option<KeyChange>,
    ) -> Result<(), KeyError> {
        let barrier = &self.engine.parts.barrier;
        let sealed = barrier.seal_secret_key(&made.secret, &seal_context(&self.role))?;
        let mut role = StaticRole {
            access_key: Some(made.id.clone()),
            sealed_secret_key: Some(sealed),
            change,
            ..self.role.clone()
        };
        role.progress.rotated_at = Some(self.engine.parts.clock.now());
        plan::went_well(&mut role.progress);
        self.save(role).await?;
        self.engine.rotated.done(RotatedKey::Static);
        Ok(())
    }
}
