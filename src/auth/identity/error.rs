//! Why nothing of an identity was written or found. The texts are Vault's where it has them.

use crate::model::go_text::quote;
use crate::store::StoreError;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// An entity or a group cannot make root.
    #[error("policies cannot contain root")]
    Root,
    /// No such entity; holds what was named.
    #[error("invalid entity ID {}", quote(.0))]
    NoEntity(String),
    /// No such alias; holds what was named.
    #[error("invalid alias ID {}", quote(.0))]
    NoAlias(String),
    /// No such group; holds what was named.
    #[error("invalid group ID {}", quote(.0))]
    NoGroup(String),
    /// Another has the name.
    #[error("entity name is already in use")]
    EntityName,
    /// Another has the name.
    #[error("group name is already in use")]
    GroupName,
    /// A group without a name.
    #[error("missing group name")]
    GroupNameMissing,
    /// No such group type is offered.
    #[error("invalid group type {}", quote(.0))]
    GroupType(String),
    /// A group would be in itself; holds the member.
    #[error("cyclic relationship detected for member group ID {}", quote(.0))]
    Cycle(String),
    /// An alias without a name.
    #[error("missing alias name")]
    AliasName,
    /// An alias without a mount.
    #[error("missing mount_accessor")]
    AccessorMissing,
    /// No auth mount has it.
    #[error("invalid mount accessor {}", quote(.0))]
    NoMount(String),
    /// One entity has one alias at a mount.
    #[error(
        "the entity has an alias at that mount already\nhelp: remove that one, or write it by its id"
    )]
    SecondAlias,
    /// Another entity has the alias.
    #[error("alias with the same name and mount accessor belongs to another entity")]
    AliasTaken,
    /// Nothing to look for.
    #[error("query parameters not supplied")]
    NothingToLookFor,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
