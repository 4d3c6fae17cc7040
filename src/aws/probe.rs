//! Does a key work yet? [`KeyProbe`] asks AWS as the key itself, once per call: who it is at an STS
//! endpoint, and what it may do at IAM. IAM is eventually consistent, so a fresh key is unknown for a
//! while. How often and how long is asked: [`crate::engine::readiness`].

use async_trait::async_trait;

use super::{AwsError, NewAccessKey};
use crate::model::{Canary, UserName};

/// Asks AWS with keys of others.
#[async_trait]
pub trait KeyProbe: std::fmt::Debug + Send + Sync + 'static {
    /// Host names of the STS endpoints that are configured, in order; never empty.
    fn endpoints(&self) -> &[String];
    /// `GetCallerIdentity` as the key, at the endpoint of that position: the ARN of whoever it is.
    /// Sent once.
    async fn identity(&self, endpoint: usize, key: &NewAccessKey) -> Result<String, AwsError>;
    /// A harmless call of the key's about its own user. Sent once.
    async fn canary(
        &self,
        key: &NewAccessKey,
        user: &UserName,
        canary: Canary,
    ) -> Result<(), AwsError>;
}
