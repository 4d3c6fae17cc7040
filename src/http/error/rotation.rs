//! What strangers are told where a key was not rotated (contract 1.3, 1.13): what Vault's handlers return as bare
//! errors is 500, what they check themselves is 400, and so is what is ours. The rest: [`super::domain`].

use super::domain::not_serving;
use super::{Told, bare, internal, silent, wrapped};
use crate::engine::rotate_root::RotateRootError;
use crate::engine::static_roles::StaticRoleError;

pub(super) fn rotate_root(error: &RotateRootError) -> Told {
    match error {
        RotateRootError::NoKeys => bare(400, error.to_string()),
        RotateRootError::Key(key) if key.is_internal() => internal(),
        RotateRootError::NoConfiguration | RotateRootError::Key(_) => {
            wrapped(500, &error.to_string())
        }
        RotateRootError::NotServing(error) => not_serving(error),
    }
}

pub(super) fn static_role(error: &StaticRoleError) -> Told {
    match error {
        _ if error.is_internal() => internal(),
        StaticRoleError::Missing(_)
        | StaticRoleError::ScheduleAndPeriod
        | StaticRoleError::WindowWithPeriod
        | StaticRoleError::BadSchedule(_)
        | StaticRoleError::OverlapTooLong
        | StaticRoleError::UserTaken { .. }
        | StaticRoleError::BrokersOwn(_)
        | StaticRoleError::ForeignKeys { .. }
        | StaticRoleError::BeingDeleted(_) => bare(400, error.to_string()),
        StaticRoleError::CrossAccount
        | StaticRoleError::PeriodOutOfRange
        | StaticRoleError::Unvalidated { .. }
        | StaticRoleError::OtherName { .. }
        | StaticRoleError::OtherId { .. }
        | StaticRoleError::NotRotated { .. }
        | StaticRoleError::NotCleaned { .. } => wrapped(500, &error.to_string()),
        StaticRoleError::Gone(_) => silent(404),
        StaticRoleError::NotServing(error) => not_serving(error),
        StaticRoleError::Seal(_) | StaticRoleError::Store(_) | StaticRoleError::Fault(_) => {
            internal()
        }
    }
}
