//! The calls for the policy that cuts off sessions of a role. What is sent is a
//! [`SessionDeny`], which can only deny. When: [`crate::leases`].

use async_trait::async_trait;

use super::SdkProvider;
use super::call::{Call, absent_is_none};
use super::policies::url_decoded;
use crate::aws::{AwsError, SessionDeny, SessionDenyProvider};

const GET_ROLE: Call = Call::cleaning("GetRole");
const GET_ROLE_POLICY: Call = Call::cleaning("GetRolePolicy");
const PUT_ROLE_POLICY: Call = Call::cleaning("PutRolePolicy");
const DELETE_ROLE_POLICY: Call = Call::cleaning("DeleteRolePolicy");

#[async_trait]
impl SessionDenyProvider for SdkProvider {
    async fn role_arn(&self, role: &str) -> Result<Option<String>, AwsError> {
        let request = self.client.get_role().role_name(role);
        let answer = absent_is_none(self.call(GET_ROLE, || request.clone().send()).await)?;
        Ok(answer.and_then(|answer| answer.role).map(|role| role.arn))
    }

    async fn session_deny(&self, role: &str, broker: &str) -> Result<Option<String>, AwsError> {
        let name = SessionDeny::policy_name(broker);
        let request = self.client.get_role_policy().role_name(role).policy_name(name);
        let answer = self.call(GET_ROLE_POLICY, || request.clone().send()).await;
        let Some(answer) = absent_is_none(answer)? else {
            return Ok(None);
        };
        let text = url_decoded(&answer.policy_document);
        text.map(Some).ok_or_else(|| GET_ROLE_POLICY.incomplete("readable document"))
    }

    async fn put_session_deny(
        &self,
        role: &str,
        broker: &str,
        deny: &SessionDeny,
    ) -> Result<(), AwsError> {
        let name = SessionDeny::policy_name(broker);
        if deny.is_empty() {
            let request = self.client.delete_role_policy().role_name(role).policy_name(name);
            return self.remove(DELETE_ROLE_POLICY, || request.clone().send()).await;
        }
        let request = self
            .client
            .put_role_policy()
            .role_name(role)
            .policy_name(name)
            .policy_document(deny.document());
        self.call(PUT_ROLE_POLICY, || request.clone().send()).await.map(drop)
    }
}
