//! The managed policy of a lease's own: made with the user, attached to it alone, removed with the lease.
//! Its path names the installation and the lease, which is how it is found again whatever happened in
//! between; one that does not lie under that path must never be touched.

use async_trait::async_trait;

use super::{AwsError, NewUser, Ownership};
use crate::model::{LeaseTag, PolicyArn, UserName};

/// Where the policies of all leases of an installation lie.
pub fn broker_path(broker: &str) -> String {
    format!("/leasehold/{broker}/")
}

/// Where a lease's policies lie: `/leasehold/<installation>/<lease>/`.
pub fn policy_path(broker: &str, lease: &LeaseTag) -> String {
    format!("{}{lease}/", broker_path(broker))
}

/// The lease right under whose path a policy lies; `None` where it lies elsewhere.
pub fn lease_of(arn: &PolicyArn, broker: &str) -> Option<LeaseTag> {
    let (_, path) = arn.as_str().split_once(":policy")?;
    let (lease, name) = path.strip_prefix(&broker_path(broker))?.split_once('/')?;
    let is_name = !name.is_empty() && !name.contains('/');
    lease.parse().ok().filter(|_| is_name)
}

/// The name of a lease's policy. Names are unique in an account whatever their path (IAM API reference,
/// `CreatePolicy`), so the lease is in it.
pub fn policy_name(lease: &LeaseTag) -> String {
    format!("leasehold-{lease}")
}

/// Who has a policy, attached or as a boundary, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyHolders {
    /// Users.
    pub users: Vec<UserName>,
    /// Groups.
    pub groups: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
}

/// What IAM does for the policies of leases.
#[async_trait]
pub trait PlacementProvider {
    /// `CreatePolicy` with the canonical bytes that were judged, path and tags in the one call.
    async fn create_lease_policy(&self, user: &NewUser) -> Result<PolicyArn, AwsError>;
    /// `AttachUserPolicy`; `arn` must be one of the user's lease.
    async fn attach_lease_policy(&self, user: &NewUser, arn: &PolicyArn) -> Result<(), AwsError>;
    /// The policies under the lease's path, all pages.
    async fn lease_policies(
        &self,
        broker: &str,
        lease: &LeaseTag,
    ) -> Result<Vec<PolicyArn>, AwsError>;
    /// The tags that say whose a policy is, `ListPolicyTags`; `None` when there is no such policy.
    async fn policy_ownership(&self, arn: &PolicyArn) -> Result<Option<Ownership>, AwsError>;
    /// Who has a policy, `ListEntitiesForPolicy`, all pages; nobody where it is gone.
    async fn policy_holders(&self, arn: &PolicyArn) -> Result<PolicyHolders, AwsError>;
    /// Deletes a policy with all its versions; fine when it is gone. Refused while anything has it.
    async fn remove_lease_policy(&self, arn: &PolicyArn) -> Result<(), AwsError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "abcdefghijklmnopqrstuvwx";

    #[test]
    fn a_policy_is_a_leases_only_right_under_its_path() {
        let of = |path: &str| {
            let arn = format!("arn:aws:iam::123456789012:policy{path}");
            lease_of(&arn.parse().unwrap(), "b").map(|lease| lease.to_string())
        };
        assert_eq!(of(&format!("/leasehold/b/{TAG}/leasehold-{TAG}")).as_deref(), Some(TAG));
        for other in [
            format!("/leasehold/b2/{TAG}/x"),
            format!("/leasehold/b/{TAG}/more/x"),
            format!("/more/leasehold/b/{TAG}/x"),
            "/leasehold/b/short/x".to_owned(),
            "/leasehold/b/x".to_owned(),
            "/x".to_owned(),
        ] {
            assert_eq!(of(&other), None, "{other}");
        }
    }
}
