//! Builds the SDK's clients of IAM, STS and KMS: region and endpoint (contract 1.1), timeouts, credentials, one
//! connection pool. Must never probe AWS: `config/root` accepts anything, and a call shows the rest.

use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::timeout::TimeoutConfig;
use aws_sdk_iam::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::CredentialSource;
use crate::aws::AwsError;
use crate::aws::accounts::AccountSettings;

/// A connection that takes longer will not come: the SDK's own default is 3.1 s, which a busy network
/// across the world has been seen to miss (aws-smithy-runtime `client/defaults.rs`).
const CONNECT: Duration = Duration::from_secs(5);
/// IAM's slowest answers take a few seconds; nothing of ours waits longer than the load balancers'
/// usual 60 s with one repetition.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Shorter than AWS keeps idle connections, so that a call does not meet one that is being closed:
/// for `CreateUser` that would be an unclear answer.
const IDLE: Duration = Duration::from_secs(20);

/// HTTPS over rustls with ring, plain HTTP where an endpoint says so. Clones share one pool; the
/// certificates are read when the first connection is made.
pub(in crate::aws) fn pooled_http_client() -> SharedHttpClient {
    Builder::new()
        .pool_idle_timeout(IDLE)
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https()
}

/// The IAM client of an account.
pub(super) async fn iam(
    settings: &AccountSettings,
    http: SharedHttpClient,
    credentials: CredentialSource,
) -> Result<aws_sdk_iam::Client, AwsError> {
    let region = region(settings).await;
    let mut config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.clone())
        .http_client(http.clone())
        .timeout_config(timeouts())
        // `call.rs` repeats: it knows which calls may be, and tells the limiter.
        .retry_config(RetryConfig::disabled())
        // Answers are small; watching their throughput costs CPU on each call.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if !settings.iam_endpoint.is_empty() {
        config = config.endpoint_url(endpoint("iam_endpoint", &settings.iam_endpoint)?);
    }
    let config = match credentials {
        CredentialSource::Static(keys) => {
            config.credentials_provider(keys).identity_cache(IdentityCache::no_cache())
        }
        CredentialSource::Chain => config.credentials_provider(chain(http, region).await),
    };
    Ok(aws_sdk_iam::Client::from_conf(config.build()))
}

/// The STS client of an account at one endpoint.
pub(super) async fn sts(
    url: &str,
    region: Region,
    http: SharedHttpClient,
    credentials: CredentialSource,
) -> Result<aws_sdk_sts::Client, AwsError> {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.clone())
        .endpoint_url(endpoint("sts_endpoint", url)?)
        .http_client(http.clone())
        .timeout_config(timeouts())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let config = match credentials {
        CredentialSource::Static(keys) => {
            config.credentials_provider(keys).identity_cache(IdentityCache::no_cache())
        }
        CredentialSource::Chain => config.credentials_provider(chain(http, region).await),
    };
    Ok(aws_sdk_sts::Client::from_conf(config.build()))
}

/// The KMS client; an empty endpoint is AWS's.
pub(super) async fn kms(
    url: &str,
    region: Region,
    http: SharedHttpClient,
    credentials: CredentialSource,
) -> Result<aws_sdk_kms::Client, AwsError> {
    let mut config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.clone())
        .http_client(http.clone())
        .timeout_config(timeouts())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if !url.is_empty() {
        config = config.endpoint_url(url);
    }
    let config = match credentials {
        CredentialSource::Static(keys) => {
            config.credentials_provider(keys).identity_cache(IdentityCache::no_cache())
        }
        CredentialSource::Chain => config.credentials_provider(chain(http, region).await),
    };
    Ok(aws_sdk_kms::Client::from_conf(config.build()))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build()
}

async fn chain(http: SharedHttpClient, region: Region) -> DefaultCredentialsChain {
    let provider =
        ProviderConfig::default().with_http_client(http).with_region(Some(region.clone()));
    DefaultCredentialsChain::builder().configure(provider).region(region).build().await
}

/// `region`, else `AWS_REGION`, else `AWS_DEFAULT_REGION`, else `us-east-1` (contract 1.1).
pub(super) async fn region(settings: &AccountSettings) -> Region {
    if !settings.region.is_empty() {
        return Region::new(settings.region.clone());
    }
    let surroundings = EnvironmentVariableRegionProvider::new().region().await;
    surroundings.unwrap_or(Region::from_static("us-east-1"))
}

fn endpoint<'a>(field: &str, given: &'a str) -> Result<&'a str, AwsError> {
    let host = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(given),
        Some(_) | None => Err(AwsError::NotConfigured(format!(
            "`{field}` `{given}` is not a URL\nhelp: write `https://<host>` to config/root"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_whole_url() {
        for good in ["http://127.0.0.1:5000", "https://iam.example"] {
            assert_eq!(endpoint("iam_endpoint", good), Ok(good));
        }
        for bad in ["iam.example", "ftp://iam.example", "https://", "http:///x"] {
            assert!(
                matches!(endpoint("iam_endpoint", bad), Err(AwsError::NotConfigured(_))),
                "{bad}"
            );
        }
    }
}
