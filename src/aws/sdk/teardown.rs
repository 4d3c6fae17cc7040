//! The calls that find out whose a user is, and take it down. What is already gone counts as done;
//! every list is read to its last page. Whether a user may be touched at all is decided in
//! [`crate::leases::teardown`].

use std::str::FromStr;

use aws_sdk_iam::types::{StatusType, Tag};
use futures_util::future::{BoxFuture, FutureExt as _, join_all};

use super::SdkProvider;
use super::call::{Call, Page, absent_is_none, every_page};
use crate::aws::{AwsError, BROKER_TAG, Belongings, CONTAINED_POLICY, LEASE_TAG, Ownership};
use crate::model::{AccessKeyId, UserName};

const LIST_USER_TAGS: Call = Call::cleaning("ListUserTags");
const UPDATE_ACCESS_KEY: Call = Call::cleaning("UpdateAccessKey");
const PUT_USER_POLICY: Call = Call::cleaning("PutUserPolicy");
const LIST_ACCESS_KEYS: Call = Call::cleaning("ListAccessKeys");
const LIST_USER_POLICIES: Call = Call::cleaning("ListUserPolicies");
const LIST_ATTACHED: Call = Call::cleaning("ListAttachedUserPolicies");
const LIST_GROUPS: Call = Call::cleaning("ListGroupsForUser");
const DELETE_ACCESS_KEY: Call = Call::cleaning("DeleteAccessKey");
const DELETE_USER_POLICY: Call = Call::cleaning("DeleteUserPolicy");
const DETACH_USER_POLICY: Call = Call::cleaning("DetachUserPolicy");
const REMOVE_FROM_GROUP: Call = Call::cleaning("RemoveUserFromGroup");
const DELETE_USER: Call = Call::cleaning("DeleteUser");

/// What contains a user whose key cannot be made inactive.
const DENY_EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

impl SdkProvider {
    pub(super) async fn read_ownership(
        &self,
        user: &UserName,
    ) -> Result<Option<Ownership>, AwsError> {
        let tags = every_page(|marker| {
            let request = self.client.list_user_tags().user_name(user.as_str()).set_marker(marker);
            async move {
                let answer = self.call(LIST_USER_TAGS, || request.clone().send()).await?;
                let marker = answer.marker.as_deref();
                Ok(Page::new(answer.tags, answer.is_truncated, marker))
            }
        });
        Ok(absent_is_none(tags.await)?.map(|tags| owner(&tags)))
    }

    pub(super) async fn send_deactivate(
        &self,
        user: &UserName,
        key: &AccessKeyId,
    ) -> Result<(), AwsError> {
        let request = self
            .client
            .update_access_key()
            .user_name(user.as_str())
            .access_key_id(key.as_str())
            .status(StatusType::Inactive);
        self.remove(UPDATE_ACCESS_KEY, || request.clone().send()).await
    }

    pub(super) async fn send_deny_everything(&self, user: &UserName) -> Result<(), AwsError> {
        let request = self
            .client
            .put_user_policy()
            .user_name(user.as_str())
            .policy_name(CONTAINED_POLICY)
            .policy_document(DENY_EVERYTHING);
        self.call(PUT_USER_POLICY, || request.clone().send()).await.map(drop)
    }

    pub(super) async fn read_belongings(
        &self,
        user: &UserName,
    ) -> Result<Option<Belongings>, AwsError> {
        let user = user.as_str();
        let (keys, inline, attached, groups) = tokio::join!(
            self.list_access_keys(user),
            self.list_inline(user),
            self.list_attached(user),
            self.list_groups(user),
        );
        let found = keys.and_then(|keys| Ok((keys, inline?, attached?, groups?)));
        let Some((keys, inline, attached, groups)) = absent_is_none(found)? else {
            return Ok(None);
        };
        Ok(Some(Belongings {
            access_keys: named(LIST_ACCESS_KEYS, &keys)?,
            inline_policies: inline,
            attached_policies: named(LIST_ATTACHED, &attached)?,
            groups: named(LIST_GROUPS, &groups)?,
        }))
    }

    async fn list_access_keys(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request = self.client.list_access_keys().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_ACCESS_KEYS, || request.clone().send()).await?;
                let ids =
                    answer.access_key_metadata.into_iter().filter_map(|key| key.access_key_id);
                Ok(Page::new(ids.collect(), answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    async fn list_inline(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request = self.client.list_user_policies().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_USER_POLICIES, || request.clone().send()).await?;
                let marker = answer.marker.as_deref();
                Ok(Page::new(answer.policy_names, answer.is_truncated, marker))
            }
        })
        .await
    }

    async fn list_attached(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request =
                self.client.list_attached_user_policies().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_ATTACHED, || request.clone().send()).await?;
                let marker = answer.marker().map(str::to_owned);
                let policies = answer.attached_policies.unwrap_or_default();
                let arns = policies.into_iter().filter_map(|policy| policy.policy_arn);
                Ok(Page::new(arns.collect(), answer.is_truncated, marker.as_deref()))
            }
        })
        .await
    }

    async fn list_groups(&self, user: &str) -> Result<Vec<String>, AwsError> {
        every_page(|marker| {
            let request = self.client.list_groups_for_user().user_name(user).set_marker(marker);
            async move {
                let answer = self.call(LIST_GROUPS, || request.clone().send()).await?;
                let names = answer.groups.into_iter().map(|group| group.group_name);
                Ok(Page::new(names.collect(), answer.is_truncated, answer.marker.as_deref()))
            }
        })
        .await
    }

    /// All at once; the first failure is told when all have been tried.
    pub(super) async fn send_removals(
        &self,
        user: &UserName,
        what: &Belongings,
    ) -> Result<(), AwsError> {
        let user = user.as_str();
        let mut removals: Vec<BoxFuture<'_, Result<(), AwsError>>> = Vec::new();
        for key in &what.access_keys {
            let request =
                self.client.delete_access_key().user_name(user).access_key_id(key.as_str());
            removals.push(self.remove(DELETE_ACCESS_KEY, move || request.clone().send()).boxed());
        }
        for arn in &what.attached_policies {
            let request = self.client.detach_user_policy().user_name(user).policy_arn(arn.as_str());
            removals.push(self.remove(DETACH_USER_POLICY, move || request.clone().send()).boxed());
        }
        for name in &what.inline_policies {
            let request = self.client.delete_user_policy().user_name(user).policy_name(name);
            removals.push(self.remove(DELETE_USER_POLICY, move || request.clone().send()).boxed());
        }
        for group in &what.groups {
            let request =
                self.client.remove_user_from_group().user_name(user).group_name(group.as_str());
            removals.push(self.remove(REMOVE_FROM_GROUP, move || request.clone().send()).boxed());
        }
        join_all(removals).await.into_iter().collect()
    }

    /// One removal: what is already gone is done.
    pub(super) async fn remove<T, E, Sent>(
        &self,
        call: Call,
        send: impl Fn() -> Sent + Send + Sync,
    ) -> Result<(), AwsError>
    where
        Sent: Future<Output = Result<T, aws_sdk_iam::error::SdkError<E>>> + Send,
        E: aws_sdk_iam::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        T: Send,
    {
        absent_is_none(self.call(call, send).await).map(drop)
    }

    pub(super) async fn send_delete_user(&self, user: &UserName) -> Result<(), AwsError> {
        let request = self.client.delete_user().user_name(user.as_str());
        self.remove(DELETE_USER, || request.clone().send()).await
    }
}

/// Whose a thing with these tags is.
pub(super) fn owner(tags: &[Tag]) -> Ownership {
    let value = |name| tags.iter().find(|tag| tag.key == name).map(|tag| tag.value.clone());
    Ownership { broker: value(BROKER_TAG), lease: value(LEASE_TAG) }
}

/// Names as AWS gives them, as ours.
pub(super) fn named<T: FromStr>(call: Call, names: &[String]) -> Result<Vec<T>, AwsError> {
    names
        .iter()
        .map(|name| name.parse().map_err(|_invalid| call.incomplete("valid name")))
        .collect()
}
