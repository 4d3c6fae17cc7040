//! The orphans that the last comparison left behind, users and policies, by name or by AWS's id. Changes nothing; what
//! somebody decides about one is in [`super::act`].

use super::ReconcileError;
use crate::engine::Engine;
use crate::model::{Orphan, OrphanPolicy, Timestamp};
use crate::store::StoreError;

/// A user or a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownOrphan {
    /// A user.
    User(Orphan),
    /// A policy of a lease's own.
    Policy(OrphanPolicy),
}

impl KnownOrphan {
    /// AWS's id.
    pub fn id(&self) -> &str {
        match self {
            Self::User(user) => &user.user_id,
            Self::Policy(policy) => &policy.policy_id,
        }
    }

    /// Its name, without a path.
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => user.user.as_str(),
            Self::Policy(policy) => policy.name(),
        }
    }
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownOrphans {
    /// Users, by name.
    pub users: Vec<Orphan>,
    /// Policies, by ARN.
    pub policies: Vec<OrphanPolicy>,
}

impl KnownOrphans {
    /// Until when nobody is to be told of the one with this id.
    pub(super) fn ignored_until(&self, id: &str) -> Option<Timestamp> {
        let user = self.users.iter().find(|user| user.user_id == id);
        let policy = self.policies.iter().find(|policy| policy.policy_id == id);
        user.and_then(|user| user.ignored_until)
            .or_else(|| policy.and_then(|policy| policy.ignored_until))
    }
}

impl Engine {
    /// Every orphan of the last comparison.
    pub async fn known_orphans(&self) -> Result<KnownOrphans, StoreError> {
        let store = &self.parts.store;
        Ok(KnownOrphans { users: store.orphans().await?, policies: store.orphan_policies().await? })
    }

    /// The orphan of that name or id.
    pub async fn orphan(&self, name_or_id: &str) -> Result<KnownOrphan, ReconcileError> {
        let KnownOrphans { users, policies } = self.known_orphans().await?;
        let users = users.into_iter().map(KnownOrphan::User);
        let all = users.chain(policies.into_iter().map(KnownOrphan::Policy));
        let mut hits = all.filter(|one| one.id() == name_or_id || one.name() == name_or_id);
        let first = hits.next().ok_or_else(|| ReconcileError::NoOrphan(name_or_id.to_owned()))?;
        if hits.next().is_some() && first.id() != name_or_id {
            return Err(ReconcileError::Ambiguous(name_or_id.to_owned()));
        }
        Ok(first)
    }
}
