//! Managed policies attached to users, groups and roles: ten each. Only what exists can be attached,
//! and attaching twice is attaching once. The policies themselves are in [`super::managed_policies`].

use iam_policy::quota::MANAGED_POLICIES_PER_USER;

use super::owner::Owner;
use crate::error::AwsError;
use crate::page::Page;
use crate::service::Request;
use crate::validate;
use crate::xml::{Answer, Xml};

pub(super) fn attach(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let arn = validate::policy_arn(request.form, "PolicyArn")?;
    let owner = Owner::of(request)?;
    if request.state.policy(arn).is_none() {
        return Err(AwsError::no_such_entity(format!(
            "Policy {arn} does not exist or is not attachable."
        )));
    }
    let attached = owner.attached(request.state);
    if attached.contains(arn) {
        return Ok(None);
    }
    // IAM quotas: the same ten for groups and roles.
    if attached.len() >= MANAGED_POLICIES_PER_USER {
        let quota = match owner {
            Owner::User(_) => "PoliciesPerUser",
            Owner::Group(_) => "PoliciesPerGroup",
            Owner::Role(_) => "PoliciesPerRole",
        };
        return Err(AwsError::quota(quota, MANAGED_POLICIES_PER_USER));
    }
    if let Some(attached) = owner.attached_mut(request.state) {
        attached.insert(arn.to_owned());
    }
    Ok(None)
}

pub(super) fn detach(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let arn = validate::policy_arn(request.form, "PolicyArn")?;
    let owner = Owner::of(request)?;
    if !owner.attached(request.state).contains(arn) {
        return Err(AwsError::no_such_entity(format!("Policy {arn} was not found.")));
    }
    if let Some(attached) = owner.attached_mut(request.state) {
        attached.remove(arn);
    }
    Ok(None)
}

pub(super) fn list(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let prefix = validate::path_prefix(request.form)?;
    let owner = Owner::of(request)?;
    let state = &request.state;
    let policies = owner.attached(state).iter().filter_map(|arn| state.policy(arn));
    let under = policies.filter(|policy| policy.path.starts_with(prefix));
    let page = Page::of(request.form, under.map(|policy| (policy.arn.as_str(), policy)))?;
    let mut xml = Xml::new();
    xml.members("AttachedPolicies", &page.items, |xml, policy| {
        xml.text("PolicyName", &policy.name).text("PolicyArn", &policy.arn);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}
