//! [`StsProvider`] over the AWS SDK: which endpoint answers, and the three calls (contract 1.1, 1.10). What is
//! sent of policies comes out of a vetted grant. Must never ask for more than that, nor use an endpoint
//! that did not say who the broker is. Pace and repetition: `sdk/call.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sts::config::Region;
use aws_sdk_sts::types::{Credentials, PolicyDescriptorType, Tag};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::call::{Call, Line};
use super::{CredentialSource, attempts, client};
use crate::aws::accounts::AccountSettings;
use crate::aws::limiter::Limiter;
use crate::aws::{
    AwsError, FederatedSession, OwnSession, RoleSession, StsProvider, TemporaryCredentials,
};
use crate::clock::Clock;
use crate::gate::VettedGrant;
use crate::model::{SecretAccessKey, SessionToken, Timestamp};

const WHO_AM_I: Call = Call::issuing("GetCallerIdentity");
// A session that nobody got ends by itself: asking twice leaves nothing behind.
const ASSUME_ROLE: Call = Call::issuing("AssumeRole");
const FEDERATION_TOKEN: Call = Call::issuing("GetFederationToken");
// The code of a second factor is good for one call.
const SESSION_TOKEN: Call = Call::creating("GetSessionToken");

/// What the caller reads when no endpoint answers; the reasons are in the log (contract 1.1).
const NO_CLIENT: &str = "could not obtain sts client";

/// STS in one account, through the SDK.
pub(in crate::aws) struct SdkSts {
    client: aws_sdk_sts::Client,
    line: Line,
}

impl std::fmt::Debug for SdkSts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SdkSts").finish_non_exhaustive()
    }
}

/// Where STS may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) url: String,
    pub(super) region: String,
}

impl SdkSts {
    /// Finds the first endpoint that says who the broker is.
    pub(in crate::aws) async fn connect(
        settings: &AccountSettings,
        http: SharedHttpClient,
        credentials: CredentialSource,
        limiter: Arc<Limiter>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AwsError> {
        let surroundings = client::region(settings).await;
        let candidates = candidates(settings, surroundings.as_ref())?;
        let last = candidates.len();
        for (position, Candidate { url, region }) in (1..).zip(candidates) {
            // Where another one is left, it is the repetition.
            let times = if position < last { 1 } else { attempts(settings.max_retries) };
            let line = |attempts| Line::new(Arc::clone(&limiter), Arc::clone(&clock), attempts);
            let (http, keys) = (http.clone(), credentials.clone());
            let probed = match client::sts(&url, Region::new(region), http, keys).await {
                Ok(client) => {
                    let request = client.get_caller_identity();
                    let probed = line(times).call(WHO_AM_I, || request.clone().send()).await;
                    probed.map(|_identity| client)
                }
                Err(error) => Err(error),
            };
            match probed {
                Ok(client) => {
                    return Ok(Self { client, line: line(attempts(settings.max_retries)) });
                }
                Err(error) => tracing::warn!(
                    aws.endpoint = %url, error = %error,
                    "the STS endpoint {url} cannot be used: {}", error.for_caller()
                ),
            }
        }
        Err(AwsError::NotConfigured(NO_CLIENT.to_owned()))
    }
}

/// AWS's own in the region, or `sts_endpoint` and what stands in for it, in order (contract 1.1). AWS's suffix
/// is fixed there: other partitions name their endpoint.
pub(super) fn candidates(
    settings: &AccountSettings,
    surroundings: &str,
) -> Result<Vec<Candidate>, AwsError> {
    if settings.sts_endpoint.is_empty() {
        let url = format!("https://sts.{surroundings}.amazonaws.com");
        return Ok(vec![Candidate { url, region: surroundings.to_owned() }]);
    }
    let urls: Vec<&String> =
        [&settings.sts_endpoint].into_iter().chain(&settings.sts_fallback_endpoints).collect();
    let own = (!settings.sts_region.is_empty()).then_some(settings.sts_region.as_str());
    let fallbacks = settings.sts_fallback_regions.iter().map(String::as_str);
    let mut regions: Vec<&str> = own.into_iter().chain(fallbacks).collect();
    if regions.is_empty() {
        regions.push(surroundings);
    }
    if regions.len() != urls.len() {
        return Err(AwsError::NotConfigured(
            "number of regions does not match number of endpoints".to_owned(),
        ));
    }
    let candidate =
        |(url, region): (&String, &str)| Candidate { url: url.clone(), region: region.to_owned() };
    Ok(urls.into_iter().zip(regions).map(candidate).collect())
}

#[async_trait]
impl StsProvider for SdkSts {
    async fn assume_role(&self, wanted: &RoleSession) -> Result<TemporaryCredentials, AwsError> {
        let external_id = Some(&wanted.external_id).filter(|id| !id.is_empty());
        let request = self
            .client
            .assume_role()
            .role_arn(&wanted.role_arn)
            .role_session_name(&wanted.name)
            .duration_seconds(seconds(wanted.duration))
            .set_policy(policy(&wanted.grant))
            .set_policy_arns(policy_arns(&wanted.grant))
            .set_tags(tags(wanted)?)
            .set_external_id(external_id.cloned());
        let answer = self.line.call(ASSUME_ROLE, || request.clone().send()).await?;
        let arn = answer.assumed_role_user.map(|user| user.arn);
        let arn = arn.ok_or_else(|| ASSUME_ROLE.incomplete("assumed role"))?;
        credentials(ASSUME_ROLE, answer.credentials, Some(arn))
    }

    async fn federation_token(
        &self,
        wanted: &FederatedSession,
    ) -> Result<TemporaryCredentials, AwsError> {
        let request = self
            .client
            .get_federation_token()
            .name(&wanted.name)
            .duration_seconds(seconds(wanted.duration))
            .set_policy(policy(&wanted.grant))
            .set_policy_arns(policy_arns(&wanted.grant));
        let answer = self.line.call(FEDERATION_TOKEN, || request.clone().send()).await?;
        credentials(FEDERATION_TOKEN, answer.credentials, None)
    }

    async fn session_token(&self, wanted: &OwnSession) -> Result<TemporaryCredentials, AwsError> {
        let serial = Some(&wanted.mfa_serial).filter(|serial| !serial.is_empty());
        let code = wanted.mfa_code.as_ref().filter(|code| !code.is_empty());
        let request = self
            .client
            .get_session_token()
            .duration_seconds(seconds(wanted.duration))
            .set_serial_number(serial.cloned())
            .set_token_code(code.map(|code| code.expose().to_owned()));
        let answer = self.line.call(SESSION_TOKEN, || request.clone().send()).await?;
        credentials(SESSION_TOKEN, answer.credentials, None)
    }
}

/// AWS's own maximum is 36 hours: what does not fit is refused there.
fn seconds(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn policy(grant: &VettedGrant) -> Option<String> {
    grant.document().map(str::to_owned)
}

fn policy_arns(grant: &VettedGrant) -> Option<Vec<PolicyDescriptorType>> {
    let named =
        |arn: &crate::model::PolicyArn| PolicyDescriptorType::builder().arn(arn.as_str()).build();
    let arns: Vec<_> = grant.policy_arns().iter().map(named).collect();
    (!arns.is_empty()).then_some(arns)
}

fn tags(wanted: &RoleSession) -> Result<Option<Vec<Tag>>, AwsError> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let tags = wanted.tags.iter().map(tag).collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|error| AwsError::NotConfigured(error.to_string()))?;
    Ok((!tags.is_empty()).then_some(tags))
}

fn credentials(
    call: Call,
    given: Option<Credentials>,
    arn: Option<String>,
) -> Result<TemporaryCredentials, AwsError> {
    let given = given.ok_or_else(|| call.incomplete("credentials"))?;
    let expires_at =
        given.expiration.to_millis().map_err(|_range| call.incomplete("readable expiration"))?;
    Ok(TemporaryCredentials {
        access_key: given
            .access_key_id
            .parse()
            .map_err(|_invalid| call.incomplete("valid key id"))?,
        secret_key: SecretAccessKey::new(given.secret_access_key),
        session_token: SessionToken::new(given.session_token),
        expires_at: Timestamp::from_millis(expires_at),
        arn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(settings: &AccountSettings) -> Vec<(String, String)> {
        let found = candidates(settings, "eu-west-1").unwrap();
        found.into_iter().map(|found| (found.url, found.region)).collect()
    }

    fn pair(url: &str, region: &str) -> (String, String) {
        (url.to_owned(), region.to_owned())
    }

    #[test]
    fn without_an_endpoint_it_is_the_regions() {
        let fallbacks = AccountSettings {
            sts_region: "unused".to_owned(),
            sts_fallback_endpoints: vec!["https://unused".to_owned()],
            sts_fallback_regions: vec!["unused".to_owned()],
            ..AccountSettings::default()
        };
        let wanted = [pair("https://sts.eu-west-1.amazonaws.com", "eu-west-1")];
        assert_eq!(pairs(&fallbacks), wanted);
    }

    #[test]
    fn an_endpoint_brings_its_region_and_its_fallbacks_in_order() {
        let alone =
            AccountSettings { sts_endpoint: "http://a".to_owned(), ..AccountSettings::default() };
        assert_eq!(pairs(&alone), [pair("http://a", "eu-west-1")]);
        let all = AccountSettings {
            sts_region: "r1".to_owned(),
            sts_fallback_endpoints: vec!["http://b".to_owned(), "http://c".to_owned()],
            sts_fallback_regions: vec!["r2".to_owned(), "r3".to_owned()],
            ..alone
        };
        let wanted = [pair("http://a", "r1"), pair("http://b", "r2"), pair("http://c", "r3")];
        assert_eq!(pairs(&all), wanted);
    }

    #[test]
    fn there_are_as_many_regions_as_endpoints() {
        let settings = AccountSettings {
            sts_endpoint: "http://a".to_owned(),
            sts_fallback_endpoints: vec!["http://b".to_owned()],
            sts_fallback_regions: vec!["r2".to_owned()],
            ..AccountSettings::default()
        };
        let error = candidates(&settings, "eu-west-1").unwrap_err();
        assert_eq!(error.to_string(), "number of regions does not match number of endpoints");
    }
}
