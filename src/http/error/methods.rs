//! What strangers are told of the errors of auth methods (contract 2.5, 3.3).

use super::domain::auth;
use super::{Told, bare, internal, wrapped};
use crate::auth::methods::MethodError;

pub(super) fn method(error: &MethodError) -> Told {
    match error {
        MethodError::PathInUse(_)
        | MethodError::BadPath(_)
        | MethodError::TypeMissing
        | MethodError::TokenNotInstantiable
        | MethodError::TokenNotDisabled
        | MethodError::TokenNotTuned
        | MethodError::UnknownType(_)
        | MethodError::MountTokenType
        | MethodError::NothingToTune(_)
        | MethodError::NoMount(_)
        | MethodError::TokenType(_)
        | MethodError::Negative(_)
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
        MethodError::Auth(error) => auth(error),
        MethodError::Seal(_) | MethodError::Store(_) | MethodError::Hashing(_) => internal(),
    }
}
