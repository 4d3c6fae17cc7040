//! Who stands behind a token, and what that adds to it: policies of its entity and of the groups that the entity
//! is in, and what templates in policies are filled with (contract 4). A token whose entity is gone or disabled
//! opens nothing. Entities and groups are written in [`entities`] and [`groups`]; a login finds its own in
//! [`person`].

use std::sync::Arc;

use super::acl::template::{AliasPart, GroupPart, Name};
use super::{Auth, AuthError};
use crate::model::{Entity, EntityAlias, EntityId, Group, Token};
use crate::store::StoreError;

mod alias;
pub mod entities;
mod error;
pub mod groups;
mod person;

pub use alias::{AliasChange, token_mount_accessor};
pub use entities::{EntityChange, EntityKey};
pub use error::IdentityError;
pub use groups::{GroupChange, GroupKey};

/// An entity with all groups that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    entity: Entity,
    /// Directly, then by groups that are in groups.
    groups: Vec<Group>,
    direct: usize,
    policies: Vec<String>,
}

impl Identity {
    /// Of an entity, among all groups that there are.
    pub fn of(entity: Entity, all: &[Group]) -> Self {
        let mut groups: Vec<&Group> =
            all.iter().filter(|group| group.members.contains(&entity.id)).collect();
        let direct = groups.len();
        let mut at = 0;
        while let Some(inner) = groups.get(at).copied() {
            for outer in all.iter().filter(|outer| outer.member_groups.contains(&inner.id)) {
                // Groups cannot be in themselves; were one so, it would be found once.
                if !groups.iter().any(|known| known.id == outer.id) {
                    groups.push(outer);
                }
            }
            at = at.saturating_add(1);
        }
        let own = entity.policies.iter();
        let policies = own.chain(groups.iter().flat_map(|group| &group.policies)).cloned();
        let mut policies: Vec<String> = policies.collect();
        policies.sort_unstable();
        policies.dedup();
        let groups = groups.into_iter().cloned().collect();
        Self { entity, groups, direct, policies }
    }

    /// Of its entity.
    pub fn id(&self) -> &EntityId {
        &self.entity.id
    }

    /// The entity.
    pub fn entity(&self) -> &Entity {
        &self.entity
    }

    /// What it adds to its tokens, by name, sorted.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }

    /// The groups that it is in, and those that it is in by them.
    pub fn groups(&self) -> (&[Group], &[Group]) {
        self.groups.split_at_checked(self.direct).unwrap_or((&self.groups, &[]))
    }

    /// What a name in a template stands for.
    pub fn tell(&self, name: &Name<'_>) -> Option<String> {
        match *name {
            Name::EntityId => Some(self.entity.id.0.clone()),
            Name::EntityName => Some(self.entity.name.clone()),
            Name::EntityMetadata(key) => self.entity.metadata.get(key).cloned(),
            Name::Alias(accessor, part) => {
                let mut aliases = self.entity.aliases.iter();
                of_alias(aliases.find(|alias| alias.mount_accessor == accessor)?, part)
            }
            Name::GroupById(id, part) => {
                of_group(self.groups.iter().find(|group| group.id.0 == id)?, part)
            }
            Name::GroupByName(name, part) => {
                of_group(self.groups.iter().find(|group| group.name == name)?, part)
            }
        }
    }
}

fn of_alias(alias: &EntityAlias, part: AliasPart<'_>) -> Option<String> {
    match part {
        AliasPart::Id => Some(alias.id.clone()),
        AliasPart::Name => Some(alias.name.clone()),
        AliasPart::Metadata(key) => alias.metadata.get(key).cloned(),
        AliasPart::CustomMetadata(key) => alias.custom_metadata.get(key).cloned(),
    }
}

fn of_group(group: &Group, part: GroupPart<'_>) -> Option<String> {
    match part {
        GroupPart::Id => Some(group.id.0.clone()),
        GroupPart::Name => Some(group.name.clone()),
        GroupPart::Metadata(key) => group.metadata.get(key).cloned(),
    }
}

impl Auth {
    /// An entity with its groups.
    pub async fn identity(&self, id: &EntityId) -> Result<Option<Arc<Identity>>, StoreError> {
        let generation = self.known.generation();
        if let Some(known) = self.known.identity(id) {
            return Ok(Some(known));
        }
        let Some(entity) = self.parts.store.entity(id).await? else {
            return Ok(None);
        };
        let identity = Arc::new(Identity::of(entity, &self.parts.store.groups().await?));
        self.known.keep_identity(generation, &identity);
        Ok(Some(identity))
    }

    /// Who stands behind a token. One whose entity is gone or disabled may do nothing.
    pub(super) async fn behind(&self, token: &Token) -> Result<Option<Arc<Identity>>, AuthError> {
        let Some(id) = &token.entity else {
            return Ok(None);
        };
        let found = self.identity(id).await?;
        let able = found.filter(|identity| !identity.entity.disabled);
        able.map(Some).ok_or(AuthError::Denied)
    }

    /// What the entity of a token adds to it, by name, sorted; nothing where that is gone.
    pub(super) async fn identity_policies(&self, token: &Token) -> Result<Vec<String>, AuthError> {
        let Some(id) = &token.entity else {
            return Ok(Vec::new());
        };
        let found = self.identity(id).await?;
        Ok(found.map(|identity| identity.policies.clone()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupId, Timestamp};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    pub(super) fn entity(id: &str) -> Entity {
        Entity {
            id: EntityId(id.to_owned()),
            name: format!("name-{id}"),
            metadata: [("team".to_owned(), "a".to_owned())].into(),
            policies: vec!["own".to_owned()],
            disabled: false,
            created_at: NOW,
            updated_at: NOW,
            aliases: vec![EntityAlias {
                id: "alias".to_owned(),
                name: "bob".to_owned(),
                mount_accessor: "auth_userpass_1".to_owned(),
                metadata: [("username".to_owned(), "bob".to_owned())].into(),
                custom_metadata: [("shift".to_owned(), "night".to_owned())].into(),
                created_at: NOW,
                updated_at: NOW,
            }],
        }
    }

    fn group(id: &str, members: &[&str], groups: &[&str]) -> Group {
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        Group {
            id: GroupId(id.to_owned()),
            name: format!("name.{id}"),
            metadata: [("k".to_owned(), id.to_owned())].into(),
            policies: vec![format!("of-{id}")],
            members: ids(members).into_iter().map(EntityId).collect(),
            member_groups: ids(groups).into_iter().map(GroupId).collect(),
            created_at: NOW,
            updated_at: NOW,
        }
    }

    #[test]
    fn policies_come_from_the_entity_its_groups_and_the_groups_of_those() {
        let all = [
            group("1", &["e"], &[]),
            group("2", &["other"], &["1"]),
            group("3", &[], &["2", "1"]),
            group("4", &["other"], &[]),
        ];
        let identity = Identity::of(entity("e"), &all);
        assert_eq!(identity.policies(), ["of-1", "of-2", "of-3", "own"]);
        let (direct, inherited) = identity.groups();
        let ids = |groups: &[Group]| groups.iter().map(|one| one.id.0.clone()).collect::<Vec<_>>();
        assert_eq!((ids(direct), ids(inherited)), (vec!["1".into()], vec!["2".into(), "3".into()]));
        let ring = [group("1", &["e"], &["2"]), group("2", &[], &["1"])];
        assert_eq!(Identity::of(entity("e"), &ring).groups.len(), 2, "a ring comes to an end");
    }

    #[test]
    fn templates_are_told_what_is_known_and_nothing_of_groups_that_it_is_not_in() {
        let all = [group("1", &["e"], &[]), group("2", &[], &[])];
        let identity = Identity::of(entity("e"), &all);
        let accessor = "auth_userpass_1";
        for (name, told) in [
            (Name::EntityId, Some("e")),
            (Name::EntityName, Some("name-e")),
            (Name::EntityMetadata("team"), Some("a")),
            (Name::EntityMetadata("none"), None),
            (Name::Alias(accessor, AliasPart::Name), Some("bob")),
            (Name::Alias(accessor, AliasPart::Id), Some("alias")),
            (Name::Alias(accessor, AliasPart::Metadata("username")), Some("bob")),
            (Name::Alias(accessor, AliasPart::CustomMetadata("shift")), Some("night")),
            (Name::Alias("auth_userpass_2", AliasPart::Name), None),
            (Name::GroupById("1", GroupPart::Name), Some("name.1")),
            (Name::GroupByName("name.1", GroupPart::Metadata("k")), Some("1")),
            (Name::GroupByName("name.1", GroupPart::Id), Some("1")),
            (Name::GroupById("2", GroupPart::Name), None),
        ] {
            assert_eq!(identity.tell(&name).as_deref(), told, "{name:?}");
        }
    }
}
