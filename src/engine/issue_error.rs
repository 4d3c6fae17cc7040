//! Why nothing was issued, in the contract's words (1.5, 1.11). Of an AWS failure only what
//! [`AwsError::for_caller`] lets through is told. Which status goes with it is the wire's to say.

use std::fmt;
use std::sync::Arc;

use super::NotServing;
use super::quarantine::Quarantined;
use super::username::UsernameError;
use crate::aws::{AwsError, RefusalKind};
use crate::leases::LeaseError;
use crate::model::{Finding, RoleName, Verdict};
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
            Self::AddUserToGroup => "Error adding user to group",
            Self::CreateAccessKey => "Error creating access keys",
            Self::AssumeRole => "Error assuming role",
            Self::GenerateSession => "Error generating STS keys",
        })
    }
}

/// Why nothing was issued. The texts are the contract's (1.5, 1.11) where it has them.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// There is no such role.
    #[error("Role \"{0}\" not found")]
    RoleNotFound(RoleName),
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
    #[error("{step}: {}", .error.for_caller())]
    Throttled {
        /// Where.
        step: IssueStep,
        /// What AWS said.
        error: AwsError,
    },
    /// AWS refused, or gave no clear answer, or there is no client.
    #[error("{step}: {}", .error.for_caller())]
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
