//! Leases. Every look-up is one range of one index, however many rows there are; `due_at` alone
//! decides when the reaper sees a row. What may follow what is decided in [`crate::leases`].

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::lease_row::{
    ACTIVE, COLUMNS, PENDING, REVOKED, REVOKING, beside_column, credential_type_code,
    digest_column, end_reason_code, failure_class_code, from_row, role_column,
};
use super::mounts::live_key;
use super::values::{count, int, millis, parsed, span_millis, time};
use crate::model::{AccessKeyId, Accessor, Lease, LeaseId, LeaseState, Timestamp, UserName};
use crate::store::{DueLease, Show, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) fn begin_lease(db: &Connection, lease: &Lease, settling: Duration) -> Result<()> {
    let mount = live_key(db, &lease.mount)?;
    let holder = holder_key(db, &lease.holder)?;
    let sql = "INSERT INTO lease (id, mount, holder, role, role_version, credential_type, user,
             issued_at, role_ttl, role_max_ttl, verdict, last_renewal, forced, revision, state,
             visible, due_at, access_key, expires_at, reason, since, contained_at, removed_at,
             looks, attempts, failure_class, failure, revoked_at, caller, source, policy_digest,
             account, user_id, beside, request_key, proven_at)
         VALUES (:id, :mount, :holder, :role, :role_version, :credential_type, :user,
             :issued_at, :role_ttl, :role_max_ttl, :verdict, :last_renewal, :forced, :revision, :state,
             :visible, :due_at, :access_key, :expires_at, :reason, :since, :contained_at, :removed_at,
             :looks, :attempts, :failure_class, :failure, :revoked_at, :caller, :source,
             :policy_digest, :account, :user_id, :beside, :request_key, :proven_at)";
    if let Some(request_key) = &lease.request_key {
        give_back(db, request_key)?;
    }
    let changing = Changing::of(db, lease, settling, lease.revision)?;
    let mut parameters: Vec<(&str, &dyn ToSql)> = changing.parameters();
    let (role, role_version) = (role_column(lease), int(lease.role_version));
    let credential_type = credential_type_code(lease.credential_type);
    let (id, issued_at) = (lease.id.as_str(), lease.issued_at.as_millis());
    let source = lease.origin.source.map(|address| address.to_string());
    let policy_digest = digest_column(&lease.origin.policy_digest);
    let fixed: [(&str, &dyn ToSql); 11] = [
        (":id", &id),
        (":mount", &mount),
        (":holder", &holder),
        (":role", &role),
        (":role_version", &role_version),
        (":credential_type", &credential_type),
        (":issued_at", &issued_at),
        (":caller", &lease.origin.caller),
        (":source", &source),
        (":policy_digest", &policy_digest),
        (":request_key", &lease.request_key),
    ];
    parameters.extend(fixed);
    db.prepare_cached(sql)?.execute(parameters.as_slice())?;
    Ok(())
}

/// A pending lease that nobody works on any more, left by a process that died, has no claim to its key:
/// within one process requests of one key come one after another.
fn give_back(db: &Connection, request_key: &[u8]) -> Result<()> {
    let sql = "UPDATE lease SET request_key = NULL WHERE request_key = ?1 AND state = 0";
    db.prepare_cached(sql)?.execute([request_key])?;
    Ok(())
}

/// The small number of an accessor, given when it first holds a lease.
fn holder_key(db: &Connection, accessor: &Accessor) -> Result<i64> {
    let mut query = db.prepare_cached("SELECT key FROM holder WHERE accessor = ?1")?;
    if let Some(key) = query.query_row([&accessor.0], |row| row.get(0)).optional()? {
        return Ok(key);
    }
    db.prepare_cached("INSERT INTO holder (accessor) VALUES (?1)")?.execute([&accessor.0])?;
    Ok(db.last_insert_rowid())
}

/// A lease that ends without having been handed out gives back the key of its request.
pub(super) fn save_lease(db: &Connection, lease: &Lease, settling: Duration) -> Result<()> {
    let sql = "UPDATE lease SET user = :user, role_ttl = :role_ttl, role_max_ttl = :role_max_ttl,
             verdict = :verdict, last_renewal = :last_renewal, forced = :forced,
             revision = :revision, state = :state, visible = :visible, due_at = :due_at,
             access_key = :access_key, expires_at = :expires_at, reason = :reason, since = :since,
             contained_at = :contained_at, removed_at = :removed_at, looks = :looks,
             attempts = :attempts, failure_class = :failure_class, failure = :failure,
             revoked_at = :revoked_at, account = :account, user_id = :user_id, beside = :beside,
             proven_at = :proven_at,
             request_key = CASE WHEN state = 0 AND :state > 1 THEN NULL ELSE request_key END
         WHERE id = :id AND revision = :read_revision";
    let next = lease.revision.saturating_add(1);
    let changing = Changing::of(db, lease, settling, next)?;
    let (id, read_revision) = (lease.id.as_str(), int(lease.revision));
    let mut parameters = changing.parameters();
    let row: [(&str, &dyn ToSql); 2] = [(":id", &id), (":read_revision", &read_revision)];
    parameters.extend(row);
    match db.prepare_cached(sql)?.execute(parameters.as_slice())? {
        0 => Err(StoreError::Conflict),
        _ => Ok(()),
    }
}

/// The columns that change in the life of a lease.
#[derive(Default)]
struct Changing<'a> {
    user: Option<&'a str>,
    role_ttl: Option<i64>,
    role_max_ttl: Option<i64>,
    verdict: Option<Value>,
    last_renewal: Option<i64>,
    forced: bool,
    revision: i64,
    state: i64,
    visible: bool,
    due_at: Option<i64>,
    access_key: Option<&'a str>,
    expires_at: Option<i64>,
    reason: Option<i64>,
    since: Option<i64>,
    contained_at: Option<i64>,
    removed_at: Option<i64>,
    looks: Option<u32>,
    attempts: Option<u32>,
    failure_class: Option<i64>,
    failure: Option<&'a str>,
    revoked_at: Option<i64>,
    account: Option<&'a str>,
    user_id: Option<&'a str>,
    beside: Option<String>,
    proven_at: Option<i64>,
}

impl<'a> Changing<'a> {
    fn of(db: &Connection, lease: &'a Lease, settling: Duration, revision: u64) -> Result<Self> {
        let same = Self {
            user: lease.user.as_ref().map(UserName::as_str),
            role_ttl: lease.role_ttl.map(span_millis),
            role_max_ttl: lease.role_max_ttl.map(span_millis),
            verdict: Some(digest_column(&lease.verdict)),
            last_renewal: millis(lease.last_renewal),
            forced: lease.forced,
            revision: int(revision),
            visible: lease.is_visible(),
            due_at: millis(lease.due_at(settling)),
            account: lease.account.as_deref(),
            user_id: lease.user_id.as_deref(),
            beside: beside_column(&lease.beside)?,
            proven_at: millis(lease.proven_at),
            ..Self::default()
        };
        Ok(match &lease.state {
            LeaseState::Pending => Self { state: PENDING, ..same },
            LeaseState::Active { access_key, expires_at } => Self {
                state: ACTIVE,
                access_key: Some(access_key.as_str()),
                expires_at: Some(expires_at.as_millis()),
                // The holder may have ended since this lease was read: then it is due already.
                due_at: same.due_at.min(holder_end(db, &lease.holder)?.or(same.due_at)),
                ..same
            },
            LeaseState::Revoking(progress) => Self {
                state: REVOKING,
                access_key: progress.access_key.as_ref().map(AccessKeyId::as_str),
                expires_at: millis(progress.expires_at),
                reason: Some(end_reason_code(progress.reason)),
                since: Some(progress.since.as_millis()),
                contained_at: millis(progress.contained_at),
                removed_at: millis(progress.removed_at),
                looks: Some(progress.looks),
                attempts: Some(progress.attempts),
                failure_class: progress.last_failure.as_ref().map(|(c, _)| failure_class_code(*c)),
                failure: progress.last_failure.as_ref().map(|(_, text)| text.as_str()),
                ..same
            },
            LeaseState::Revoked { at, record } => {
                let same = Self { state: REVOKED, revoked_at: Some(at.as_millis()), ..same };
                match record {
                    None => same,
                    Some(record) => Self {
                        access_key: record.access_key.as_ref().map(AccessKeyId::as_str),
                        expires_at: millis(record.expires_at),
                        reason: Some(end_reason_code(record.reason)),
                        since: Some(record.since.as_millis()),
                        contained_at: millis(record.contained_at),
                        removed_at: millis(record.removed_at),
                        ..same
                    },
                }
            }
        })
    }

    fn parameters(&self) -> Vec<(&'static str, &dyn ToSql)> {
        vec![
            (":user", &self.user),
            (":role_ttl", &self.role_ttl),
            (":role_max_ttl", &self.role_max_ttl),
            (":verdict", &self.verdict),
            (":last_renewal", &self.last_renewal),
            (":forced", &self.forced),
            (":revision", &self.revision),
            (":state", &self.state),
            (":visible", &self.visible),
            (":due_at", &self.due_at),
            (":access_key", &self.access_key),
            (":expires_at", &self.expires_at),
            (":reason", &self.reason),
            (":since", &self.since),
            (":contained_at", &self.contained_at),
            (":removed_at", &self.removed_at),
            (":looks", &self.looks),
            (":attempts", &self.attempts),
            (":failure_class", &self.failure_class),
            (":failure", &self.failure),
            (":revoked_at", &self.revoked_at),
            (":account", &self.account),
            (":user_id", &self.user_id),
            (":beside", &self.beside),
            (":proven_at", &self.proven_at),
        ]
    }
}

fn holder_end(db: &Connection, holder: &Accessor) -> Result<Option<i64>> {
    let mut query = db.prepare_cached("SELECT ended_at FROM token WHERE accessor = ?1")?;
    let found: Option<Option<i64>> = query.query_row([&holder.0], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

pub(super) fn lease_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM lease JOIN mount ON mount.key = lease.mount
         JOIN holder ON holder.key = lease.holder WHERE lease.id = ?1"
    )
}

pub(super) fn lease(db: &Connection, id: &LeaseId) -> Result<Option<Lease>> {
    let mut query = db.prepare_cached(&lease_sql())?;
    let mut rows = query.query([id.as_str()])?;
    rows.next()?.map(from_row).transpose()
}

/// [`crate::store::LeaseQuery`] with its own texts, for another thread.
pub(super) struct OwnedQuery {
    pub(super) prefix: String,
    pub(super) after: Option<LeaseId>,
    pub(super) limit: u32,
    pub(super) show: Show,
}

pub(super) const VISIBLE_IDS: &str = "SELECT id FROM lease
     WHERE id >= ?1 AND id < ?2 AND id <> ?3 AND visible = 1 ORDER BY id LIMIT ?4";
pub(super) const UNFINISHED_IDS: &str = "SELECT id FROM lease
     WHERE id >= ?1 AND id < ?2 AND id <> ?3 AND state < 3 ORDER BY id LIMIT ?4";

pub(super) fn lease_ids(db: &Connection, query: &OwnedQuery) -> Result<Vec<LeaseId>> {
    let after = query.after.as_ref().map_or("", LeaseId::as_str);
    let from = after.max(&query.prefix);
    let mut statement = db.prepare_cached(match query.show {
        Show::Visible => VISIBLE_IDS,
        Show::Unfinished => UNFINISHED_IDS,
    })?;
    let mut rows = statement.query((from, end_of_prefix(&query.prefix), after, query.limit))?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(parsed(row.get_ref(0)?.as_str().unwrap_or_default())?);
    }
    Ok(ids)
}

/// The least value greater than every text that begins with `prefix`. SQLite orders texts by their
/// UTF-8 bytes, which is the order of their characters, and every blob after every text.
pub(super) fn end_of_prefix(prefix: &str) -> Value {
    let mut head = prefix.to_owned();
    while let Some(last) = head.pop() {
        // A range of characters steps over the gap of the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            head.push(next);
            return Value::Text(head);
        }
    }
    Value::Blob(Vec::new())
}

pub(super) const DUE: &str = "SELECT lease.id, token.ended_at IS NOT NULL
     FROM lease JOIN holder ON holder.key = lease.holder
     LEFT JOIN token ON token.accessor = holder.accessor
     WHERE lease.due_at <= ?1 ORDER BY lease.due_at LIMIT ?2";

pub(super) fn due_leases(db: &Connection, now: Timestamp, limit: u32) -> Result<Vec<DueLease>> {
    let mut query = db.prepare_cached(DUE)?;
    let mut rows = query.query((now.as_millis(), limit))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let id = parsed(row.get_ref(0)?.as_str().unwrap_or_default())?;
        due.push(DueLease { id, holder_ended: row.get(1)? });
    }
    Ok(due)
}

pub(super) const NEXT_LEASE: &str = "SELECT min(due_at) FROM lease WHERE due_at IS NOT NULL";
pub(super) const NEXT_TOKEN: &str =
    "SELECT min(expires_at) FROM token WHERE ended_at IS NULL AND expires_at IS NOT NULL";

pub(super) fn next_due(db: &Connection) -> Result<Option<Timestamp>> {
    let first =
        |sql: &str| db.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0));
    let (lease, token) = (first(NEXT_LEASE)?, first(NEXT_TOKEN)?);
    Ok(lease.into_iter().chain(token).min().map(time))
}

pub(super) const ABANDON: &str = "UPDATE lease SET due_at = min(due_at, ?1) WHERE state = 0";

pub(super) fn abandon_pending(db: &Connection, now: Timestamp) -> Result<u64> {
    Ok(count(db.prepare_cached(ABANDON)?.execute([now.as_millis()])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_comes_after_all_that_begin_with_it() {
        for (prefix, end) in [("aws/", "aws0"), ("a\u{d7ff}", "a\u{e000}"), ("a\u{10ffff}", "b")] {
            assert_eq!(end_of_prefix(prefix), Value::Text(end.to_owned()), "{prefix}");
        }
        assert_eq!(end_of_prefix(""), Value::Blob(Vec::new()));
        assert_eq!(end_of_prefix("\u{10ffff}"), Value::Blob(Vec::new()));
    }
}
