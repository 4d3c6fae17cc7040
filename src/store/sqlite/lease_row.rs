//! A lease as a row. States, reasons and failure classes are small integers, written down here and
//! nowhere else; a number once given is never given to something else. The statements are in
//! [`super::leases`].

use rusqlite::Row;
use rusqlite::types::Value;

use super::failure::damaged;
use super::values::{from_json, hex, parsed, small, span, time, to_json, uint};
use crate::model::{
    Accessor, Beside, CredentialType, EndReason, EndRecord, FailureClass, Lease, LeaseId,
    LeaseState, MountId, Origin, TeardownProgress,
};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// What [`from_row`] reads, in its order; needs `lease`, `mount` and `holder`.
pub(super) const COLUMNS: &str = "lease.id, mount.id, holder.accessor, lease.role, role_version,
     credential_type, user, issued_at, role_ttl, role_max_ttl, lease.last_renewal, verdict, forced,
     revision, lease.state, due_at, access_key, lease.expires_at, reason, since, contained_at, removed_at,
     looks, attempts, failure_class, failure, revoked_at, caller, source, policy_digest, account,
     user_id, beside, request_key, proven_at";

pub(super) fn from_row(row: &Row<'_>) -> Result<Lease> {
    let id: LeaseId = parsed(text(row, 0)?)?;
    let role = match row.get_ref(3)?.as_str_or_null() {
        Ok(Some(role)) => parsed(role)?,
        Ok(None) => parsed(role_in(&id))?,
        Err(error) => return Err(damaged(&error)),
    };
    Ok(Lease {
        role,
        mount: MountId(row.get(1)?),
        holder: Accessor(row.get(2)?),
        role_version: uint(row.get(4)?),
        credential_type: credential_type(row.get(5)?)?,
        user: optional_name(row, 6)?,
        issued_at: time(row.get(7)?),
        role_ttl: row.get::<_, Option<i64>>(8)?.map(span),
        role_max_ttl: row.get::<_, Option<i64>>(9)?.map(span),
        last_renewal: row.get::<_, Option<i64>>(10)?.map(time),
        verdict: digest_text(row.get(11)?),
        origin: Origin {
            caller: row.get(27)?,
            source: optional_name(row, 28)?,
            policy_digest: digest_text(row.get(29)?),
        },
        account: row.get(30)?,
        user_id: row.get(31)?,
        beside: match row.get_ref(32)?.as_str_or_null() {
            Ok(text) => text.map(from_json).transpose()?.unwrap_or_default(),
            Err(error) => return Err(damaged(&error)),
        },
        request_key: row.get(33)?,
        proven_at: row.get::<_, Option<i64>>(34)?.map(time),
        forced: row.get(12)?,
        revision: uint(row.get(13)?),
        state: state(row)?,
        id,
    })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str> {
    row.get_ref(column)?.as_str().map_err(|error| damaged(&error))
}

fn optional_name<T>(row: &Row<'_>, column: usize) -> Result<Option<T>>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match row.get_ref(column)?.as_str_or_null() {
        Ok(text) => text.map(parsed).transpose(),
        Err(error) => Err(damaged(&error)),
    }
}

fn state(row: &Row<'_>) -> Result<LeaseState> {
    match row.get::<_, i64>(14)? {
        PENDING => Ok(LeaseState::Pending),
        ACTIVE => Ok(LeaseState::Active {
            access_key: parsed(text(row, 16)?)?,
            expires_at: time(row.get(17)?),
        }),
        REVOKING => Ok(LeaseState::Revoking(progress(row)?)),
        REVOKED => Ok(LeaseState::Revoked { at: time(row.get(26)?), record: record(row)? }),
        other => Err(damaged(&format_args!("lease state {other}"))),
    }
}

/// Rows of the first releases kept nothing of how they ended.
fn record(row: &Row<'_>) -> Result<Option<EndRecord>> {
    let Some(reason) = row.get(18)? else {
        return Ok(None);
    };
    Ok(Some(EndRecord {
        reason: end_reason(reason)?,
        since: time(row.get(19)?),
        access_key: optional_name(row, 16)?,
        expires_at: row.get::<_, Option<i64>>(17)?.map(time),
        contained_at: row.get::<_, Option<i64>>(20)?.map(time),
        removed_at: row.get::<_, Option<i64>>(21)?.map(time),
    }))
}

fn progress(row: &Row<'_>) -> Result<TeardownProgress> {
    let class: Option<i64> = row.get(24)?;
    let last_failure = match class {
        Some(class) => Some((failure_class(class)?, row.get(25)?)),
        None => None,
    };
    Ok(TeardownProgress {
        reason: end_reason(row.get(18)?)?,
        since: time(row.get(19)?),
        access_key: optional_name(row, 16)?,
        expires_at: row.get::<_, Option<i64>>(17)?.map(time),
        contained_at: row.get::<_, Option<i64>>(20)?.map(time),
        removed_at: row.get::<_, Option<i64>>(21)?.map(time),
        looks: small(row.get(22)?),
        attempts: small(row.get(23)?),
        next_attempt_at: time(row.get(15)?),
        last_failure,
    })
}

pub(super) const PENDING: i64 = 0;
pub(super) const ACTIVE: i64 = 1;
pub(super) const REVOKING: i64 = 2;
pub(super) const REVOKED: i64 = 3;

/// The role that a lease id names: its last but one part.
fn role_in(id: &LeaseId) -> &str {
    id.as_str().rsplit('/').nth(1).unwrap_or_default()
}

/// What the row must say about the role: nothing where the id says it.
pub(super) fn role_column(lease: &Lease) -> Option<&str> {
    let role = lease.role.as_str();
    (role != role_in(&lease.id)).then_some(role)
}

/// A digest in half the bytes of its hex.
pub(super) fn digest_column(text: &str) -> Value {
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Some(c.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(c.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(nibble(high)?.wrapping_shl(4) | nibble(low)?),
            _ => None,
        })
        .collect();
    bytes.map_or_else(|| Value::Text(text.to_owned()), Value::Blob)
}

/// What is to be undone beside the user, nothing where there is nothing.
pub(super) fn beside_column(beside: &Beside) -> Result<Option<String>> {
    (*beside != Beside::default()).then(|| to_json(beside)).transpose()
}

fn digest_text(column: Value) -> String {
    match column {
        Value::Text(text) => text,
        Value::Blob(bytes) => hex(&bytes),
        Value::Null | Value::Integer(_) | Value::Real(_) => String::new(),
    }
}

macro_rules! codes {
    ($type:ident: $write:ident, $read:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        pub(super) const fn $write(value: $type) -> i64 {
            match value { $($type::$variant => $code),+ }
        }

        pub(super) fn $read(code: i64) -> Result<$type> {
            match code {
                $($code => Ok($type::$variant),)+
                other => Err(damaged(&format_args!("{} {other}", stringify!($type)))),
            }
        }
    };
}

codes! { CredentialType: credential_type_code, credential_type {
    IamUser = 0, AssumedRole = 1, FederationToken = 2, SessionToken = 3,
}}
codes! { EndReason: end_reason_code, end_reason {
    Expired = 0, Revoked = 1, TokenEnded = 2, Abandoned = 3,
}}
codes! { FailureClass: failure_class_code, failure_class {
    Throttled = 0, AccessDenied = 1, BadCredentials = 2, StillOwns = 3, NotOurs = 4, Unclear = 5,
    Refused = 6, Settling = 7, WrongAccount = 8,
}}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_stored_in_half_its_length_and_reads_back() {
        let digest = "00ff10a9".repeat(8);
        let Value::Blob(bytes) = digest_column(&digest) else {
            panic!("hex should be stored as bytes");
        };
        assert_eq!(bytes.len(), 32);
        for text in [digest.as_str(), "", "abc", "ABCD", "no hex"] {
            assert_eq!(digest_text(digest_column(text)), text);
        }
    }

    #[test]
    fn an_unknown_code_is_a_damaged_row_not_a_guess() {
        let text = failure_class(99).unwrap_err().to_string();
        assert!(text.contains("FailureClass 99"), "{text}");
        assert!(end_reason(4).is_err() && credential_type(-1).is_err());
    }
}
