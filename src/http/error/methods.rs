//! What strangers are told of the errors of auth methods (contract 2.5, 3.3).

use super::domain::auth;
use super::{ApiError, Told, bare, internal, wrapped};
use crate::auth::methods::MethodError;

pub(super) fn method(error: &MethodError) -> Told {
    match error {
        MethodError::PathInUse(_)
        | MethodError::BadPath(_)
        | MethodError::TypeMissing
        | MethodError::TokenNotInstantiable
        | MethodError::TokenNotDisabled
        | MethodError::TokenNotTuned
        | MethodError::LockoutNotTuned
        | MethodError::UnknownType(_)
        | MethodError::MountTokenType
        | MethodError::NothingToTune(_)
        | MethodError::NoMount(_)
        | MethodError::TokenType(_)
        | MethodError::Negative(_)
        | MethodError::Batch(_)
        | MethodError::TtlAboveMax
        | MethodError::BadNetwork { .. }
        | MethodError::LocalFixed
        | MethodError::RoleIdTaken
        | MethodError::RoleIdMissing
        | MethodError::NoRoleToList(_)
        | MethodError::NotBound
        | MethodError::SecretIdMissing
        | MethodError::AccessorMissing
        | MethodError::SecretIdTaken
        | MethodError::BadMetadata
        | MethodError::TooManyUses
        | MethodError::TooLong
        | MethodError::OutsideRole(_)
        | MethodError::PasswordMissing
        | MethodError::NoUser
        | MethodError::WrongRole
        | MethodError::WrongPassword
        | MethodError::Source { .. } => bare(400, error.to_string()),
        MethodError::NoRole(_) | MethodError::NoAccessor(_) => bare(404, error.to_string()),
        MethodError::Locked => bare(403, error.to_string()),
        // Vault's own handler fails in these two, and the wire says so.
        MethodError::NoAlias => bare(500, error.to_string()),
        MethodError::NoConstraint => wrapped(500, &error.to_string()),
        MethodError::Jwt(error) => super::logins::jwt(error),
        MethodError::Kubernetes(error) => super::logins::kubernetes(error),
        MethodError::Auth(error) => auth(error),
        MethodError::Seal(_) | MethodError::Store(_) | MethodError::Hashing(_) => internal(),
    }
}

/// A sample of each kind, for the table of errors.
pub(super) fn samples() -> Vec<(&'static str, ApiError)> {
    let name = || "x".to_owned();
    let network = MethodError::BadNetwork { field: "token_bound_cidrs", sent: name() };
    let elsewhere = MethodError::Source {
        address: "192.0.2.1".parse().ok(),
        by: "by CIDR restrictions on the role",
    };
    vec![
        ("auth method: no type", MethodError::TypeMissing.into()),
        ("auth method: type that is not offered", MethodError::UnknownType(name()).into()),
        ("auth method: type `token`", MethodError::TokenNotInstantiable.into()),
        ("auth method: the tokens' own disabled", MethodError::TokenNotDisabled.into()),
        ("auth method: the tokens' own tuned", MethodError::TokenNotTuned.into()),
        ("auth method: lockout tuned", MethodError::LockoutNotTuned.into()),
        ("auth method: `token_type`", MethodError::MountTokenType.into()),
        ("auth method missing, read", MethodError::NoMount("x/".to_owned()).into()),
        ("auth method missing, tuned", MethodError::NothingToTune("auth/x/".to_owned()).into()),
        ("`token_type` of a role or user", MethodError::TokenType("x".to_owned()).into()),
        ("batch tokens that could change", MethodError::Batch("periodic tokens").into()),
        ("`token_*` below zero", MethodError::Negative("token_num_uses").into()),
        ("`token_ttl` over its maximum", MethodError::TtlAboveMax.into()),
        ("bad network", network.into()),
        ("AppRole: role that asks for nothing", MethodError::NoConstraint.into()),
        ("AppRole: role missing", MethodError::NoRole(name()).into()),
        ("AppRole: role missing, its secret ids listed", MethodError::NoRoleToList(name()).into()),
        ("AppRole: role id of another role", MethodError::RoleIdTaken.into()),
        ("AppRole: role id missing where it is set", MethodError::RoleIdMissing.into()),
        ("AppRole: `local_secret_ids` changed", MethodError::LocalFixed.into()),
        ("AppRole: role without secret ids", MethodError::NotBound.into()),
        ("AppRole: secret id missing", MethodError::SecretIdMissing.into()),
        ("AppRole: accessor missing", MethodError::AccessorMissing.into()),
        ("AppRole: accessor unknown", MethodError::NoAccessor(name()).into()),
        ("AppRole: secret id taken", MethodError::SecretIdTaken.into()),
        ("AppRole: bad metadata", MethodError::BadMetadata.into()),
        ("AppRole: more uses than the role's", MethodError::TooManyUses.into()),
        ("AppRole: longer than the role's", MethodError::TooLong.into()),
        ("AppRole: networks outside the role's", MethodError::OutsideRole("cidr_list").into()),
        ("userpass: password missing", MethodError::PasswordMissing.into()),
        ("userpass: user missing", MethodError::NoUser.into()),
        ("login without a role id", MethodError::NoAlias.into()),
        ("login of somebody who is locked out", MethodError::Locked.into()),
        ("login: role id or secret id wrong", MethodError::WrongRole.into()),
        ("login: name or password wrong", MethodError::WrongPassword.into()),
        ("login from elsewhere", elsewhere.into()),
    ]
}
