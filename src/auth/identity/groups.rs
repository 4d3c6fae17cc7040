//! Groups of entities, and of groups: internal ones alone, whose members are written by hand. A group is never in
//! itself, neither directly nor by others.

use std::collections::BTreeMap;

use tracing::info;

use super::super::Auth;
use super::super::methods::policy_names;
use super::IdentityError;
use crate::auth::acl;
use crate::model::{EntityId, Group, GroupId};
use crate::store::StoreError;

/// Which group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKey<'a> {
    /// By its id.
    Id(&'a str),
    /// By its name, in any case.
    Name(&'a str),
}

/// A change; `None` = not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// `internal`.
    pub kind: Option<String>,
    /// All of its metadata.
    pub metadata: Option<BTreeMap<String, String>>,
    /// All of its policies.
    pub policies: Option<Vec<String>>,
    /// All entities in it.
    pub members: Option<Vec<EntityId>>,
    /// All groups in it.
    pub member_groups: Option<Vec<GroupId>>,
}

impl Auth {
    /// A group, and the groups that it is in itself.
    pub async fn group(
        &self,
        key: GroupKey<'_>,
    ) -> Result<Option<(Group, Vec<GroupId>)>, StoreError> {
        let all = self.parts.store.groups().await?;
        let Some(group) = found(&all, key) else {
            return Ok(None);
        };
        let parents = all.iter().filter(|outer| outer.member_groups.contains(&group.id));
        let parents = parents.map(|outer| outer.id.clone()).collect();
        Ok(Some((group.clone(), parents)))
    }

    /// All groups, by id.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        self.parts.store.groups().await
    }

    /// Writes a group; tells it, and whether it is new. One that is named by an id must be there.
    pub async fn write_group(
        &self,
        key: Option<GroupKey<'_>>,
        change: GroupChange,
    ) -> Result<(Group, bool), IdentityError> {
        if let Some(kind) = change.kind.filter(|kind| !matches!(kind.as_str(), "" | "internal")) {
            return Err(IdentityError::GroupType(kind));
        }
        let policies = change.policies.map(|sent| policy_names(&sent));
        if policies.iter().flatten().any(|name| name == acl::ROOT) {
            return Err(IdentityError::Root);
        }
        let _alone = self.known.changing.lock().await;
        let now = self.parts.clock.now();
        let all = self.parts.store.groups().await?;
        let stored = key.and_then(|key| found(&all, key)).cloned();
        let is_new = stored.is_none();
        let mut group = match (stored, key) {
            (Some(stored), _) => stored,
            (None, Some(GroupKey::Id(id))) => return Err(IdentityError::NoGroup(id.to_owned())),
            (None, named) => Group {
                id: GroupId(self.parts.random.uuid()),
                name: match named {
                    Some(GroupKey::Name(name)) => name.to_owned(),
                    Some(GroupKey::Id(_)) | None => String::new(),
                },
                metadata: BTreeMap::new(),
                policies: Vec::new(),
                members: Vec::new(),
                member_groups: Vec::new(),
                created_at: now,
                updated_at: now,
            },
        };
        group.name = change.name.filter(|name| !name.is_empty()).unwrap_or(group.name);
        if group.name.is_empty() {
            return Err(IdentityError::GroupNameMissing);
        }
        group.metadata = change.metadata.unwrap_or(group.metadata);
        group.policies = policies.unwrap_or(group.policies);
        group.members = change.members.map_or(group.members, once_each);
        group.member_groups = change.member_groups.map_or(group.member_groups, once_each);
        group.updated_at = now;
        self.check_members(&group).await?;
        check_ring(&all, &group)?;
        self.parts.store.put_group(&group).await.map_err(|error| match error {
            StoreError::Conflict => IdentityError::GroupName,
            failed @ (StoreError::Failed(_) | StoreError::Closed) => failed.into(),
        })?;
        self.known.forget();
        info!(group.id = %group.id.0, "group {} written", group.name);
        Ok((group, is_new))
    }

    async fn check_members(&self, group: &Group) -> Result<(), IdentityError> {
        for member in &group.members {
            if self.parts.store.entity(member).await?.is_none() {
                return Err(IdentityError::NoEntity(member.0.clone()));
            }
        }
        Ok(())
    }

    /// Removes a group; one that is not there is removed already.
    pub async fn remove_group(&self, key: GroupKey<'_>) -> Result<(), IdentityError> {
        let _alone = self.known.changing.lock().await;
        if let Some(group) = found(&self.parts.store.groups().await?, key) {
            self.parts.store.remove_group(&group.id).await?;
            self.known.forget();
            info!(group.id = %group.id.0, "group {} removed", group.name);
        }
        Ok(())
    }
}

fn found<'g>(all: &'g [Group], key: GroupKey<'_>) -> Option<&'g Group> {
    let folded = |text: &str| text.to_lowercase();
    all.iter().find(|group| match key {
        GroupKey::Id(id) => group.id.0 == id,
        GroupKey::Name(name) => folded(&group.name) == folded(name),
    })
}

fn once_each<T: Ord>(mut sent: Vec<T>) -> Vec<T> {
    sent.sort_unstable();
    sent.dedup();
    sent
}

/// Members are there, and none of them, nor what is in them, is the group itself.
fn check_ring(all: &[Group], group: &Group) -> Result<(), IdentityError> {
    for member in &group.member_groups {
        let mut inside = vec![member];
        let mut at = 0;
        while let Some(id) = inside.get(at).copied() {
            if *id == group.id {
                return Err(IdentityError::Cycle(member.0.clone()));
            }
            let inner = all.iter().find(|one| one.id == *id);
            let inner = inner.ok_or_else(|| IdentityError::NoGroup(id.0.clone()))?;
            for deeper in &inner.member_groups {
                if !inside.contains(&deeper) {
                    inside.push(deeper);
                }
            }
            at = at.saturating_add(1);
        }
    }
    Ok(())
}
