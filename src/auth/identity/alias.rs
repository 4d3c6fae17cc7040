//! Aliases, written by hand: that somebody whom a mount knows by a name is a certain entity. One entity has one
//! alias at a mount.

use std::collections::BTreeMap;

use tracing::info;

use super::super::Auth;
use super::IdentityError;
use crate::model::{Entity, EntityAlias, EntityId};
use crate::store::StoreError;

/// A change of an alias; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AliasChange {
    /// What the mount knows the entity by.
    pub name: Option<String>,
    /// The mount's public handle.
    pub mount_accessor: Option<String>,
    /// Whose alias it is.
    pub entity: Option<EntityId>,
    /// All of its custom metadata.
    pub custom_metadata: Option<BTreeMap<String, String>>,
}

/// Where the id of this installation is kept; its first digits end the accessor of the tokens' own mount.
const INSTALLATION: &str = "broker/id";

/// The accessor of the tokens' own mount.
pub fn token_mount_accessor(installation: &str) -> String {
    let hex = installation.chars().filter(char::is_ascii_hexdigit).take(8);
    format!("auth_token_{}", hex.collect::<String>())
}

impl Auth {
    /// The accessor of the tokens' own mount.
    pub(in crate::auth) async fn own_mount_accessor(&self) -> Result<String, StoreError> {
        let installation = self.parts.store.setting(INSTALLATION).await?.unwrap_or_default();
        Ok(token_mount_accessor(&String::from_utf8_lossy(&installation)))
    }

    /// Type and path of the auth mount with an accessor.
    pub async fn mount_of_accessor(
        &self,
        accessor: &str,
    ) -> Result<Option<(String, String)>, StoreError> {
        let mounts = self.auth_mounts();
        if let Some(mount) = mounts.iter().find(|mount| mount.accessor == accessor) {
            return Ok(Some((mount.method.as_str().to_owned(), format!("auth/{}", mount.path))));
        }
        let own = self.own_mount_accessor().await?;
        Ok((own == accessor).then(|| ("token".to_owned(), "auth/token/".to_owned())))
    }

    /// Whose alias it is, and which of theirs.
    pub async fn alias(&self, id: &str) -> Result<Option<(Entity, EntityAlias)>, StoreError> {
        let Some(entity) = self.parts.store.entity_of_alias_id(id).await? else {
            return Ok(None);
        };
        let alias = entity.aliases.iter().find(|alias| alias.id == id).cloned();
        Ok(alias.map(|alias| (entity, alias)))
    }

    /// Whom the mount with an accessor knows by a name.
    pub async fn entity_of_alias(
        &self,
        accessor: &str,
        name: &str,
    ) -> Result<Option<Entity>, StoreError> {
        self.parts.store.entity_of_alias(accessor, name).await
    }

    /// Ids of all aliases.
    pub async fn alias_ids(&self) -> Result<Vec<String>, StoreError> {
        self.parts.store.alias_ids().await
    }

    /// Writes an alias, by its id, else by its name and mount; tells its id and its entity's. Where no
    /// entity is named, an alias that is not there yet gets a new one.
    pub async fn write_alias(
        &self,
        id: Option<&str>,
        change: AliasChange,
    ) -> Result<(String, EntityId), IdentityError> {
        let _alone = self.known.changing.lock().await;
        let now = self.parts.clock.now();
        let stored = match id {
            Some(id) => {
                let found = self.alias(id).await?;
                Some(found.ok_or_else(|| IdentityError::NoAlias(id.to_owned()))?)
            }
            None => self.alias_by_name(&change).await?,
        };
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (owner, mut alias) = if let Some((owner, alias)) = stored {
            (Some(owner), alias)
        } else {
            let alias = EntityAlias {
                id: self.parts.random.uuid(),
                name: String::new(),
                mount_accessor: String::new(),
                metadata: BTreeMap::new(),
                custom_metadata: BTreeMap::new(),
                created_at: now,
                updated_at: now,
            };
            (None, alias)
        };
        alias.name = filled(change.name).unwrap_or(alias.name);
        alias.mount_accessor = filled(change.mount_accessor).unwrap_or(alias.mount_accessor);
        alias.custom_metadata = change.custom_metadata.unwrap_or(alias.custom_metadata);
        alias.updated_at = now;
        self.check_alias(&alias).await?;
        let entity = match (change.entity, owner) {
            (Some(id), _) => {
                let found = self.parts.store.entity(&id).await?;
                found.ok_or(IdentityError::NoEntity(id.0))?
            }
            (None, Some(owner)) => owner,
            (None, None) => {
                let written = (alias.id.clone(), self.newcomer(alias, now).await?.id);
                return Ok(written);
            }
        };
        if has_other(&entity, &alias) {
            return Err(IdentityError::SecondAlias);
        }
        let put = self.parts.store.put_alias(&entity.id, &alias).await;
        self.known.forget();
        put.map_err(|error| match error {
            StoreError::Conflict => IdentityError::AliasTaken,
            failed @ (StoreError::Failed(_) | StoreError::Closed) => failed.into(),
        })?;
        info!(entity.id = %entity.id.0, "alias {} written", alias.id);
        Ok((alias.id, entity.id))
    }

    async fn alias_by_name(
        &self,
        change: &AliasChange,
    ) -> Result<Option<(Entity, EntityAlias)>, StoreError> {
        let (Some(accessor), Some(name)) = (&change.mount_accessor, &change.name) else {
            return Ok(None);
        };
        let Some(entity) = self.parts.store.entity_of_alias(accessor, name).await? else {
            return Ok(None);
        };
        let alias = entity.aliases.iter().find(|one| one.mount_accessor == *accessor).cloned();
        Ok(alias.map(|alias| (entity, alias)))
    }

    async fn check_alias(&self, alias: &EntityAlias) -> Result<(), IdentityError> {
        if alias.name.is_empty() {
            return Err(IdentityError::AliasName);
        }
        if alias.mount_accessor.is_empty() {
            return Err(IdentityError::AccessorMissing);
        }
        match self.mount_of_accessor(&alias.mount_accessor).await? {
            Some(_) => Ok(()),
            None => Err(IdentityError::NoMount(alias.mount_accessor.clone())),
        }
    }

    /// Removes an alias if it is there; its entity stays.
    pub async fn remove_alias(&self, id: &str) -> Result<(), IdentityError> {
        let _alone = self.known.changing.lock().await;
        if let Some((mut entity, _)) = self.alias(id).await? {
            entity.aliases.retain(|alias| alias.id != id);
            self.parts.store.put_entity(&entity).await?;
            self.known.forget();
        }
        Ok(())
    }
}

/// Whether an entity has another alias at the same mount.
fn has_other(entity: &Entity, alias: &EntityAlias) -> bool {
    let same_mount = |one: &&EntityAlias| one.mount_accessor == alias.mount_accessor;
    entity.aliases.iter().filter(same_mount).any(|one| one.id != alias.id)
}
