//! Temporary credentials as the broker needs them. [`StsProvider`] is the seam to STS, as
//! [`super::IamProvider`] is the one to IAM: every request holds a [`VettedGrant`], so nothing unjudged
//! can be asked for. Behind it: [`super::sdk`].

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::AwsError;
use crate::gate::VettedGrant;
use crate::model::{AccessKeyId, MfaCode, SecretAccessKey, SessionToken, Timestamp};

/// A role about to be assumed.
#[derive(Debug, Clone)]
pub struct RoleSession {
    /// Which role.
    pub role_arn: String,
    /// The name of the session.
    pub name: String,
    /// How long it is to last.
    pub duration: Duration,
    /// Tags of the session.
    pub tags: BTreeMap<String, String>,
    /// What the role's trust policy may ask for; empty = none.
    pub external_id: String,
    /// What the session is narrowed to.
    pub grant: VettedGrant,
}

/// A federated user about to get credentials.
#[derive(Debug, Clone)]
pub struct FederatedSession {
    /// The federated user's name.
    pub name: String,
    /// How long it is to last.
    pub duration: Duration,
    /// What the session is narrowed to.
    pub grant: VettedGrant,
}

/// A session of the broker's own user.
#[derive(Debug, Clone)]
pub struct OwnSession {
    /// How long it is to last.
    pub duration: Duration,
    /// Serial number of the second factor; empty = none.
    pub mfa_serial: String,
    /// What it shows now.
    pub mfa_code: Option<MfaCode>,
    /// That this may be handed out; such a session cannot be narrowed.
    pub grant: VettedGrant,
}

/// Credentials that AWS ends by itself.
#[derive(Debug, Clone)]
pub struct TemporaryCredentials {
    /// Public half.
    pub access_key: AccessKeyId,
    /// Secret half.
    pub secret_key: SecretAccessKey,
    /// What must be sent along.
    pub session_token: SessionToken,
    /// When AWS ends them.
    pub expires_at: Timestamp,
    /// Who one is with them; of assumed roles only.
    pub arn: Option<String>,
    /// The account they are good in, 12 digits; `None` where that is not said as AWS says it.
    pub account: Option<String>,
    /// AWS's id of who one is with them, e.g. `AROA…:session`; `None` for the broker's own user.
    pub user_id: Option<String>,
}

/// What STS does for the broker, in one account. Nothing that it makes has to be removed.
#[async_trait]
pub trait StsProvider: std::fmt::Debug + Send + Sync + 'static {
    /// `AssumeRole`.
    async fn assume_role(&self, wanted: &RoleSession) -> Result<TemporaryCredentials, AwsError>;
    /// `GetFederationToken`.
    async fn federation_token(
        &self,
        wanted: &FederatedSession,
    ) -> Result<TemporaryCredentials, AwsError>;
    /// `GetSessionToken`.
    async fn session_token(&self, wanted: &OwnSession) -> Result<TemporaryCredentials, AwsError>;
}
