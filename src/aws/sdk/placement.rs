//! The calls for a lease's own managed policy. What is sent comes out of the user's vetted grant; what is
//! removed was found under the lease's path. Order and repetition: [`crate::engine`] and
//! [`crate::leases::teardown`].

use async_trait::async_trait;
use aws_sdk_iam::types::{PolicyScopeType, Tag};
use futures_util::future::join_all;

use super::SdkProvider;
use super::call::{Call, Page, absent_is_none, every_page};
use super::teardown::{named, owner};
use crate::aws::placement::{PolicyHolders, lease_of, policy_name, policy_path};
use crate::aws::{AwsError, BROKER_TAG, LEASE_TAG, NewUser, Ownership, PlacementProvider};
use crate::model::{LeaseTag, PolicyArn, UserName};

const CREATE_POLICY: Call = Call::creating("CreatePolicy");
const ATTACH_USER_POLICY: Call = Call::issuing("AttachUserPolicy");
const LIST_POLICIES: Call = Call::cleaning("ListPolicies");
const LIST_TAGS: Call = Call::cleaning("ListPolicyTags");
const LIST_HOLDERS: Call = Call::cleaning("ListEntitiesForPolicy");
const LIST_VERSIONS: Call = Call::cleaning("ListPolicyVersions");
const DELETE_VERSION: Call = Call::cleaning("DeletePolicyVersion");
const DELETE_POLICY: Call = Call::cleaning("DeletePolicy");

#[async_trait]
impl PlacementProvider for SdkProvider {
    async fn create_lease_policy(&self, user: &NewUser) -> Result<PolicyArn, AwsError> {
        let none = || AwsError::NotConfigured("the grant has no document to place".to_owned());
        let document = user.grant.document().ok_or_else(none)?;
        let request = self
            .client
            .create_policy()
            .policy_name(policy_name(&user.lease))
            .path(policy_path(&user.broker, &user.lease))
            .policy_document(document)
            .set_tags(Some(tags(user)?));
        let answer = self.call(CREATE_POLICY, || request.clone().send()).await?;
        let arn = answer.policy.and_then(|policy| policy.arn);
        let arn = arn.ok_or_else(|| CREATE_POLICY.incomplete("ARN"))?;
        arn.parse().map_err(|_invalid| CREATE_POLICY.incomplete("valid ARN"))
    }

    async fn attach_lease_policy(&self, user: &NewUser, arn: &PolicyArn) -> Result<(), AwsError> {
        if lease_of(arn, &user.broker).as_ref() != Some(&user.lease) {
            return Err(AwsError::NotConfigured(format!("policy `{arn}` is not this lease's")));
        }
        let request =
            self.client.attach_user_policy().user_name(user.name.as_str()).policy_arn(arn.as_str());
        self.call(ATTACH_USER_POLICY, || request.clone().send()).await.map(drop)
    }

    async fn lease_policies(
        &self,
        broker: &str,
        lease: &LeaseTag,
    ) -> Result<Vec<PolicyArn>, AwsError> {
        let path = policy_path(broker, lease);
        let arns = every_page(|marker| {
            let request = self
                .client
                .list_policies()
                .scope(PolicyScopeType::Local)
                .path_prefix(&path)
                .set_marker(marker);
            async move {
                let answer = self.call(LIST_POLICIES, || request.clone().send()).await?;
                let marker = answer.marker().map(str::to_owned);
                let policies = answer.policies.unwrap_or_default();
                let arns = policies.into_iter().filter_map(|policy| policy.arn);
                Ok(Page::new(arns.collect(), answer.is_truncated, marker.as_deref()))
            }
        });
        let mut arns: Vec<PolicyArn> = named(LIST_POLICIES, &arns.await?)?;
        // An endpoint that does not know the parameter lists them all.
        arns.retain(|arn| lease_of(arn, broker).as_ref() == Some(lease));
        Ok(arns)
    }

    async fn policy_ownership(&self, arn: &PolicyArn) -> Result<Option<Ownership>, AwsError> {
        let tags = every_page(|marker| {
            let request =
                self.client.list_policy_tags().policy_arn(arn.as_str()).set_marker(marker);
            async move {
                let answer = self.call(LIST_TAGS, || request.clone().send()).await?;
                let marker = answer.marker.as_deref();
                Ok(Page::new(answer.tags, answer.is_truncated, marker))
            }
        });
        Ok(absent_is_none(tags.await)?.map(|tags| owner(&tags)))
    }

    async fn policy_holders(&self, arn: &PolicyArn) -> Result<PolicyHolders, AwsError> {
        let pages = every_page(|marker| {
            let request =
                self.client.list_entities_for_policy().policy_arn(arn.as_str()).set_marker(marker);
            async move {
                let answer = self.call(LIST_HOLDERS, || request.clone().send()).await?;
                let (is_truncated, marker) = (answer.is_truncated, answer.marker.clone());
                Ok(Page::new(vec![answer], is_truncated, marker.as_deref()))
            }
        });
        let mut holders = PolicyHolders::default();
        for page in absent_is_none(pages.await)?.unwrap_or_default() {
            let users = page.policy_users.unwrap_or_default().into_iter();
            let users: Vec<_> = users.filter_map(|user| user.user_name).collect();
            holders.users.extend(named::<UserName>(LIST_HOLDERS, &users)?);
            let groups = page.policy_groups.unwrap_or_default().into_iter();
            holders.groups.extend(groups.filter_map(|group| group.group_name));
            let roles = page.policy_roles.unwrap_or_default().into_iter();
            holders.roles.extend(roles.filter_map(|role| role.role_name));
        }
        Ok(holders)
    }

    async fn remove_lease_policy(&self, arn: &PolicyArn) -> Result<(), AwsError> {
        let Some(versions) = absent_is_none(self.other_versions(arn).await)? else {
            return Ok(());
        };
        let gone = join_all(versions.iter().map(async |version| {
            let request =
                self.client.delete_policy_version().policy_arn(arn.as_str()).version_id(version);
            self.remove(DELETE_VERSION, || request.clone().send()).await
        }));
        gone.await.into_iter().collect::<Result<(), _>>()?;
        let request = self.client.delete_policy().policy_arn(arn.as_str());
        self.remove(DELETE_POLICY, || request.clone().send()).await
    }
}

impl SdkProvider {
    /// Versions that somebody added, or left behind by making another one the default.
    async fn other_versions(&self, arn: &PolicyArn) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request =
                self.client.list_policy_versions().policy_arn(arn.as_str()).set_marker(marker);
            async move {
                let answer = self.call(LIST_VERSIONS, || request.clone().send()).await?;
                let marker = answer.marker().map(str::to_owned);
                let versions = answer.versions.unwrap_or_default();
                let others = versions.into_iter().filter(|version| !version.is_default_version);
                let ids = others.filter_map(|version| version.version_id);
                Ok(Page::new(ids.collect(), answer.is_truncated, marker.as_deref()))
            }
        })
        .await
    }
}

fn tags(user: &NewUser) -> Result<Vec<Tag>, AwsError> {
    let ours = [(BROKER_TAG, user.broker.as_str()), (LEASE_TAG, user.lease.as_str())];
    ours.into_iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| AwsError::NotConfigured(error.to_string()))
}
