//! IAM's actions, all on one page. Nothing but the names lives here; each file below owns a kind of
//! thing. Whoever comes in is already known and allowed ([`crate::service`]).

mod attachments;
pub(crate) mod belongings;
mod groups;
mod inline;
pub(crate) mod keys;
mod managed_policies;
mod owner;
mod policy_entities;
mod roles;
mod simulate;
mod users;

use rand::{Rng as _, RngCore};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::error::AwsError;
use crate::service::{Api, Request};
use crate::xml::Answer;

/// Carries out the action that the request names.
pub(crate) fn dispatch(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    match request.action {
        "CreateUser" => users::create(request),
        "GetUser" => users::get(request),
        "ListUsers" => users::list(request),
        "DeleteUser" => users::delete(request),
        "TagUser" => users::tag(request),
        "UntagUser" => users::untag(request),
        "ListUserTags" => users::list_tags(request),
        "PutUserPermissionsBoundary" => users::put_boundary(request),
        "DeleteUserPermissionsBoundary" => users::delete_boundary(request),
        "CreateAccessKey" => keys::create(request),
        "UpdateAccessKey" => keys::update(request),
        "DeleteAccessKey" => keys::delete(request),
        "ListAccessKeys" => keys::list(request),
        "PutUserPolicy" | "PutGroupPolicy" | "PutRolePolicy" => inline::put(request),
        "GetUserPolicy" | "GetGroupPolicy" | "GetRolePolicy" => inline::get(request),
        "ListUserPolicies" | "ListGroupPolicies" | "ListRolePolicies" => inline::list(request),
        "DeleteUserPolicy" | "DeleteGroupPolicy" | "DeleteRolePolicy" => inline::delete(request),
        "AttachUserPolicy" | "AttachGroupPolicy" | "AttachRolePolicy" => {
            attachments::attach(request)
        }
        "DetachUserPolicy" | "DetachGroupPolicy" | "DetachRolePolicy" => {
            attachments::detach(request)
        }
        "ListAttachedUserPolicies" | "ListAttachedGroupPolicies" | "ListAttachedRolePolicies" => {
            attachments::list(request)
        }
        "CreateGroup" => groups::create(request),
        "GetGroup" => groups::get(request),
        "DeleteGroup" => groups::delete(request),
        "ListGroupsForUser" => groups::list_for_user(request),
        "AddUserToGroup" => groups::add_user(request),
        "RemoveUserFromGroup" => groups::remove_user(request),
        "CreatePolicy" => managed_policies::create(request),
        "GetPolicy" => managed_policies::get(request),
        "ListPolicies" => managed_policies::list(request),
        "ListPolicyTags" => managed_policies::list_tags(request),
        "UntagPolicy" => policy_entities::untag(request),
        "ListEntitiesForPolicy" => policy_entities::list(request),
        "DeletePolicy" => managed_policies::delete(request),
        "CreatePolicyVersion" => managed_policies::create_version(request),
        "GetPolicyVersion" => managed_policies::get_version(request),
        "ListPolicyVersions" => managed_policies::list_versions(request),
        "SetDefaultPolicyVersion" => managed_policies::set_default_version(request),
        "DeletePolicyVersion" => managed_policies::delete_version(request),
        "CreateRole" => roles::create(request),
        "GetRole" => roles::get(request),
        "DeleteRole" => roles::delete(request),
        "SimulatePrincipalPolicy" => simulate::principal_policy(request),
        other => belongings::dispatch(request)
            .unwrap_or_else(|| Err(AwsError::invalid_action(other, Api::Iam.version()))),
    }
}

/// A fresh unique id: four letters for the kind, then 17 characters of base 32.
pub(crate) fn unique_id(prefix: &str, rng: &mut dyn RngCore) -> String {
    format!("{prefix}{}", random_text(17, BASE32, rng))
}

/// The characters of unique ids and access key ids.
pub(crate) const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The characters of secret access keys and tokens.
pub(crate) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// So many characters of an alphabet.
pub(crate) fn random_text(count: usize, alphabet: &str, rng: &mut dyn RngCore) -> String {
    let any = |rng: &mut dyn RngCore| alphabet.chars().nth(rng.random_range(0..alphabet.len()));
    (0..count).filter_map(|_| any(rng)).collect()
}

/// A moment as IAM writes it.
pub(crate) fn moment(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let shape = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    moment.format(shape).unwrap_or_default()
}
