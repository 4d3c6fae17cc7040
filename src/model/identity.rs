//! Who stands behind tokens: entities, the names that auth mounts know them by, and groups of them. Plain
//! data; whoever is behind a token, and what that adds to it, is decided in [`crate::auth::identity`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The stable identity of an entity: a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityId(pub String);

/// The stable identity of a group: a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub String);

/// Somebody, whichever way they log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Stable identity.
    pub id: EntityId,
    /// Unique, whatever its case.
    pub name: String,
    /// For templates in policies.
    pub metadata: BTreeMap<String, String>,
    /// ACL policies by name, sorted; they join those of each token.
    pub policies: Vec<String>,
    /// Whether its tokens open nothing and it cannot log in.
    pub disabled: bool,
    /// When.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// What auth mounts know it by; at most one each.
    #[serde(default)]
    pub aliases: Vec<EntityAlias>,
}

/// What an auth mount knows an entity by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityAlias {
    /// A UUID.
    pub id: String,
    /// A user name, a role id; unique at its mount.
    pub name: String,
    /// The mount's public handle.
    pub mount_accessor: String,
    /// What the last login said.
    pub metadata: BTreeMap<String, String>,
    /// Written by hand.
    pub custom_metadata: BTreeMap<String, String>,
    /// When.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// Entities with something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Stable identity.
    pub id: GroupId,
    /// Unique, whatever its case.
    pub name: String,
    /// For templates in policies.
    pub metadata: BTreeMap<String, String>,
    /// ACL policies by name, sorted; they join those of its members' tokens.
    pub policies: Vec<String>,
    /// Who is in it.
    pub members: Vec<EntityId>,
    /// Groups whose members are in it too.
    pub member_groups: Vec<GroupId>,
    /// When.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}
