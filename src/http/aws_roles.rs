//! `<mount>/roles` and `<mount>/roles/:name` (contract 1.4). Only shapes live here; what a role may be
//! is decided in [`crate::engine::roles`], what it may grant in [`crate::gate`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::engine::delivery::DeliveryChange;
use crate::engine::roles::{KvPairs, RoleChange};
use crate::model::{Delivery, GroupName, PolicyArn, Role, RoleName};

/// What a role takes.
pub(super) const FIELDS: &[Field] = &[
    path_field("name"),
    field("credential_type", Kind::Text),
    field("policy_arns", Kind::List),
    field("role_arns", Kind::List),
    field("policy_document", Kind::Text),
    field("iam_groups", Kind::List),
    field("iam_tags", Kind::Pairs),
    field("session_tags", Kind::Pairs),
    field("external_id", Kind::Text),
    field("default_sts_ttl", Kind::Seconds),
    field("max_sts_ttl", Kind::Seconds),
    field("user_path", Kind::Text),
    field("permissions_boundary_arn", Kind::Text),
    field("mfa_serial_number", Kind::Text),
    field("policy", Kind::Text),
    field("arn", Kind::Text),
    field("ttl", Kind::Seconds),
    field("max_ttl", Kind::Seconds),
    field("readiness", Kind::Text),
    field("strict_ttl", Kind::Bool),
    field("max_leases", Kind::Int),
    field("max_leases_per_caller", Kind::Int),
    field("readiness_successes", Kind::Int),
    field("readiness_canary", Kind::Text),
    field("placement", Kind::Text),
    field("session_revocation", Kind::Text),
];

/// LIST `roles`.
pub(super) async fn list(call: Call) -> Answered {
    let names = call.wire.engine.list_roles(call.mount()?).await?;
    Ok(Answer::keys(names.into_iter().map(String::from).collect()))
}

/// GET `roles/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let stored = call.wire.engine.read_role(call.mount()?, &name(&call)?).await?;
    let role = stored.ok_or(ApiError::NotFound)?;
    Answer::data(&RoleView::new(&role))
}

/// POST and PUT `roles/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let name = name(&call)?;
    let fields = &mut call.fields;
    let change = RoleChange {
        credential_type: fields.text("credential_type"),
        policy_arns: fields.list("policy_arns"),
        role_arns: fields.list("role_arns"),
        policy_document: fields.text("policy_document"),
        iam_groups: fields.list("iam_groups"),
        iam_tags: fields.pairs("iam_tags").map(KvPairs),
        session_tags: fields.pairs("session_tags").map(KvPairs),
        external_id: fields.text("external_id"),
        default_sts_ttl: fields.seconds("default_sts_ttl"),
        max_sts_ttl: fields.seconds("max_sts_ttl"),
        user_path: fields.text("user_path"),
        permissions_boundary_arn: fields.text("permissions_boundary_arn"),
        mfa_serial_number: fields.text("mfa_serial_number"),
        policy: fields.text("policy"),
        arn: fields.text("arn"),
        ttl: fields.seconds("ttl"),
        max_ttl: fields.seconds("max_ttl"),
        strict_ttl: fields.bool("strict_ttl"),
        max_leases: fields.int("max_leases"),
        max_leases_per_caller: fields.int("max_leases_per_caller"),
        delivery: DeliveryChange {
            readiness: fields.text("readiness"),
            readiness_successes: fields.int("readiness_successes"),
            readiness_canary: fields.text("readiness_canary"),
            placement: fields.text("placement"),
            session_revocation: fields.text("session_revocation"),
        },
    };
    let written = call.wire.engine.write_role(call.caller()?, call.mount()?, &name, change).await?;
    Ok(Answer::done(written.warnings).judged(written.verdicts))
}

/// DELETE `roles/:name`; a missing one is fine.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.engine.delete_role(call.mount()?, &name(&call)?).await?;
    Ok(Answer::nothing())
}

/// The name in the path; a route takes well-formed ones only.
pub(super) fn name(call: &Call) -> Result<RoleName, ApiError> {
    call.captured.parse().map_err(|_invalid| ApiError::UnsupportedPath)
}

/// A cap where there is one.
fn cap(number: u64) -> Option<u64> {
    (number > 0).then_some(number)
}

/// Lists and maps that were never set are null, cleared ones are not (contract 7.6). Fields
/// of Leasehold's own that came later are there only where they are set.
#[derive(Serialize)]
struct RoleView<'a> {
    credential_type: String,
    policy_arns: Option<&'a [PolicyArn]>,
    role_arns: Option<&'a [String]>,
    policy_document: &'a str,
    iam_groups: Option<&'a [GroupName]>,
    iam_tags: Option<&'a BTreeMap<String, String>>,
    session_tags: Option<&'a BTreeMap<String, String>>,
    external_id: &'a str,
    default_sts_ttl: u64,
    max_sts_ttl: u64,
    user_path: &'a str,
    permissions_boundary_arn: &'a str,
    mfa_serial_number: &'a str,
    ttl: u64,
    max_ttl: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict_ttl: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_leases: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_leases_per_caller: Option<u64>,
    /// Only what is set.
    #[serde(flatten)]
    delivery: &'a Delivery,
}

impl<'a> RoleView<'a> {
    fn new(role: &'a Role) -> Self {
        Self {
            credential_type: role.type_names(),
            policy_arns: role.policy_arns.as_deref(),
            role_arns: role.role_arns.as_deref(),
            policy_document: &role.policy_document,
            iam_groups: role.iam_groups.as_deref(),
            iam_tags: role.iam_tags.as_ref(),
            session_tags: role.session_tags.as_ref(),
            external_id: &role.external_id,
            default_sts_ttl: role.default_sts_ttl,
            max_sts_ttl: role.max_sts_ttl,
            user_path: &role.user_path,
            permissions_boundary_arn: &role.permissions_boundary_arn,
            mfa_serial_number: &role.mfa_serial_number,
            ttl: role.ttl,
            max_ttl: role.max_ttl,
            strict_ttl: role.strict_ttl.then_some(true),
            max_leases: cap(role.limits.max_leases),
            max_leases_per_caller: cap(role.limits.max_leases_per_caller),
            delivery: &role.delivery,
        }
    }
}
