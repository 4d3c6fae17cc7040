//! Reads the documents that AWS holds: the default version of a managed policy, and what is in a
//! group. IAM gives documents URL-encoded (API reference, `GetPolicyVersion`); what leaves here is the
//! text. Caching is [`crate::aws::documents`]'.

use futures_util::future::try_join_all;

use super::SdkProvider;
use super::call::{Call, Page, every_page};
use super::teardown::named;
use crate::aws::{AwsError, DocumentSource, HeldDocument};
use crate::model::{GroupName, PolicyArn};

const GET_POLICY: Call = Call::issuing("GetPolicy");
const GET_POLICY_VERSION: Call = Call::issuing("GetPolicyVersion");
const LIST_GROUP_POLICIES: Call = Call::issuing("ListGroupPolicies");
const LIST_ATTACHED: Call = Call::issuing("ListAttachedGroupPolicies");
const GET_GROUP_POLICY: Call = Call::issuing("GetGroupPolicy");

impl SdkProvider {
    pub(super) async fn read_managed_policy(
        &self,
        arn: &PolicyArn,
    ) -> Result<HeldDocument, AwsError> {
        let request = self.client.get_policy().policy_arn(arn.as_str());
        let answer = self.call(GET_POLICY, || request.clone().send()).await?;
        let version = answer.policy.and_then(|policy| policy.default_version_id);
        let version = version.ok_or_else(|| GET_POLICY.incomplete("default version"))?;
        let request = self.client.get_policy_version().policy_arn(arn.as_str()).version_id(version);
        let answer = self.call(GET_POLICY_VERSION, || request.clone().send()).await?;
        let document = answer.policy_version.and_then(|version| version.document);
        let text = document
            .and_then(|text| url_decoded(&text))
            .ok_or_else(|| GET_POLICY_VERSION.incomplete("readable document"))?;
        Ok(HeldDocument { source: DocumentSource::Managed(arn.clone()), text })
    }

    pub(super) async fn read_group_policies(
        &self,
        group: &GroupName,
    ) -> Result<(Vec<HeldDocument>, Vec<PolicyArn>), AwsError> {
        tokio::try_join!(self.group_documents(group), self.group_attachments(group))
    }

    async fn group_documents(&self, group: &GroupName) -> Result<Vec<HeldDocument>, AwsError> {
        let names = every_page(|marker| {
            let request =
                self.client.list_group_policies().group_name(group.as_str()).set_marker(marker);
            async move {
                let answer = self.call(LIST_GROUP_POLICIES, || request.clone().send()).await?;
                let marker = answer.marker.as_deref();
                Ok(Page::new(answer.policy_names, answer.is_truncated, marker))
            }
        });
        try_join_all(names.await?.into_iter().map(|name| self.group_document(group, name))).await
    }

    async fn group_document(
        &self,
        group: &GroupName,
        policy: String,
    ) -> Result<HeldDocument, AwsError> {
        let request =
            self.client.get_group_policy().group_name(group.as_str()).policy_name(&policy);
        let answer = self.call(GET_GROUP_POLICY, || request.clone().send()).await?;
        let text = url_decoded(&answer.policy_document)
            .ok_or_else(|| GET_GROUP_POLICY.incomplete("readable document"))?;
        Ok(HeldDocument { source: DocumentSource::Group { group: group.clone(), policy }, text })
    }

    async fn group_attachments(&self, group: &GroupName) -> Result<Vec<PolicyArn>, AwsError> {
        let arns = every_page(|marker| {
            let request = self
                .client
                .list_attached_group_policies()
                .group_name(group.as_str())
                .set_marker(marker);
            async move {
                let answer = self.call(LIST_ATTACHED, || request.clone().send()).await?;
                let marker = answer.marker().map(str::to_owned);
                let policies = answer.attached_policies.unwrap_or_default();
                let arns = policies.into_iter().filter_map(|policy| policy.policy_arn);
                Ok(Page::new(arns.collect(), answer.is_truncated, marker.as_deref()))
            }
        });
        named(LIST_ATTACHED, &arns.await?)
    }
}

/// RFC 3986 percent-decoding; `None` where that is broken or not UTF-8.
pub(super) fn url_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()?.checked_mul(16)?.checked_add(digit()?)?;
        out.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded() {
        assert_eq!(url_decoded("%7B%22a%22%3A%22b+c%C3%A9%22%7D").unwrap(), "{\"a\":\"b+cé\"}");
        for broken in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(url_decoded(broken), None, "{broken}");
        }
    }
}
