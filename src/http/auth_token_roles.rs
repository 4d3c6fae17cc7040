//! `auth/token/roles` and `auth/token/create/:role` (contract 3.2). Only shapes live here; what a role makes of a
//! request is decided in [`crate::auth`].

use serde::Serialize;

use super::auth_token::new_token;
use super::envelope::Answer;
use super::error::ApiError;
use super::fields::{Field, Fields, Kind, field, path_field};
use super::pipeline::{Answered, Call};
use crate::auth::AuthError;
use crate::auth::token_roles::{Named, TokenRoleChange};
use crate::model::{Network, TokenRole};

/// What writing a role takes; the last three are old names.
pub(super) const ROLE: &[Field] = &[
    path_field("role_name"),
    field("allowed_policies", Kind::List),
    field("allowed_policies_glob", Kind::List),
    field("disallowed_policies", Kind::List),
    field("disallowed_policies_glob", Kind::List),
    field("orphan", Kind::Bool),
    field("renewable", Kind::Bool),
    field("path_suffix", Kind::Text),
    field("allowed_entity_aliases", Kind::List),
    field("token_type", Kind::Text),
    field("token_period", Kind::Seconds),
    field("token_explicit_max_ttl", Kind::Seconds),
    field("token_bound_cidrs", Kind::List),
    field("token_num_uses", Kind::Int),
    field("token_no_default_policy", Kind::Bool),
    field("period", Kind::Seconds),
    field("explicit_max_ttl", Kind::Seconds),
    field("bound_cidrs", Kind::List),
];

/// POST and PUT `auth/token/create/:role`.
pub(super) async fn create(mut call: Call) -> Answered {
    let new = new_token(&mut call.fields)?;
    let granted = call.wire.auth.create_by_role(call.caller()?, &call.captured, new).await?;
    Answer::granted(&granted, None, call.wire.clock.now())
}

/// LIST `auth/token/roles`.
pub(super) async fn list(call: Call) -> Answered {
    Ok(Answer::keys(call.wire.auth.token_role_names().await.map_err(AuthError::from)?))
}

/// GET `auth/token/roles/:name`.
pub(super) async fn read(call: Call) -> Answered {
    let found = call.wire.auth.token_role(&call.captured).await.map_err(AuthError::from)?;
    Answer::data(&RoleView::new(&found.ok_or(ApiError::NotFound)?))
}

/// POST and PUT `auth/token/roles/:name`.
pub(super) async fn write(mut call: Call) -> Answered {
    let change = change(&mut call.fields);
    Ok(Answer::done(call.wire.auth.write_token_role(&call.captured, change).await?))
}

/// DELETE `auth/token/roles/:name`.
pub(super) async fn delete(call: Call) -> Answered {
    call.wire.auth.remove_token_role(&call.captured).await.map_err(AuthError::from)?;
    Ok(Answer::nothing())
}

fn change(fields: &mut Fields) -> TokenRoleChange {
    TokenRoleChange {
        allowed_policies: fields.list("allowed_policies"),
        allowed_policies_glob: fields.list("allowed_policies_glob"),
        disallowed_policies: fields.list("disallowed_policies"),
        disallowed_policies_glob: fields.list("disallowed_policies_glob"),
        orphan: fields.bool("orphan"),
        renewable: fields.bool("renewable"),
        path_suffix: fields.text("path_suffix"),
        allowed_entity_aliases: fields.list("allowed_entity_aliases"),
        token_type: fields.text("token_type"),
        period: Named { new: fields.seconds("token_period"), old: fields.seconds("period") },
        explicit_max_ttl: Named {
            new: fields.seconds("token_explicit_max_ttl"),
            old: fields.seconds("explicit_max_ttl"),
        },
        bound_cidrs: Named {
            new: fields.list("token_bound_cidrs"),
            old: fields.list("bound_cidrs"),
        },
        num_uses: fields.int("token_num_uses"),
        no_default_policy: fields.bool("token_no_default_policy"),
    }
}

/// As it is read back: the old names hold what was written by them.
#[derive(Serialize)]
struct RoleView<'a> {
    allowed_entity_aliases: Option<&'a [String]>,
    allowed_policies: &'a [String],
    allowed_policies_glob: &'a [String],
    #[serde(skip_serializing_if = "<[Network]>::is_empty")]
    bound_cidrs: &'a [Network],
    disallowed_policies: &'a [String],
    disallowed_policies_glob: &'a [String],
    explicit_max_ttl: u64,
    name: &'a str,
    orphan: bool,
    path_suffix: &'a str,
    period: u64,
    renewable: bool,
    #[serde(skip_serializing_if = "<[Network]>::is_empty")]
    token_bound_cidrs: &'a [Network],
    token_explicit_max_ttl: u64,
    token_no_default_policy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_num_uses: Option<i64>,
    token_period: u64,
    token_type: &'a str,
}

impl<'a> RoleView<'a> {
    fn new(role: &'a TokenRole) -> Self {
        let old = role.old_names;
        let by_old = |is_old: bool, seconds: u64| if is_old { seconds } else { 0 };
        Self {
            allowed_entity_aliases: role.allowed_entity_aliases.as_deref(),
            allowed_policies: &role.allowed_policies,
            allowed_policies_glob: &role.allowed_policies_glob,
            bound_cidrs: if old.bound_cidrs { &role.bound_cidrs } else { &[] },
            disallowed_policies: &role.disallowed_policies,
            disallowed_policies_glob: &role.disallowed_policies_glob,
            explicit_max_ttl: by_old(old.explicit_max_ttl, role.explicit_max_ttl),
            name: &role.name,
            orphan: role.orphan,
            path_suffix: &role.path_suffix,
            period: by_old(old.period, role.period),
            renewable: role.renewable,
            token_bound_cidrs: &role.bound_cidrs,
            token_explicit_max_ttl: role.explicit_max_ttl,
            token_no_default_policy: role.no_default_policy,
            token_num_uses: (role.num_uses > 0).then_some(role.num_uses),
            token_period: role.period,
            token_type: role.kind.as_str(),
        }
    }
}
