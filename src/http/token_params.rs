//! The `token_*` fields on the wire, which roles and users share (contract 3.3). Only shapes; what they may
//! be is [`crate::auth::methods`]'.

use serde::Serialize;

use super::fields::Fields;
use crate::auth::methods::ParamsChange;
use crate::model::{Network, TokenParams};

/// A route's own fields, and those of the tokens.
macro_rules! with_token_fields {
    ($($own:expr),* $(,)?) => {
        &[
            $($own,)*
            field("token_ttl", Kind::Seconds),
            field("token_max_ttl", Kind::Seconds),
            field("token_policies", Kind::List),
            field("token_bound_cidrs", Kind::List),
            field("token_explicit_max_ttl", Kind::Seconds),
            field("token_no_default_policy", Kind::Bool),
            field("token_num_uses", Kind::Int),
            field("token_period", Kind::Seconds),
            field("token_type", Kind::Text),
        ]
    };
}
pub(super) use with_token_fields;

/// What was sent of them. The old names are those of the method, where it has such; the new ones win.
pub(super) fn change(fields: &mut Fields) -> ParamsChange {
    let old_policies = fields.list("policies");
    let (old_ttl, old_max) = (fields.seconds("ttl"), fields.seconds("max_ttl"));
    let (old_period, old_cidrs) = (fields.seconds("period"), fields.list("bound_cidrs"));
    ParamsChange {
        ttl: fields.seconds("token_ttl").or(old_ttl),
        max_ttl: fields.seconds("token_max_ttl").or(old_max),
        policies: fields.list("token_policies").or(old_policies),
        bound_cidrs: fields.list("token_bound_cidrs").or(old_cidrs),
        explicit_max_ttl: fields.seconds("token_explicit_max_ttl"),
        no_default_policy: fields.bool("token_no_default_policy"),
        num_uses: fields.int("token_num_uses"),
        period: fields.seconds("token_period").or(old_period),
        token_type: fields.text("token_type"),
    }
}

/// As they are read back.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub(super) struct ParamsView<'a> {
    token_ttl: u64,
    token_max_ttl: u64,
    token_policies: &'a [String],
    token_bound_cidrs: &'a [Network],
    token_explicit_max_ttl: u64,
    token_no_default_policy: bool,
    token_num_uses: i64,
    token_period: u64,
    token_type: &'a str,
}

impl<'a> ParamsView<'a> {
    pub(super) fn new(params: &'a TokenParams) -> Self {
        Self {
            token_ttl: params.ttl,
            token_max_ttl: params.max_ttl,
            token_policies: &params.policies,
            token_bound_cidrs: &params.bound_cidrs,
            token_explicit_max_ttl: params.explicit_max_ttl,
            token_no_default_policy: params.no_default_policy,
            token_num_uses: params.num_uses,
            token_period: params.period,
            token_type: &params.token_type,
        }
    }
}
