//! Why nothing was issued, in the contract's words (1.5, 1.11). Of an AWS failure only what
//! [`AwsError::for_caller`] lets through is told. Which status goes with it is the wire's to say.

use std::fmt;
use std::sync::Arc;

use super::NotServing;
use super::idempotency::BadKey;
use super::issue::CredsEndpoint;
use super::quarantine::Quarantined;
use super::username::UsernameError;
use crate::aws::{AwsError, RefusalKind};
use crate::leases::LeaseError;
use crate::model::{CredentialType, Finding, LeaseId, RoleName, Verdict};
use crate::seal::SealError;
use crate::store::StoreError;

/// A call of the issue, for the beginning of its error text (contract 1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueStep {
    /// Nothing was sent: there is no client.
    Client,
    /// `CreateUser`.
    CreateUser,
    /// `AttachUserPolicy`.
    AttachUserPolicy,
    /// `PutUserPolicy`.
    PutUserPolicy,
    /// `CreatePolicy`, of the lease's own policy.
    CreatePolicy,
    /// `AddUserToGroup`.
    AddUserToGroup,
    /// `CreateAccessKey`.
    CreateAccessKey,
    /// `AssumeRole`.
    AssumeRole,
    /// `GetFederationToken` or `GetSessionToken`.
    GenerateSession,
}

impl fmt::Display for IssueStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "Error building the AWS client",
            Self::CreateUser => "Error creating IAM user",
            Self::AttachUserPolicy => "Error attaching user policy",
            Self::PutUserPolicy => "Error putting user policy",
            Self::CreatePolicy => "Error creating the policy of the lease",
            Self::AddUserToGroup => "Error adding user to group",
            Self::CreateAccessKey => "Error creating access keys",
            Self::AssumeRole => "Error assuming role",
            Self::GenerateSession => "Error generating STS keys",
        })
    }
}

impl IssueStep {
    /// What state a failed call leaves behind, and what to do.
    const fn left(self, error: &AwsError) -> &'static str {
        let is_throttled = matches!(error, AwsError::Refused { kind: RefusalKind::Throttled, .. });
        let is_unclear = matches!(error, AwsError::Unclear { .. });
        match self {
            Self::Client => "nothing was sent to AWS; see config/root of the mount",
            Self::CreateUser | Self::AssumeRole | Self::GenerateSession if is_throttled => {
                "nothing was made; ask again in a moment"
            }
            Self::CreateUser if is_unclear => {
                "nothing was handed out, and if AWS made the user after all it is removed; ask again"
            }
            Self::AssumeRole | Self::GenerateSession if is_unclear => {
                "nothing was handed out, and what AWS may have made ends by itself; ask again"
            }
            Self::CreateUser | Self::AssumeRole | Self::GenerateSession => {
                "nothing was made; mend what AWS names, then ask again"
            }
            Self::AttachUserPolicy
            | Self::PutUserPolicy
            | Self::CreatePolicy
            | Self::AddUserToGroup
            | Self::CreateAccessKey => {
                if is_throttled || is_unclear {
                    "nothing was handed out, and the user that was made is being removed; ask again"
                } else {
                    "nothing was handed out, and the user that was made is being removed; mend what AWS names, then ask again"
                }
            }
        }
    }
}

/// Why nothing was issued. The texts are the contract's (1.5, 1.11) where it has them.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// There is no such role.
    #[error("Role \"{0}\" not found")]
    RoleNotFound(RoleName),
    /// A legacy role gives its type by that type's own path alone.
    #[error(
        "attempted to retrieve {} credentials through the {} path; this is not allowed for legacy roles",
        .kind.as_str(), .endpoint.as_str()
    )]
    LegacyPath {
        /// What the role gives.
        kind: CredentialType,
        /// What was asked.
        endpoint: CredsEndpoint,
    },
    /// The TTL would be cut, and the role says to refuse that.
    #[error(
        "a TTL of {requested} seconds would be cut to {granted} by {by}, and role `{role}` has strict_ttl\nhelp: {help}"
    )]
    TtlCut {
        /// The role.
        role: RoleName,
        /// Seconds.
        requested: u64,
        /// Seconds.
        granted: u64,
        /// Who cuts it.
        by: &'static str,
        /// What can be done.
        help: &'static str,
    },
    /// `Idempotency-Key` is no key.
    #[error(transparent)]
    BadKey(#[from] BadKey),
    /// A key that was used for something else.
    #[error(
        "this Idempotency-Key was sent before with another path or other parameters\nhelp: use a new key for a new request"
    )]
    KeyOfAnotherRequest,
    /// A key whose answer is not kept any more.
    #[error(
        "this Idempotency-Key was used already, for lease `{lease}`, whose secret is not kept\nhelp: if that answer never arrived, revoke the lease, and ask again with a new key"
    )]
    KeyUsed {
        /// What it was used for.
        lease: LeaseId,
    },
    /// No digest of the key can be made.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// None was asked for, and the role does not have exactly one.
    #[error("did not supply a role_arn parameter and unable to determine one")]
    NoRoleArn,
    /// One that the role does not list.
    #[error("role_arn \"{arn}\" not in allowed role arns for Vault role \"{role}\"")]
    RoleArnNotAllowed {
        /// What was asked for.
        arn: String,
        /// The role.
        role: RoleName,
    },
    /// A federated user without any policy could do nothing.
    #[error(
        "must specify at least one of policy_arns or policy_document with federation_token credential_type"
    )]
    FederationWithoutPolicy,
    /// A group whose policies belong into a session could not be read.
    #[error("{0}")]
    GroupUnread(String),
    /// No STS endpoint answers, or there is no telling which.
    #[error("{}", .0.for_caller())]
    NoSts(AwsError),
    /// An account has a cap on live leases, and AWS does not say which account this would be.
    #[error(
        "a cap on live leases of an AWS account is set, and it cannot be found out which account the keys of this mount are of: {}\nhelp: nothing was made; check `sts_endpoint` of config/root, then ask again",
        .0.for_caller()
    )]
    AccountUnknown(AwsError),
    /// The stored document breaks the schema or a quota.
    #[error("the policy document of role `{role}` is refused with {} finding(s)", .findings.len())]
    DocumentRefused {
        /// The role.
        role: RoleName,
        /// What is wrong.
        findings: Vec<Finding>,
    },
    /// A guardrail denies now; one sentence per finding.
    #[error("the gate denied the grant of role `{role}`")]
    Denied {
        /// The role.
        role: RoleName,
        /// For people.
        errors: Vec<String>,
        /// The whole verdict.
        verdict: Arc<Verdict>,
    },
    /// No user name came out of the template.
    #[error(transparent)]
    Username(#[from] UsernameError),
    /// AWS asked to slow down.
    #[error("{step}: {}\nhelp: {}", .error.for_caller(), .step.left(.error))]
    Throttled {
        /// Where.
        step: IssueStep,
        /// What AWS said.
        error: AwsError,
    },
    /// AWS refused, or gave no clear answer, or there is no client.
    #[error("{step}: {}\nhelp: {}", .error.for_caller(), .step.left(.error))]
    Aws {
        /// Where.
        step: IssueStep,
        /// What was seen.
        error: AwsError,
    },
    /// A restored database waits for a word.
    #[error(transparent)]
    Quarantined(#[from] Quarantined),
    /// The mount does not serve.
    #[error(transparent)]
    NotServing(#[from] NotServing),
    /// The lease row could not be written: AWS was not asked, or what it made is being torn down.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The store failed before anything was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IssueError {
    /// Its kind, for the count of issues.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::RoleNotFound(_)
            | Self::NoRoleArn
            | Self::RoleArnNotAllowed { .. }
            | Self::FederationWithoutPolicy
            | Self::DocumentRefused { .. }
            | Self::Username(_)
            | Self::LegacyPath { .. }
            | Self::Quarantined(_)
            | Self::BadKey(_)
            | Self::KeyOfAnotherRequest
            | Self::KeyUsed { .. }
            | Self::NotServing(_) => "refused",
            Self::TtlCut { .. } => "ttl_cut",
            Self::Lease(LeaseError::CapReached(_)) => "cap_reached",
            Self::Denied { .. } => "denied",
            Self::Throttled { .. } => "aws_throttled",
            Self::GroupUnread(_)
            | Self::NoSts(AwsError::Refused { .. } | AwsError::NotConfigured(_))
            | Self::AccountUnknown(AwsError::Refused { .. } | AwsError::NotConfigured(_))
            | Self::Aws { error: AwsError::Refused { .. } | AwsError::NotConfigured(_), .. } => {
                "aws_refused"
            }
            Self::NoSts(AwsError::Unclear { .. })
            | Self::AccountUnknown(AwsError::Unclear { .. })
            | Self::Aws { error: AwsError::Unclear { .. }, .. } => "aws_unclear",
            Self::Lease(_) | Self::Store(_) | Self::Seal(_) => "store_failed",
        }
    }

    pub(super) fn aws(step: IssueStep, error: AwsError) -> Self {
        match &error {
            AwsError::Refused { kind: RefusalKind::Throttled, .. } => {
                Self::Throttled { step, error }
            }
            AwsError::Refused { .. } | AwsError::Unclear { .. } | AwsError::NotConfigured(_) => {
                Self::Aws { step, error }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: RefusalKind) -> AwsError {
        AwsError::Refused {
            operation: "CreateUser",
            code: "Code".into(),
            kind,
            message: "User: arn:aws:iam::123456789012:user/broker is not authorized".into(),
        }
    }

    #[test]
    fn throttling_is_a_trouble_of_its_own() {
        let throttled = IssueError::aws(IssueStep::CreateUser, refused(RefusalKind::Throttled));
        assert!(matches!(throttled, IssueError::Throttled { .. }));
        assert!(throttled.to_string().starts_with("Error creating IAM user: "));
        let other = IssueError::aws(IssueStep::PutUserPolicy, refused(RefusalKind::Invalid));
        assert!(matches!(other, IssueError::Aws { .. }));
        assert!(other.to_string().starts_with("Error putting user policy: "));
    }
}
