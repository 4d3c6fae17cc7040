//! [`KeyProbe`] over the AWS SDK. Every call is signed with the key that is looked at, never with the
//! broker's own, and is sent once: whoever looks decides when to look again. The clients are built
//! once and lent a key per call.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_iam::config::Credentials;
use aws_sdk_sts::config::Region;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::call::{Call, Line};
use super::sts::{Candidate, candidates};
use super::{CredentialSource, client};
use crate::aws::accounts::AccountSettings;
use crate::aws::limiter::Limiter;
use crate::aws::{AwsError, KeyProbe, NewAccessKey};
use crate::clock::Clock;
use crate::model::{Canary, UserName};

const WHO_AM_I: Call = Call::issuing("GetCallerIdentity");
const GET_USER: Call = Call::issuing("GetUser");
const LIST_ATTACHED: Call = Call::issuing("ListAttachedUserPolicies");
const LIST_INLINE: Call = Call::issuing("ListUserPolicies");

/// The end of AWS's own host names, where IAM's endpoint is written out.
const AWS_HOSTS: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

/// The endpoints of one account.
pub(in crate::aws) struct SdkProbe {
    hosts: Vec<String>,
    sts: Vec<aws_sdk_sts::Client>,
    sts_line: Line,
    iam: aws_sdk_iam::Client,
    iam_line: Line,
}

impl std::fmt::Debug for SdkProbe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SdkProbe").field("endpoints", &self.hosts).finish_non_exhaustive()
    }
}

/// The pace of each service; the account's own.
pub(in crate::aws) struct Paces {
    pub(in crate::aws) sts: Arc<Limiter>,
    pub(in crate::aws) iam: Arc<Limiter>,
}

impl SdkProbe {
    /// Builds the clients; nothing is sent.
    pub(in crate::aws) async fn new(
        settings: &AccountSettings,
        http: SharedHttpClient,
        paces: Paces,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AwsError> {
        if settings.sts_endpoint.is_empty() && !is_aws(&settings.iam_endpoint) {
            return Err(AwsError::NotConfigured(
                "config/root has an `iam_endpoint` that is not AWS's and no `sts_endpoint`\nhelp: write \
                 `sts_endpoint`, or `readiness=off` on the role"
                    .to_owned(),
            ));
        }
        let surroundings = client::region(settings).await;
        let (mut hosts, mut sts) = (Vec::new(), Vec::new());
        for Candidate { url, region } in candidates(settings, surroundings.as_ref())? {
            let nobody = CredentialSource::made_up();
            sts.push(client::sts(&url, Region::new(region), http.clone(), nobody).await?);
            hosts.push(host(&url).to_owned());
        }
        let iam = client::iam(settings, http, CredentialSource::made_up()).await?;
        let line = |limiter| Line::new(limiter, Arc::clone(&clock), 1);
        Ok(Self { hosts, sts, sts_line: line(paces.sts), iam, iam_line: line(paces.iam) })
    }
}

/// The host and port of a URL; never a user or a path that may stand in it.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Whether the region's own STS belongs to the IAM there.
fn is_aws(iam_endpoint: &str) -> bool {
    let host = host(iam_endpoint);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    iam_endpoint.is_empty() || AWS_HOSTS.iter().any(|end| name.ends_with(end))
}

fn credentials(key: &NewAccessKey) -> Credentials {
    Credentials::new(key.id.as_str(), key.secret.expose(), None, None, "a fresh key")
}

fn as_key(key: &NewAccessKey) -> aws_sdk_iam::config::Builder {
    aws_sdk_iam::Config::builder().credentials_provider(credentials(key))
}

#[async_trait]
impl KeyProbe for SdkProbe {
    fn endpoints(&self) -> &[String] {
        &self.hosts
    }

    async fn identity(&self, endpoint: usize, key: &NewAccessKey) -> Result<String, AwsError> {
        let missing = || AwsError::NotConfigured("there is no such STS endpoint".to_owned());
        let client = self.sts.get(endpoint).ok_or_else(missing)?;
        let send = || {
            let as_key = aws_sdk_sts::Config::builder().credentials_provider(credentials(key));
            client.get_caller_identity().customize().config_override(as_key).send()
        };
        let answer = self.sts_line.call(WHO_AM_I, send).await?;
        answer.arn.ok_or_else(|| WHO_AM_I.incomplete("ARN"))
    }

    async fn canary(
        &self,
        key: &NewAccessKey,
        user: &UserName,
        canary: Canary,
    ) -> Result<(), AwsError> {
        let (iam, line, name) = (&self.iam, &self.iam_line, user.as_str());
        match canary {
            Canary::GetUser => {
                let send = || {
                    let request = iam.get_user().user_name(name).customize();
                    request.config_override(as_key(key)).send()
                };
                line.call(GET_USER, send).await.map(drop)
            }
            Canary::ListAttachedUserPolicies => {
                let send = || {
                    let request = iam.list_attached_user_policies().user_name(name).customize();
                    request.config_override(as_key(key)).send()
                };
                line.call(LIST_ATTACHED, send).await.map(drop)
            }
            Canary::ListUserPolicies => {
                let send = || {
                    let request = iam.list_user_policies().user_name(name).customize();
                    request.config_override(as_key(key)).send()
                };
                line.call(LIST_INLINE, send).await.map(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_without_what_else_a_url_holds() {
        assert_eq!(host("https://sts.eu-west-1.amazonaws.com"), "sts.eu-west-1.amazonaws.com");
        assert_eq!(host("http://user:pass@127.0.0.1:5000/path?x"), "127.0.0.1:5000");
    }

    #[test]
    fn the_regions_own_sts_goes_with_awss_iam_alone() {
        for aws in ["", "https://iam.amazonaws.com", "https://iam.cn-north-1.amazonaws.com.cn:443"]
        {
            assert!(is_aws(aws), "{aws}");
        }
        for other in ["http://127.0.0.1:5000", "https://iam.example", "https://amazonaws.com.evil"]
        {
            assert!(!is_aws(other), "{other}");
        }
    }
}
