//! What SQLite's complaints mean, in words for whoever has to act. It never forwards statements or
//! values, only what happened. Used by everything in [`super`].

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if let Error::SqlInputError { msg, .. } = &error {
            // Its own text would show the whole statement.
            return damaged(msg);
        }
        let Error::SqliteFailure(failure, detail) = &error else {
            return damaged(&error);
        };
        if matches!(
            failure.extended_code,
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        ) {
            return Self::Conflict;
        }
        let detail = detail.as_deref().unwrap_or("no detail");
        Self::Failed(match advice(failure.code) {
            Some(advice) => format!("{advice} (SQLite {}: {detail})", failure.extended_code),
            None => format!("SQLite {}: {detail}", failure.extended_code),
        })
    }
}

/// What happened and what to do, for the failures that somebody can do something about.
fn advice(code: ErrorCode) -> Option<&'static str> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "SQLite's enum, not ours: the rest has no better words than SQLite's own"
    )]
    match code {
        ErrorCode::DiskFull => Some(
            "the disk is full, nothing was written\nhelp: free space on the disk of the data directory; writes work again at once",
        ),
        ErrorCode::SystemIoFailure => Some(
            "the disk did not take the write or gave back an error\nhelp: look for disk errors in the system's log, then check the database with `PRAGMA integrity_check`",
        ),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(
            "the database file is damaged\nhelp: stop Leasehold and restore `leasehold.db` from a backup",
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Some(
            "the database file cannot be written\nhelp: check owner and mode of the data directory",
        ),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(
            "another process holds the database\nhelp: end it; Leasehold needs the data directory for itself",
        ),
        ErrorCode::OutOfMemory => Some("the process is out of memory"),
        _ => None,
    }
}

/// A row that does not read back as what was written.
pub(super) fn damaged(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("a stored row cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: std::ffi::c_int) -> StoreError {
        Error::SqliteFailure(ffi::Error::new(code), Some("detail".to_owned())).into()
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let text = failure(ffi::SQLITE_FULL).to_string();
        assert!(text.contains("the disk is full"), "{text}");
        assert!(text.contains("\nhelp: free space"), "{text}");
    }

    #[test]
    fn a_second_row_of_the_same_name_is_a_conflict() {
        let unique = failure(ffi::SQLITE_CONSTRAINT_UNIQUE);
        assert!(matches!(unique, StoreError::Conflict));
        let foreign = failure(ffi::SQLITE_CONSTRAINT_FOREIGNKEY);
        assert!(matches!(foreign, StoreError::Failed(_)));
    }
}
