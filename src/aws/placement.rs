//! The managed policy of a lease's own: made with the user, attached to it alone, removed with the lease.
//! Its path names the installation and the lease, which is how it is found again whatever happened in
//! between; one that does not lie under that path must never be touched.

use async_trait::async_trait;

use super::{AwsError, NewUser};
use crate::model::{LeaseTag, PolicyArn};

/// Where a lease's policies lie: `/leasehold/<installation>/<lease>/`.
pub fn policy_path(broker: &str, lease: &LeaseTag) -> String {
    format!("/leasehold/{broker}/{lease}/")
}

/// The name of a lease's policy. Names are unique in an account whatever their path (IAM API reference,
/// `CreatePolicy`), so the lease is in it.
pub fn policy_name(lease: &LeaseTag) -> String {
    format!("leasehold-{lease}")
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
    /// Deletes a policy with all its versions; fine when it is gone. Refused while anything has it.
    async fn remove_lease_policy(&self, arn: &PolicyArn) -> Result<(), AwsError>;
}
