//! What strangers are told of the errors of token roles, entities, groups and quotas (contract 3.2).

use super::methods::method;
use super::{ApiError, Told, bare, internal};
use crate::auth::identity::IdentityError;
use crate::auth::quotas::QuotaRefused;
use crate::auth::token_roles::TokenRoleRefused;
use crate::auth::{AuthError, CreateRefused};

pub(super) fn token_role(error: &TokenRoleRefused) -> Told {
    match error {
        TokenRoleRefused::PathSuffix
        | TokenRoleRefused::ParentReference
        | TokenRoleRefused::TokenType(_)
        | TokenRoleRefused::Batch(_)
        | TokenRoleRefused::NegativeUses => bare(400, error.to_string()),
        TokenRoleRefused::Network(error) => method(error),
        TokenRoleRefused::Store(_) => internal(),
    }
}

pub(super) fn identity(error: &IdentityError) -> Told {
    match error {
        IdentityError::Root
        | IdentityError::NoEntity(_)
        | IdentityError::NoAlias(_)
        | IdentityError::NoGroup(_)
        | IdentityError::EntityName
        | IdentityError::GroupName
        | IdentityError::GroupNameMissing
        | IdentityError::GroupType(_)
        | IdentityError::Cycle(_)
        | IdentityError::AliasName
        | IdentityError::AccessorMissing
        | IdentityError::NoMount(_)
        | IdentityError::SecondAlias
        | IdentityError::AliasTaken
        | IdentityError::NothingToLookFor => bare(400, error.to_string()),
        IdentityError::Store(_) => internal(),
    }
}

pub(super) fn quota(error: &QuotaRefused) -> Told {
    match error {
        QuotaRefused::Rate
        | QuotaRefused::NoMount(_)
        | QuotaRefused::Taken(_)
        | QuotaRefused::Role => bare(400, error.to_string()),
        QuotaRefused::Store(_) => internal(),
    }
}

/// A sample of each kind, for the table of errors.
pub(super) fn samples() -> Vec<(&'static str, ApiError)> {
    let name = || "x".to_owned();
    let create = |refused| AuthError::Create(refused).into();
    let lists = CreateRefused::NotAllowedByRole {
        asked: "[\"x\"]".to_owned(),
        allowed: "[\"a\"]".to_owned(),
        globs: "[]".to_owned(),
    };
    vec![
        ("batch token makes a token", create(CreateRefused::BatchParent)),
        ("batch token with what could change", create(CreateRefused::BatchWith("num_uses"))),
        ("batch token with `root`", create(CreateRefused::BatchRoot)),
        ("batch token renewed or revoked by itself", AuthError::Batch("renewed").into()),
        ("token role missing at a create", create(CreateRefused::UnknownRole(name()))),
        ("token role missing at a renewal", AuthError::TokenRoleGone(name()).into()),
        ("token role: policies not allowed", create(lists)),
        ("token role: policy forbidden", create(CreateRefused::DisallowedByRole(name()))),
        ("`entity_alias` not allowed", create(CreateRefused::AliasNotAllowed)),
        ("token role: `path_suffix`", TokenRoleRefused::PathSuffix.into()),
        ("token role: `token_type`", TokenRoleRefused::TokenType(name()).into()),
        (
            "token role: batch tokens that could change",
            TokenRoleRefused::Batch("periodic tokens").into(),
        ),
        ("entity or group with `root`", IdentityError::Root.into()),
        ("entity missing", IdentityError::NoEntity(name()).into()),
        ("entity: name taken", IdentityError::EntityName.into()),
        ("alias missing", IdentityError::NoAlias(name()).into()),
        ("alias: no such mount", IdentityError::NoMount(name()).into()),
        ("alias: a second one at a mount", IdentityError::SecondAlias.into()),
        ("alias: another entity's", IdentityError::AliasTaken.into()),
        ("group missing", IdentityError::NoGroup(name()).into()),
        ("group: name taken", IdentityError::GroupName.into()),
        ("group in itself", IdentityError::Cycle(name()).into()),
        ("group of another type", IdentityError::GroupType("external".to_owned()).into()),
        ("quota: bad rate", QuotaRefused::Rate.into()),
        ("quota: no such mount", QuotaRefused::NoMount(name()).into()),
        ("quota: another has the path", QuotaRefused::Taken(name()).into()),
        ("quota by role", QuotaRefused::Role.into()),
        ("quota exceeded", ApiError::RateLimited("aws/creds/x".to_owned())),
    ]
}
