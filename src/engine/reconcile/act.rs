//! What somebody decides about an orphan: keep it as a lease, remove it, or hear nothing of it for a while.
//! AWS and the rows are asked again first: between a list and a decision, days may go by. The removal of a user is a
//! lease's teardown, row and all; there is no second way to delete a user. Policies: [`super::remove_policy`].

use std::time::Duration;

use super::known::KnownOrphan;
use super::{Orphaned, ReconcileError};
use crate::auth::Caller;
use crate::aws::Belongings;
use crate::engine::Engine;
use crate::leases::Adoption;
use crate::model::{LeaseState, LeaseTag, Orphan, RoleName, Timestamp};

/// Under which role adopted users are shown: one that nobody writes by chance.
const ADOPTED: &str = "_adopted";
/// Part of the ARN of a managed policy that was made for one lease.
const OWN_POLICIES: &str = ":policy/leasehold/";

/// What to do with an orphan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrphanAction {
    /// A lease from now on, which ends after so long.
    Adopt(Duration),
    /// Torn down.
    Remove,
    /// Not told until then; `None` = told again.
    Ignore(Option<Timestamp>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The orphan as it was.
    pub orphan: KnownOrphan,
    /// The lease that a user has now.
    pub lease: Option<String>,
}

/// An orphan as AWS shows it.
struct StillOurs {
    tag: LeaseTag,
    found: Belongings,
    /// Whose keys see it; `None` where the endpoint does not say it as AWS does.
    account: Option<String>,
}

impl Engine {
    /// Does what was decided.
    pub async fn decide_orphan(
        &self,
        caller: &Caller,
        name_or_id: &str,
        action: OrphanAction,
    ) -> Result<Acted, ReconcileError> {
        let orphan = self.orphan(name_or_id).await?;
        let lease = match (action, &orphan) {
            (OrphanAction::Ignore(until), _) => {
                if !self.parts.store.ignore_orphan(orphan.id(), until).await? {
                    return Err(ReconcileError::NoOrphan(name_or_id.to_owned()));
                }
                None
            }
            (OrphanAction::Adopt(ttl), KnownOrphan::User(user)) => {
                Some(self.adopt(caller, user, ttl).await?)
            }
            (OrphanAction::Adopt(_), KnownOrphan::Policy(policy)) => {
                return Err(ReconcileError::PolicyAdopted(policy.arn.clone()));
            }
            (OrphanAction::Remove, KnownOrphan::User(user)) => {
                Some(self.remove_orphan(caller, user).await?)
            }
            (OrphanAction::Remove, KnownOrphan::Policy(policy)) => {
                self.remove_policy(caller, policy).await?;
                None
            }
        };
        Ok(Acted { orphan, lease })
    }

    async fn adopt(
        &self,
        caller: &Caller,
        orphan: &Orphan,
        ttl: Duration,
    ) -> Result<String, ReconcileError> {
        let StillOurs { tag, found, account } = self.still_ours(orphan).await?;
        if let Some(lease) = self.parts.leases.by_tag(&tag).await? {
            let (user, is_over) = (orphan.user.clone(), is_over(&lease.state));
            let lease = lease.id.to_string();
            return Err(if is_over {
                ReconcileError::LeaseEnded { user, lease }
            } else {
                ReconcileError::HasLease { what: Orphaned::User(user), lease }
            });
        }
        let key = found.access_keys.first().cloned();
        let key = key.ok_or_else(|| ReconcileError::NoKey(orphan.user.clone()))?;
        let until = self.parts.clock.now().after(ttl);
        let adoption = Adoption { account, ..self.adoption(caller, orphan, &tag, &found)? };
        let lease = self.parts.leases.adopt(adoption, key, until).await?;
        self.parts.store.forget_orphan(&orphan.user_id).await?;
        tracing::warn!(
            lease.id = %lease.id, aws.user = %orphan.user, caller = %caller.accessor().0,
            "user {} adopted as lease {}", orphan.user, lease.id
        );
        Ok(lease.id.to_string())
    }

    /// Tears an orphan down; a first pass that fails goes on like any other.
    async fn remove_orphan(
        &self,
        caller: &Caller,
        orphan: &Orphan,
    ) -> Result<String, ReconcileError> {
        let StillOurs { tag, found, account } = self.still_ours(orphan).await?;
        let id = match self.parts.leases.by_tag(&tag).await? {
            Some(lease) if is_over(&lease.state) => {
                let account = account.as_deref();
                self.parts.leases.remove_again(lease, orphan, account).await?
            }
            Some(lease) => {
                let (what, lease) = (Orphaned::User(orphan.user.clone()), lease.id.to_string());
                return Err(ReconcileError::HasLease { what, lease });
            }
            None => {
                let adoption = Adoption { account, ..self.adoption(caller, orphan, &tag, &found)? };
                self.parts.leases.adopt_to_remove(adoption).await?
            }
        };
        // It has a row from here on, which never gives up.
        self.parts.store.forget_orphan(&orphan.user_id).await?;
        tracing::warn!(
            lease.id = %id, aws.user = %orphan.user, caller = %caller.accessor().0,
            "user {} is torn down as lease {id}", orphan.user
        );
        self.parts.leases.revoke(&id).await?;
        Ok(id.to_string())
    }

    /// The orphan's tag, what it owns and where it is, asked of AWS now.
    async fn still_ours(&self, orphan: &Orphan) -> Result<StillOurs, ReconcileError> {
        let not_ours = || ReconcileError::NotOurs(Orphaned::User(orphan.user.clone()));
        let tag = orphan.lease.clone().ok_or_else(|| ReconcileError::NoTag(orphan.user.clone()))?;
        let access = self.parts.accounts.access(&orphan.mount).await?;
        let provider = &access.provider;
        let (owner, found) =
            tokio::join!(provider.ownership(&orphan.user), provider.belongings(&orphan.user));
        let owner = owner?.ok_or_else(not_ours)?;
        if !owner.is_of(&self.parts.settings.broker, &tag) {
            return Err(not_ours());
        }
        let found = found?.ok_or_else(not_ours)?;
        let account = self.parts.accounts.own_account(&access).await?;
        Ok(StillOurs { tag, found, account })
    }

    fn adoption(
        &self,
        caller: &Caller,
        orphan: &Orphan,
        tag: &LeaseTag,
        found: &Belongings,
    ) -> Result<Adoption, ReconcileError> {
        let no_mount = || ReconcileError::NoMount(orphan.mount.0.clone());
        let path = self.path_of(&orphan.mount).ok_or_else(no_mount)?;
        let role: RoleName = ADOPTED.parse().map_err(|_invalid| no_mount())?;
        let own = |arn: &crate::model::PolicyArn| arn.as_str().contains(OWN_POLICIES);
        Ok(Adoption {
            id: Adoption::id_for(&path, &role, tag),
            orphan: orphan.clone(),
            role,
            holder: caller.accessor().clone(),
            caller: caller.display_name().to_owned(),
            source: caller.remote(),
            access_key: found.access_keys.first().cloned(),
            account: None,
            managed_policy: found.attached_policies.iter().any(own),
        })
    }
}

pub(super) fn is_over(state: &LeaseState) -> bool {
    match state {
        LeaseState::Revoked { .. } => true,
        LeaseState::Pending | LeaseState::Active { .. } | LeaseState::Revoking(_) => false,
    }
}
