//! The calls that make a user what the gate allowed. Everything sent here comes out of a
//! [`NewUser`]'s vetted grant; the order and concurrency are the engine's ([`crate::engine`]).

use aws_sdk_iam::types::Tag;

use super::SdkProvider;
use super::call::Call;
use crate::aws::identity::account_of;
use crate::aws::{AwsError, BROKER_TAG, CreatedUser, LEASE_TAG, NewAccessKey, NewUser};
use crate::model::{GroupName, PolicyArn, SecretAccessKey};

const CREATE_USER: Call = Call::creating("CreateUser");
const PUT_USER_POLICY: Call = Call::issuing("PutUserPolicy");
const ATTACH_USER_POLICY: Call = Call::issuing("AttachUserPolicy");
const ADD_USER_TO_GROUP: Call = Call::issuing("AddUserToGroup");
const CREATE_ACCESS_KEY: Call = Call::creating("CreateAccessKey");

impl SdkProvider {
    /// Tags, path and boundary ride in the one call: there is no moment at which the user is there
    /// and is not known to be ours.
    pub(super) async fn send_create_user(&self, user: &NewUser) -> Result<CreatedUser, AwsError> {
        let request = self
            .client
            .create_user()
            .user_name(user.name.as_str())
            .path(&user.path)
            .set_permissions_boundary(user.grant.boundary().map(|arn| arn.as_str().to_owned()))
            .set_tags(Some(tags(user)?));
        let answer = self.call(CREATE_USER, || request.clone().send()).await?;
        let Some(made) = answer.user else {
            return Ok(CreatedUser::default());
        };
        let account = account_of(&made.arn);
        if let Some(account) = &account {
            self.own_account.get_or_init(|| account.clone());
        }
        Ok(CreatedUser { account, user_id: Some(made.user_id).filter(|id| !id.is_empty()) })
    }

    pub(super) async fn send_put_user_policy(&self, user: &NewUser) -> Result<(), AwsError> {
        let Some(document) = user.grant.document() else {
            return Ok(());
        };
        let request = self
            .client
            .put_user_policy()
            .user_name(user.name.as_str())
            .policy_name(user.role.as_str())
            .policy_document(document);
        self.call(PUT_USER_POLICY, || request.clone().send()).await.map(drop)
    }

    pub(super) async fn send_attach_user_policy(
        &self,
        user: &NewUser,
        arn: &PolicyArn,
    ) -> Result<(), AwsError> {
        if !user.grant.policy_arns().contains(arn) {
            return Err(unjudged(&format!("policy `{arn}`")));
        }
        let request =
            self.client.attach_user_policy().user_name(user.name.as_str()).policy_arn(arn.as_str());
        self.call(ATTACH_USER_POLICY, || request.clone().send()).await.map(drop)
    }

    pub(super) async fn send_add_user_to_group(
        &self,
        user: &NewUser,
        group: &GroupName,
    ) -> Result<(), AwsError> {
        if !user.grant.groups().contains(group) {
            return Err(unjudged(&format!("group `{group}`")));
        }
        let request = self
            .client
            .add_user_to_group()
            .user_name(user.name.as_str())
            .group_name(group.as_str());
        self.call(ADD_USER_TO_GROUP, || request.clone().send()).await.map(drop)
    }

    pub(super) async fn send_create_access_key(
        &self,
        user: &NewUser,
    ) -> Result<NewAccessKey, AwsError> {
        let request = self.client.create_access_key().user_name(user.name.as_str());
        let answer = self.call(CREATE_ACCESS_KEY, || request.clone().send()).await?;
        let key = answer.access_key.ok_or_else(|| CREATE_ACCESS_KEY.incomplete("key"))?;
        Ok(NewAccessKey {
            id: key
                .access_key_id
                .parse()
                .map_err(|_invalid| CREATE_ACCESS_KEY.incomplete("valid key id"))?,
            secret: SecretAccessKey::new(key.secret_access_key),
        })
    }
}

/// The gate did not see it, so AWS does not either.
fn unjudged(what: &str) -> AwsError {
    AwsError::NotConfigured(format!("{what} is not part of the grant that was judged"))
}

/// The role's tags and ours; ours win over a role's of the same name.
fn tags(user: &NewUser) -> Result<Vec<Tag>, AwsError> {
    let ours = [(BROKER_TAG, user.broker.as_str()), (LEASE_TAG, user.lease.as_str())];
    let roles = user.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    roles
        .filter(|(key, _)| ours.iter().all(|(our, _)| !our.eq_ignore_ascii_case(key)))
        .chain(ours)
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| AwsError::NotConfigured(error.to_string()))
}
