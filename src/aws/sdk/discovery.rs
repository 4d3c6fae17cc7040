//! [`DiscoveryProvider`], and what each STS endpoint says, over the AWS SDK: the calls that only look around. They
//! take the turn of clean-up, so that no issue waits for them. AWS's clock is read from the `Date` of an answer.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_iam::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_iam::error::BoxError;
use aws_sdk_iam::primitives::{DateTime, DateTimeFormat};
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, Policy, PolicyEvaluationDecisionType, PolicyScopeType,
};
use aws_sdk_sts::config::Region;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::join_all;

use super::call::{Call, Line, Page, every_page};
use super::probe::host;
use super::sts::{Candidate, SdkSts, candidates};
use super::{CredentialSource, SdkProvider, client};
use crate::aws::AwsError;
use crate::aws::accounts::AccountSettings;
use crate::aws::discovery::{
    DiscoveryProvider, Glance, Identity, ListedPolicy, ListedUser, Simulated, Simulation,
    StsEndpoint,
};
use crate::aws::limiter::Limiter;
use crate::clock::Clock;
use crate::model::Timestamp;

const LIST_USERS: Call = Call::cleaning("ListUsers");
const LIST_POLICIES: Call = Call::cleaning("ListPolicies");
const SIMULATE: Call = Call::cleaning("SimulatePrincipalPolicy");
const WHO_AM_I: Call = Call::cleaning("GetCallerIdentity");

/// Users or policies on one page, the most that IAM gives (IAM API reference, `ListUsers` and `ListPolicies`): an
/// account of 5,000 users, IAM's quota, is five calls.
const ON_A_PAGE: i32 = 1_000;

#[async_trait]
impl DiscoveryProvider for SdkProvider {
    async fn users_under(&self, path: &str) -> Result<Vec<ListedUser>, AwsError> {
        every_page(|marker| {
            let request =
                self.client.list_users().path_prefix(path).max_items(ON_A_PAGE).set_marker(marker);
            async move {
                let answer = self.call(LIST_USERS, || request.clone().send()).await?;
                let users = answer.users.into_iter().map(listed).collect::<Result<_, _>>()?;
                Ok(Page::new(users, answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    async fn policies_under(&self, path: &str) -> Result<Vec<ListedPolicy>, AwsError> {
        every_page(|marker| {
            let request = self
                .client
                .list_policies()
                .scope(PolicyScopeType::Local)
                .path_prefix(path)
                .max_items(ON_A_PAGE)
                .set_marker(marker);
            async move {
                let answer = self.call(LIST_POLICIES, || request.clone().send()).await?;
                let marker = answer.marker().map(str::to_owned);
                let policies = answer.policies.unwrap_or_default().into_iter();
                let policies = policies.map(listed_policy).collect::<Result<_, _>>()?;
                Ok(Page::new(policies, answer.is_truncated, marker.as_deref()))
            }
        })
        .await
    }

    async fn glance(&self) -> Glance {
        let date = AnswerDate::default();
        let send = || {
            let request = self.client.list_users().max_items(1).customize();
            request.interceptor(date.clone()).send()
        };
        let answer = self.call(LIST_USERS, send).await.map(drop);
        Glance { answer, aws_time: date.read() }
    }

    async fn simulate(&self, question: Simulation<'_>) -> Result<Vec<Simulated>, AwsError> {
        let actions: Vec<String> = question.actions.iter().map(|one| (*one).to_owned()).collect();
        let boundary = question.boundary.map(|arn| {
            ContextEntry::builder()
                .context_key_name("iam:PermissionsBoundary")
                .context_key_type(ContextKeyTypeEnum::String)
                .context_key_values(arn)
                .build()
        });
        every_page(|marker| {
            let request = self
                .client
                .simulate_principal_policy()
                .policy_source_arn(question.principal)
                .set_action_names(Some(actions.clone()))
                .resource_arns(question.resource)
                .set_context_entries(boundary.clone().map(|entry| vec![entry]))
                .set_marker(marker);
            async move {
                let answer = self.call(SIMULATE, || request.clone().send()).await?;
                let marker = answer.marker.clone();
                let found = answer.evaluation_results.unwrap_or_default().into_iter();
                let found = found.map(|result| Simulated {
                    action: result.eval_action_name,
                    allowed: result.eval_decision == PolicyEvaluationDecisionType::Allowed,
                });
                Ok(Page::new(found.collect(), answer.is_truncated, marker.as_deref()))
            }
        })
        .await
    }
}

fn listed(user: aws_sdk_iam::types::User) -> Result<ListedUser, AwsError> {
    let name = user.user_name.parse();
    let created = user.create_date.to_millis();
    Ok(ListedUser {
        name: name.map_err(|_invalid| LIST_USERS.incomplete("valid user name"))?,
        path: user.path,
        id: user.user_id,
        created_at: Timestamp::from_millis(
            created.map_err(|_range| LIST_USERS.incomplete("readable date"))?,
        ),
    })
}

fn listed_policy(policy: Policy) -> Result<ListedPolicy, AwsError> {
    let arn = policy.arn.and_then(|arn| arn.parse().ok());
    let created = policy.create_date.and_then(|date| date.to_millis().ok());
    Ok(ListedPolicy {
        arn: arn.ok_or_else(|| LIST_POLICIES.incomplete("valid ARN"))?,
        id: policy.policy_id.ok_or_else(|| LIST_POLICIES.incomplete("id"))?,
        created_at: Timestamp::from_millis(
            created.ok_or_else(|| LIST_POLICIES.incomplete("readable date"))?,
        ),
    })
}

impl SdkSts {
    /// Asks each endpoint once who the broker is.
    pub(in crate::aws) async fn ask_each(
        settings: &AccountSettings,
        http: SharedHttpClient,
        credentials: CredentialSource,
        limiter: Arc<Limiter>,
        clock: Arc<dyn Clock>,
    ) -> Result<Vec<StsEndpoint>, AwsError> {
        let surroundings = client::region(settings).await;
        let candidates = candidates(settings, surroundings.as_ref())?;
        let line = Arc::new(Line::new(limiter, clock, 1));
        let asked = candidates.into_iter().map(|candidate| {
            ask_one(candidate, http.clone(), credentials.clone(), Arc::clone(&line))
        });
        Ok(join_all(asked).await)
    }
}

async fn ask_one(
    Candidate { url, region }: Candidate,
    http: SharedHttpClient,
    keys: CredentialSource,
    line: Arc<Line>,
) -> StsEndpoint {
    let date = AnswerDate::default();
    let answer = match client::sts(&url, Region::new(region), http, keys).await {
        Ok(client) => who_am_i(&client, &line, &date).await,
        Err(error) => Err(error),
    };
    StsEndpoint { host: host(&url).to_owned(), answer, aws_time: date.read() }
}

async fn who_am_i(
    client: &aws_sdk_sts::Client,
    line: &Line,
    date: &AnswerDate,
) -> Result<Identity, AwsError> {
    let send = || {
        let request = client.get_caller_identity().customize();
        request.interceptor(date.clone()).send()
    };
    let answer = line.call(WHO_AM_I, send).await?;
    Ok(Identity {
        account: answer.account.ok_or_else(|| WHO_AM_I.incomplete("account"))?,
        arn: answer.arn.ok_or_else(|| WHO_AM_I.incomplete("principal"))?,
    })
}

/// Keeps the `Date` of an answer.
#[derive(Debug, Clone, Default)]
struct AnswerDate(Arc<Mutex<Option<String>>>);

impl AnswerDate {
    fn read(&self) -> Option<Timestamp> {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let date = DateTime::from_str(&text, DateTimeFormat::HttpDate).ok()?;
        date.to_millis().ok().map(Timestamp::from_millis)
    }
}

impl Intercept for AnswerDate {
    fn name(&self) -> &'static str {
        "AnswerDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
