//! Entities, written by hand: made, named, given policies and metadata, disabled, removed. What is written counts
//! for the next request of each of their tokens.

use std::collections::BTreeMap;

use tracing::info;

use super::super::Auth;
use super::super::methods::policy_names;
use super::IdentityError;
use crate::auth::acl;
use crate::model::{Entity, EntityId};
use crate::store::StoreError;

/// Which entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKey<'a> {
    /// By its id.
    Id(&'a str),
    /// By its name, in any case.
    Name(&'a str),
}

/// A change; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityChange {
    /// Its name.
    pub name: Option<String>,
    /// All of its metadata.
    pub metadata: Option<BTreeMap<String, String>>,
    /// All of its policies.
    pub policies: Option<Vec<String>>,
    /// Whether it is disabled.
    pub disabled: Option<bool>,
}

impl Auth {
    /// An entity.
    pub async fn entity(&self, key: EntityKey<'_>) -> Result<Option<Entity>, StoreError> {
        match key {
            EntityKey::Id(id) => self.parts.store.entity(&EntityId(id.to_owned())).await,
            EntityKey::Name(name) => self.parts.store.entity_by_name(name).await,
        }
    }

    /// All entities: ids, sorted, and names.
    pub async fn entity_names(&self) -> Result<Vec<(EntityId, String)>, StoreError> {
        self.parts.store.entity_names().await
    }

    /// Writes an entity; tells it, and whether it is new. One that is named by an id must be there, one that
    /// is named by nothing or by a free name is made.
    pub async fn write_entity(
        &self,
        key: Option<EntityKey<'_>>,
        change: EntityChange,
    ) -> Result<(Entity, bool), IdentityError> {
        let policies = change.policies.map(|sent| policy_names(&sent));
        if policies.iter().flatten().any(|name| name == acl::ROOT) {
            return Err(IdentityError::Root);
        }
        let _alone = self.known.changing.lock().await;
        let now = self.parts.clock.now();
        let stored = match key {
            Some(key) => self.entity(key).await?,
            None => None,
        };
        let is_new = stored.is_none();
        let mut entity = match (stored, key) {
            (Some(stored), _) => stored,
            (None, Some(EntityKey::Id(id))) => return Err(IdentityError::NoEntity(id.to_owned())),
            (None, named) => Entity {
                id: EntityId(self.parts.random.uuid()),
                name: match named {
                    Some(EntityKey::Name(name)) => name.to_owned(),
                    Some(EntityKey::Id(_)) | None => self.fresh_entity_name(),
                },
                metadata: BTreeMap::new(),
                policies: Vec::new(),
                disabled: false,
                created_at: now,
                updated_at: now,
                aliases: Vec::new(),
            },
        };
        entity.name = change.name.filter(|name| !name.is_empty()).unwrap_or(entity.name);
        entity.metadata = change.metadata.unwrap_or(entity.metadata);
        entity.policies = policies.unwrap_or(entity.policies);
        entity.disabled = change.disabled.unwrap_or(entity.disabled);
        entity.updated_at = now;
        self.parts.store.put_entity(&entity).await.map_err(|error| match error {
            StoreError::Conflict => IdentityError::EntityName,
            failed @ (StoreError::Failed(_) | StoreError::Closed) => failed.into(),
        })?;
        self.known.forget();
        info!(entity.id = %entity.id.0, "entity {} written", entity.name);
        Ok((entity, is_new))
    }

    /// Removes an entity: its tokens open nothing any more. One that is not there is removed already.
    pub async fn remove_entity(&self, key: EntityKey<'_>) -> Result<(), IdentityError> {
        let _alone = self.known.changing.lock().await;
        if let Some(entity) = self.entity(key).await? {
            self.parts.store.remove_entity(&entity.id).await?;
            self.known.forget();
            info!(entity.id = %entity.id.0, "entity {} removed", entity.name);
        }
        Ok(())
    }
}
