//! A key of AWS KMS that wraps another key: what unseals a broker without people. The key that is wrapped is seen by KMS
//! and by [`crate::seal`], and never logged. When it is asked is [`crate::custody`]'s.

use std::sync::Arc;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeyState, KeyUsageType};
use tokio::sync::OnceCell;

use super::call::{Call, Line};
use super::{CredentialSource, client, pooled_http_client};
use crate::aws::accounts::AccountSettings;
use crate::aws::limiter::Limiter;
use crate::aws::{AwsBackend, AwsError};
use crate::clock::Clock;
use crate::metrics::AwsCalls;
use crate::model::KeyShare;

const ENCRYPT: Call = Call::issuing("Encrypt");
const DECRYPT: Call = Call::issuing("Decrypt");
const DESCRIBE: Call = Call::issuing("DescribeKey");

/// How often a call is sent at most: the SDK's own default (aws-smithy-types `retry.rs`).
const ATTEMPTS: u32 = 3;
/// What is wrapped, as KMS's own log shows it (KMS developer guide, encryption context).
const CONTEXT: (&str, &str) = ("leasehold", "root-key");

/// A key in AWS KMS.
pub struct Kms {
    key_id: String,
    region: String,
    endpoint: String,
    backend: AwsBackend,
    line: Line,
    client: OnceCell<aws_sdk_kms::Client>,
}

impl std::fmt::Debug for Kms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kms").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Kms {
    /// By id, ARN or alias. An empty region is the environment's, an empty endpoint AWS's. Nothing is asked yet.
    pub fn new(
        key_id: String,
        region: String,
        endpoint: String,
        backend: AwsBackend,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limiter = Arc::new(Limiter::new(AwsCalls::default()));
        let line = Line::new(limiter, clock, ATTEMPTS);
        Self { key_id, region, endpoint, backend, line, client: OnceCell::new() }
    }

    /// Wraps a key, if this one can be used for that and for the opposite.
    pub async fn wrap(&self, key: &KeyShare) -> Result<Vec<u8>, AwsError> {
        self.must_be_usable().await?;
        let request = self
            .client()
            .await?
            .encrypt()
            .key_id(&self.key_id)
            .plaintext(Blob::new(key.expose()))
            .encryption_context(CONTEXT.0, CONTEXT.1);
        let answer = self.line.call(ENCRYPT, || request.clone().send()).await?;
        let wrapped = answer.ciphertext_blob.ok_or_else(|| ENCRYPT.incomplete("ciphertext"))?;
        Ok(wrapped.into_inner())
    }

    /// The key that was wrapped.
    pub async fn unwrap(&self, wrapped: &[u8]) -> Result<KeyShare, AwsError> {
        let request = self
            .client()
            .await?
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context(CONTEXT.0, CONTEXT.1);
        let answer = self.line.call(DECRYPT, || request.clone().send()).await?;
        let key = answer.plaintext.ok_or_else(|| DECRYPT.incomplete("plaintext"))?;
        Ok(KeyShare::new(key.as_ref()))
    }

    /// A key that signs, or is on its way out, is told before anything is made with it.
    async fn must_be_usable(&self) -> Result<(), AwsError> {
        let request = self.client().await?.describe_key().key_id(&self.key_id);
        let answer = self.line.call(DESCRIBE, || request.clone().send()).await?;
        let key = answer.key_metadata.ok_or_else(|| DESCRIBE.incomplete("metadata"))?;
        let usable = key.key_state == Some(KeyState::Enabled)
            && key.key_usage == Some(KeyUsageType::EncryptDecrypt);
        if usable {
            return Ok(());
        }
        Err(AwsError::NotConfigured(format!(
            "the key `{}` is not enabled, or not one that encrypts and decrypts\nhelp: name another in [seal.awskms] kms_key_id",
            self.key_id
        )))
    }

    async fn client(&self) -> Result<&aws_sdk_kms::Client, AwsError> {
        let build = || async {
            let settings =
                AccountSettings { region: self.region.clone(), ..AccountSettings::default() };
            let region = client::region(&settings).await;
            let (http, credentials) = match &self.backend {
                AwsBackend::Embedded(http) if self.endpoint.is_empty() => {
                    (http.clone(), CredentialSource::made_up())
                }
                AwsBackend::Embedded(_) | AwsBackend::Real => {
                    (pooled_http_client(), CredentialSource::Chain)
                }
            };
            client::kms(&self.endpoint, region, http, credentials).await
        };
        self.client.get_or_try_init(build).await
    }
}
