//! Removes a managed policy of a lease's own that no lease names: taken from what is ours, then deleted with all its
//! versions. Whose it is and who has it is asked of AWS right before; what somebody else has is never changed, and then
//! nothing is. A policy is nobody's credential, so that there is no row for it: one that stays is found again.

use super::{Orphaned, ReconcileError};
use crate::auth::Caller;
use crate::aws::placement::lease_of;
use crate::aws::{Access, AwsError, Belongings, PolicyHolders, RefusalKind};
use crate::engine::Engine;
use crate::model::{OrphanPolicy, PolicyArn, UserName};

impl Engine {
    /// Removes it; one that is gone already is removed.
    pub(super) async fn remove_policy(
        &self,
        caller: &Caller,
        orphan: &OrphanPolicy,
    ) -> Result<(), ReconcileError> {
        let access = self.parts.accounts.access(&orphan.mount).await?;
        let broker = self.parts.settings.broker.as_str();
        let arn = &orphan.arn;
        match access.provider.policy_ownership(arn).await? {
            None => self.is_gone(&access, arn).await?,
            Some(owner)
                if owner.is_of(broker, &orphan.lease)
                    && lease_of(arn, broker).as_ref() == Some(&orphan.lease) =>
            {
                self.has_no_lease(orphan).await?;
                let users = self.own_holders(&access, orphan).await?;
                take_away(&access, arn, &users).await?;
            }
            Some(_anothers) => return Err(ReconcileError::NotOurs(Orphaned::Policy(arn.clone()))),
        }
        self.parts.store.forget_orphan(&orphan.policy_id).await?;
        tracing::warn!(
            aws.policy = %arn, caller = %caller.accessor().0, "policy {arn} without a lease is removed"
        );
        Ok(())
    }

    async fn has_no_lease(&self, orphan: &OrphanPolicy) -> Result<(), ReconcileError> {
        match self.parts.leases.by_tag(&orphan.lease).await? {
            Some(lease) if !super::act::is_over(&lease.state) => Err(ReconcileError::HasLease {
                what: Orphaned::Policy(orphan.arn.clone()),
                lease: lease.id.to_string(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Only keys of the policy's own account can say that it is not there.
    async fn is_gone(&self, access: &Access, arn: &PolicyArn) -> Result<(), ReconcileError> {
        let needed = arn.as_str().split(':').nth(4).unwrap_or_default();
        let has = match self.parts.accounts.own_account(access).await? {
            Some(has) if has == needed => return Ok(()),
            Some(has) => format!("the keys of its mount are of account `{has}`"),
            None => "it cannot be found out which account the keys of its mount are of".to_owned(),
        };
        Err(ReconcileError::PolicyElsewhere { policy: arn.clone(), has })
    }

    /// The users that it is to be taken from, where nobody else has it.
    async fn own_holders(
        &self,
        access: &Access,
        orphan: &OrphanPolicy,
    ) -> Result<Vec<UserName>, ReconcileError> {
        let in_use = |kind: &str, name: &str| ReconcileError::PolicyInUse {
            policy: orphan.arn.clone(),
            use_of: format!("attached to {kind} `{name}`"),
        };
        let PolicyHolders { users, groups, roles } =
            access.provider.policy_holders(&orphan.arn).await?;
        if let Some(group) = groups.first() {
            return Err(in_use("group", group));
        }
        if let Some(role) = roles.first() {
            return Err(in_use("role", role));
        }
        let asked = users.into_iter().map(|user| (user.clone(), user)).collect();
        let mut ours = Vec::new();
        for (user, owner) in self.user_owners(access, asked).await? {
            match owner {
                Some(owner) if owner.is_of(&self.parts.settings.broker, &orphan.lease) => {
                    ours.push(user);
                }
                Some(_) => return Err(in_use("user", user.as_str())),
                None => {}
            }
        }
        Ok(ours)
    }
}

async fn take_away(
    access: &Access,
    arn: &PolicyArn,
    users: &[UserName],
) -> Result<(), ReconcileError> {
    for user in users {
        let policy = Belongings { attached_policies: vec![arn.clone()], ..Belongings::default() };
        access.provider.remove_belongings(user, &policy).await?;
    }
    match access.provider.remove_lease_policy(arn).await {
        Ok(()) => Ok(()),
        Err(AwsError::Refused { kind: RefusalKind::StillOwns, .. }) => {
            let use_of = "attached to something else, or a boundary".to_owned();
            Err(ReconcileError::PolicyInUse { policy: arn.clone(), use_of })
        }
        Err(error) => Err(error.into()),
    }
}
