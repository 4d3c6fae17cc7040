//! What is there in an account, as the broker finds it: who it is itself, which users and policies there are, what it
//! may do. Only reads, with the patience of clean-up; nothing here changes anything. Whose a user is says
//! [`super::IamProvider::ownership`]; behind it: [`super::sdk`].

use std::sync::Arc;

use async_trait::async_trait;

use super::{Access, Accounts, AwsError};
use crate::model::{MountId, PolicyArn, Timestamp, UserName};

/// An IAM user as `ListUsers` shows it, without its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// Its name.
    pub name: UserName,
    /// Its path, `/` at both ends.
    pub path: String,
    /// AWS's unique id, `AIDA…`: never given twice.
    pub id: String,
    /// When AWS made it, by AWS's clock.
    pub created_at: Timestamp,
}

/// A managed policy as `ListPolicies` shows it, without its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPolicy {
    /// Its ARN, with path and name.
    pub arn: PolicyArn,
    /// AWS's unique id, `ANPA…`: never given twice.
    pub id: String,
    /// When AWS made it, by AWS's clock.
    pub created_at: Timestamp,
}

/// Who the broker is in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's id.
    pub account: String,
    /// The broker's own principal.
    pub arn: String,
}

/// What AWS says of one action, asked for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// The action, e.g. `iam:CreateUser`.
    pub action: String,
    /// Whether the broker's principal may.
    pub allowed: bool,
}

/// A question to `SimulatePrincipalPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation<'a> {
    /// Whose permissions: an IAM user or role, not a session.
    pub principal: &'a str,
    /// Which actions.
    pub actions: &'a [&'a str],
    /// On what.
    pub resource: &'a str,
    /// With which permissions boundary, where one is asked for.
    pub boundary: Option<&'a str>,
}

/// Looks around in one account.
#[async_trait]
pub trait DiscoveryProvider: std::fmt::Debug + Send + Sync + 'static {
    /// `ListUsers` under a path, to the last page; a page that fails fails all.
    async fn users_under(&self, path: &str) -> Result<Vec<ListedUser>, AwsError>;
    /// `ListPolicies` of the account's own under a path, to the last page; a page that fails fails all.
    async fn policies_under(&self, path: &str) -> Result<Vec<ListedPolicy>, AwsError>;
    /// `ListUsers` for one user at most: whether IAM answers, and its clock.
    async fn glance(&self) -> Glance;
    /// `SimulatePrincipalPolicy`.
    async fn simulate(&self, question: Simulation<'_>) -> Result<Vec<Simulated>, AwsError>;
}

/// What an STS endpoint of a mount said when it was asked who the broker is, which needs no permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsEndpoint {
    /// Its host name and port.
    pub host: String,
    /// Its answer, or why there is none that counts.
    pub answer: Result<Identity, AwsError>,
    /// Its clock, to the second, where it answered at all, a refusal too, and said it.
    pub aws_time: Option<Timestamp>,
}

/// What IAM said when it was asked for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Whether it answers.
    pub answer: Result<(), AwsError>,
    /// Its clock, as of [`StsEndpoint`].
    pub aws_time: Option<Timestamp>,
}

impl Accounts {
    /// Looks around in the account of a mount.
    pub async fn discovery(&self, mount: &MountId) -> Result<Arc<dyn DiscoveryProvider>, AwsError> {
        let provider = self.sdk_provider(mount).await?;
        Ok(provider)
    }

    /// The same, with what reads and changes it by the same keys.
    pub async fn look_around(
        &self,
        mount: &MountId,
    ) -> Result<(Arc<dyn DiscoveryProvider>, Access), AwsError> {
        let (provider, access) = self.sdk_access(mount).await?;
        Ok((provider, access))
    }
}
