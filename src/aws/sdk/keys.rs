//! [`KeyProvider`] over the AWS SDK, and the proof that a key works. Somebody waits for most of these calls, so
//! that they go before clean-up. Pace and repetition: `sdk/call.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_iam::config::Region;
use aws_sdk_iam::operation::get_user::GetUserOutput;
use aws_sdk_iam::types::StatusType;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::call::{Call, Line, Page, every_page};
use super::sts::{Candidate, candidates};
use super::{CredentialSource, SdkProvider, client};
use crate::aws::accounts::AccountSettings;
use crate::aws::identity::account_of;
use crate::aws::keys::{HeldKey, HeldUser, KeyProvider};
use crate::aws::limiter::Limiter;
use crate::aws::{AwsError, NewAccessKey};
use crate::clock::Clock;
use crate::model::{AccessKeyId, SecretAccessKey, Timestamp, UserName};

const WHO_AM_I: Call = Call::issuing("GetCallerIdentity");
const GET_USER: Call = Call::issuing("GetUser");
const LIST_ACCESS_KEYS: Call = Call::issuing("ListAccessKeys");
const CREATE_ACCESS_KEY: Call = Call::creating("CreateAccessKey");
const UPDATE_ACCESS_KEY: Call = Call::issuing("UpdateAccessKey");
const DELETE_ACCESS_KEY: Call = Call::issuing("DeleteAccessKey");

#[async_trait]
impl KeyProvider for SdkProvider {
    async fn own_user(&self) -> Result<HeldUser, AwsError> {
        let request = self.client.get_user();
        held(self.call(GET_USER, || request.clone().send()).await?)
    }

    async fn user(&self, name: &UserName) -> Result<HeldUser, AwsError> {
        let request = self.client.get_user().user_name(name.as_str());
        held(self.call(GET_USER, || request.clone().send()).await?)
    }

    async fn access_keys(&self, user: &UserName) -> Result<Vec<HeldKey>, AwsError> {
        let mut keys = every_page(|marker| {
            let request =
                self.client.list_access_keys().user_name(user.as_str()).set_marker(marker);
            async move {
                let answer = self.call(LIST_ACCESS_KEYS, || request.clone().send()).await?;
                let marker = answer.marker.clone();
                let mut keys = Vec::new();
                for key in answer.access_key_metadata {
                    let id = key.access_key_id.as_deref().and_then(|id| id.parse().ok());
                    let created = key.create_date.and_then(|date| date.to_millis().ok());
                    let (Some(id), Some(created)) = (id, created) else {
                        return Err(LIST_ACCESS_KEYS.incomplete("key id or date of a key"));
                    };
                    keys.push(HeldKey { id, created_at: Timestamp::from_millis(created) });
                }
                Ok(Page::new(keys, answer.is_truncated, marker.as_deref()))
            }
        })
        .await?;
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn replacement_key(&self, user: &UserName) -> Result<NewAccessKey, AwsError> {
        let request = self.client.create_access_key().user_name(user.as_str());
        let answer = self.call(CREATE_ACCESS_KEY, || request.clone().send()).await?;
        let key = answer.access_key.ok_or_else(|| CREATE_ACCESS_KEY.incomplete("access key"))?;
        let id = key.access_key_id.parse();
        Ok(NewAccessKey {
            id: id.map_err(|_invalid| CREATE_ACCESS_KEY.incomplete("valid key id"))?,
            secret: SecretAccessKey::new(key.secret_access_key),
        })
    }

    async fn disable_key(&self, user: &UserName, key: &AccessKeyId) -> Result<(), AwsError> {
        let request = self
            .client
            .update_access_key()
            .user_name(user.as_str())
            .access_key_id(key.as_str())
            .status(StatusType::Inactive);
        self.remove(UPDATE_ACCESS_KEY, || request.clone().send()).await
    }

    async fn delete_key(&self, user: &UserName, key: &AccessKeyId) -> Result<(), AwsError> {
        let request =
            self.client.delete_access_key().user_name(user.as_str()).access_key_id(key.as_str());
        self.remove(DELETE_ACCESS_KEY, || request.clone().send()).await
    }
}

fn held(answer: GetUserOutput) -> Result<HeldUser, AwsError> {
    let user = answer.user.ok_or_else(|| GET_USER.incomplete("user"))?;
    // The account's root user has no name of this form; its keys cannot be rotated by IAM's calls.
    let name = user.user_name.parse().map_err(|_invalid| GET_USER.incomplete("IAM user's name"))?;
    Ok(HeldUser { name, id: user.user_id, account: account_of(&user.arn) })
}

/// `GetCallerIdentity` once at each endpoint until one takes the key; the last failure else.
pub(in crate::aws) async fn prove(
    settings: &AccountSettings,
    http: SharedHttpClient,
    credentials: CredentialSource,
    limiter: Arc<Limiter>,
    clock: Arc<dyn Clock>,
) -> Result<(), AwsError> {
    let surroundings = client::region(settings).await;
    let line = Line::new(limiter, clock, 1);
    let mut seen = AwsError::NotConfigured("there is no STS endpoint".to_owned());
    for Candidate { url, region } in candidates(settings, surroundings.as_ref())? {
        let (http, keys) = (http.clone(), credentials.clone());
        let request =
            client::sts(&url, Region::new(region), http, keys).await?.get_caller_identity();
        match line.call(WHO_AM_I, || request.clone().send()).await {
            Ok(_identity) => return Ok(()),
            Err(error) => seen = error,
        }
    }
    Err(seen)
}
