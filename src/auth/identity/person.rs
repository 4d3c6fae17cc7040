//! From a login to an entity: the one that the mount knows by that name, or a new one, as Vault does it. What the
//! login says of itself is kept with the alias, for templates.

use std::collections::BTreeMap;

use tracing::info;

use super::super::{Auth, AuthError};
use crate::model::{Entity, EntityAlias, EntityId, Timestamp};
use crate::store::StoreError;

/// New names are drawn until one is free: of four bytes, so that the second is all but surely so.
const DRAWS: usize = 8;

impl Auth {
    /// Whom a mount knows by `name`; somebody new where it knows nobody. Who is disabled is refused.
    pub(in crate::auth) async fn person(
        &self,
        mount_accessor: &str,
        name: &str,
        metadata: &BTreeMap<String, String>,
    ) -> Result<EntityId, AuthError> {
        let store = &self.parts.store;
        if let Some(known) = store.entity_of_alias(mount_accessor, name).await?
            && says_the_same(&known, mount_accessor, metadata)
        {
            return able(&known);
        }
        let _alone = self.known.changing.lock().await;
        let now = self.parts.clock.now();
        if let Some(mut known) = store.entity_of_alias(mount_accessor, name).await? {
            let id = able(&known)?;
            for alias in &mut known.aliases {
                if alias.mount_accessor == mount_accessor {
                    alias.metadata.clone_from(metadata);
                    alias.updated_at = now;
                }
            }
            store.put_entity(&known).await?;
            self.known.forget_one(&id);
            return Ok(id);
        }
        let alias = EntityAlias {
            id: self.parts.random.uuid(),
            name: name.to_owned(),
            mount_accessor: mount_accessor.to_owned(),
            metadata: metadata.clone(),
            custom_metadata: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        };
        let made = self.newcomer(alias, now).await?;
        info!(entity.id = %made.id.0, "entity {} made for a login", made.name);
        Ok(made.id)
    }

    /// An entity of which nothing is known but an alias; the caller holds the lock.
    pub(super) async fn newcomer(
        &self,
        alias: EntityAlias,
        now: Timestamp,
    ) -> Result<Entity, StoreError> {
        let mut entity = Entity {
            id: EntityId(self.parts.random.uuid()),
            name: String::new(),
            metadata: BTreeMap::new(),
            policies: Vec::new(),
            disabled: false,
            created_at: now,
            updated_at: now,
            aliases: vec![alias],
        };
        for _draw in 0..DRAWS {
            entity.name = self.fresh_entity_name();
            match self.parts.store.put_entity(&entity).await {
                Ok(()) => return Ok(entity),
                Err(StoreError::Conflict) => {}
                Err(failed) => return Err(failed),
            }
        }
        Err(StoreError::Conflict)
    }

    /// As Vault names those that nobody named.
    pub(super) fn fresh_entity_name(&self) -> String {
        format!("entity_{}", self.parts.random.hex(4))
    }
}

fn able(entity: &Entity) -> Result<EntityId, AuthError> {
    if entity.disabled { Err(AuthError::Denied) } else { Ok(entity.id.clone()) }
}

fn says_the_same(
    entity: &Entity,
    mount_accessor: &str,
    metadata: &BTreeMap<String, String>,
) -> bool {
    let mut aliases = entity.aliases.iter();
    aliases.any(|alias| alias.mount_accessor == mount_accessor && alias.metadata == *metadata)
}
