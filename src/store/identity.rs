//! Token roles, entities, groups. Names are unique whatever their case. What an entity adds to a token is
//! decided by [`crate::auth::identity`]; here it is only kept.

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Entity, EntityAlias, EntityId, Group, GroupId, TokenRole};

type Result<T> = std::result::Result<T, StoreError>;

/// Where token roles and identities are kept.
#[async_trait]
pub trait IdentityStore {
    /// A token role.
    async fn token_role(&self, name: &str) -> Result<Option<TokenRole>>;
    /// Names of the token roles, by byte value.
    async fn token_role_names(&self) -> Result<Vec<String>>;
    /// Writes a token role, whether or not there is one.
    async fn put_token_role(&self, role: &TokenRole) -> Result<()>;
    /// Removes a token role if it is there.
    async fn remove_token_role(&self, name: &str) -> Result<()>;

    /// An entity with its aliases.
    async fn entity(&self, id: &EntityId) -> Result<Option<Entity>>;
    /// An entity by its name, in any case.
    async fn entity_by_name(&self, name: &str) -> Result<Option<Entity>>;
    /// Whom the mount with this accessor knows by a name, in any case.
    async fn entity_of_alias(&self, mount_accessor: &str, name: &str) -> Result<Option<Entity>>;
    /// Whose alias it is.
    async fn entity_of_alias_id(&self, alias: &str) -> Result<Option<Entity>>;
    /// All entities, by id, with their names.
    async fn entity_names(&self) -> Result<Vec<(EntityId, String)>>;
    /// Ids of all aliases, sorted.
    async fn alias_ids(&self) -> Result<Vec<String>>;
    /// Writes an entity and its aliases: those that it has no longer are removed. [`StoreError::Conflict`]
    /// where another has its name or one of its aliases.
    async fn put_entity(&self, entity: &Entity) -> Result<()>;
    /// Writes an alias as an entity's, whoever had it before: it is never nobody's. [`StoreError::Conflict`]
    /// where another alias has its name at its mount.
    async fn put_alias(&self, entity: &EntityId, alias: &EntityAlias) -> Result<()>;
    /// Removes an entity with its aliases, from its groups too.
    async fn remove_entity(&self, id: &EntityId) -> Result<()>;
    /// Removes what a mount knew entities by.
    async fn remove_mount_aliases(&self, mount_accessor: &str) -> Result<()>;

    /// All groups, by id.
    async fn groups(&self) -> Result<Vec<Group>>;
    /// A group by its name, in any case.
    async fn group_by_name(&self, name: &str) -> Result<Option<Group>>;
    /// Writes a group; [`StoreError::Conflict`] where another has its name.
    async fn put_group(&self, group: &Group) -> Result<()>;
    /// Removes a group, from its groups too.
    async fn remove_group(&self, id: &GroupId) -> Result<()>;
}
