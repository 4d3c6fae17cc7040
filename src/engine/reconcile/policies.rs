//! Managed policies of leases that no lease names: they lie under this installation's path and carry its tags. The same
//! rules as for users: nothing is concluded from half a list, nothing that is younger than the settling time or whose
//! lease is under way is an orphan. What to do with one: [`super::remove_policy`].

use std::collections::HashSet;

use super::scope::Scope;
use super::{ReconcileError, earlier, owners};
use crate::aws::placement::{broker_path, lease_of};
use crate::aws::{Access, DiscoveryProvider, ListedPolicy, Ownership};
use crate::engine::Engine;
use crate::model::{LeaseTag, MountId, OrphanPolicy, Timestamp};
use crate::store::StoreError;

/// What there is of policies in an account.
#[derive(Debug, Default)]
pub(super) struct PolicyFindings {
    /// Those under this installation's path.
    pub(super) listed: usize,
    /// Those of them that are orphans.
    pub(super) orphans: Vec<OrphanPolicy>,
}

/// A policy, with the lease under whose path it lies and its tags.
#[derive(Debug)]
struct Candidate {
    policy: ListedPolicy,
    lease: LeaseTag,
    owner: Option<Ownership>,
}

impl Engine {
    /// Lists, reads the tags of those that no row knows, and only then the rows that decide.
    pub(super) async fn compare_policies(
        &self,
        discovery: &dyn DiscoveryProvider,
        access: &Access,
        scope: &Scope,
        started: Timestamp,
    ) -> Result<PolicyFindings, ReconcileError> {
        let broker = &scope.broker;
        let listed = discovery.policies_under(&broker_path(broker)).await?;
        let count = listed.len();
        let mut of_leases: Vec<(ListedPolicy, LeaseTag)> = listed
            .into_iter()
            .filter_map(|policy| lease_of(&policy.arn, broker).map(|lease| (policy, lease)))
            .collect();
        // A lease that ended a moment ago may still have its policy in the list: IAM is eventually consistent.
        let settling = self.parts.leases.settling();
        let since = earlier(started, settling);
        let known = self.held_tags(since, tags_of(&of_leases)).await?;
        of_leases.retain(|(_, lease)| !known.contains(lease));
        let wanted = tags_of(&of_leases);
        let candidates = candidates(access, of_leases).await?;
        // Only now: a row that was unfinished at any time since `since` is there still, and so is a later one.
        let held = self.held_tags(since, wanted).await?;
        let mount = scope.mounts.first().map(|(id, _)| id.clone());
        let mount = mount.unwrap_or_else(|| MountId(String::new()));
        let mut orphans: Vec<OrphanPolicy> = candidates
            .into_iter()
            .filter(|one| one.is_ours(broker) && !held.contains(&one.lease))
            .filter(|one| one.policy.created_at.after(settling) <= started)
            .map(|one| one.orphan(mount.clone(), started))
            .collect();
        orphans.sort_by(|one, other| one.arn.cmp(&other.arn));
        Ok(PolicyFindings { listed: count, orphans })
    }

    /// Those of the tags that a row has which was not gone at `since` or is not.
    async fn held_tags(
        &self,
        since: Timestamp,
        wanted: HashSet<LeaseTag>,
    ) -> Result<HashSet<LeaseTag>, StoreError> {
        let mut held = HashSet::new();
        if wanted.is_empty() {
            return Ok(held);
        }
        self.each_row(since, |row| {
            let tag = row.lease.tag();
            if wanted.contains(&tag) {
                held.insert(tag);
            }
        })
        .await?;
        Ok(held)
    }
}

fn tags_of(policies: &[(ListedPolicy, LeaseTag)]) -> HashSet<LeaseTag> {
    policies.iter().map(|(_, lease)| lease.clone()).collect()
}

async fn candidates(
    access: &Access,
    policies: Vec<(ListedPolicy, LeaseTag)>,
) -> Result<Vec<Candidate>, ReconcileError> {
    let asked = policies.into_iter().map(async |(policy, lease)| {
        let owner = access.provider.policy_ownership(&policy.arn).await?;
        Ok(((policy, lease), owner))
    });
    let owned = owners(asked).await?.into_iter();
    Ok(owned.map(|((policy, lease), owner)| Candidate { policy, lease, owner }).collect())
}

impl Candidate {
    /// One that went meanwhile is nobody's.
    fn is_ours(&self, broker: &str) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.is_of(broker, &self.lease))
    }

    fn orphan(self, mount: MountId, now: Timestamp) -> OrphanPolicy {
        OrphanPolicy {
            policy_id: self.policy.id,
            arn: self.policy.arn,
            mount,
            lease: self.lease,
            created_at: self.policy.created_at,
            found_at: now,
            seen_at: now,
            ignored_until: None,
        }
    }
}
