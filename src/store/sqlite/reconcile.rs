//! Rows for the comparison with AWS, and its orphans. The comparison walks all rows by their number, a
//! page at a time: it runs once a day, and an index for it would cost every issue.

use rusqlite::{Connection, OptionalExtension, Row};

use super::lease_row::{COLUMNS, from_row};
use super::values::{count, millis, parsed, time, uint};
use crate::model::{Lease, LeaseTag, MountId, Orphan, OrphanPolicy, Timestamp, UserRow};
use crate::store::{StoreError, StuckLeases};

type Result<T> = std::result::Result<T, StoreError>;

/// `lease.key` runs without gaps that matter, so that a page is a range of it.
const USER_ROWS: &str =
    "SELECT lease.key, lease.id, mount.id, user, issued_at, lease.state, expires_at,
         (lease.state < 3 OR revoked_at >= ?1) AND credential_type = 0 AND user IS NOT NULL,
         lease.account
     FROM lease JOIN mount ON mount.key = lease.mount
     WHERE lease.key > ?2 ORDER BY lease.key LIMIT ?3";

pub(super) fn user_rows(
    db: &Connection,
    since: Timestamp,
    after: i64,
    limit: u32,
) -> Result<Option<(Vec<UserRow>, i64)>> {
    let mut query = db.prepare_cached(USER_ROWS)?;
    let mut rows = query.query((since.as_millis(), after, limit))?;
    let (mut found, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        last = Some(row.get(0)?);
        if row.get::<_, bool>(7)? {
            found.push(user_row(row)?);
        }
    }
    Ok(last.map(|last| (found, last)))
}

fn user_row(row: &Row<'_>) -> Result<UserRow> {
    let is_active = row.get::<_, i64>(5)? == super::lease_row::ACTIVE;
    let ends: Option<i64> = row.get(6)?;
    Ok(UserRow {
        lease: parsed(&row.get::<_, String>(1)?)?,
        mount: MountId(row.get(2)?),
        user: parsed(&row.get::<_, String>(3)?)?,
        account: row.get(8)?,
        issued_at: time(row.get(4)?),
        active_until: ends.filter(|_| is_active).map(time),
    })
}

pub(super) fn lease_by_tag(db: &Connection, tag: &LeaseTag) -> Result<Option<Lease>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lease JOIN mount ON mount.key = lease.mount
         JOIN holder ON holder.key = lease.holder WHERE substr(lease.id, -24) = ?1"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([tag.as_str()])?;
    rows.next()?.map(from_row).transpose()
}

/// The state stands in the text, so that the index of those in teardown is used.
pub(super) const STUCK_COUNT: &str = "SELECT count(*) FROM lease INDEXED BY lease_in_teardown
     WHERE state = 2 AND since < ?1 AND failure_class IS NOT NULL";
pub(super) const STUCK_OLDEST: &str = "SELECT id, failure FROM lease INDEXED BY lease_in_teardown
     WHERE state = 2 AND since < ?1 AND failure_class IS NOT NULL ORDER BY since LIMIT 1";

pub(super) fn stuck_since(db: &Connection, before: Timestamp) -> Result<StuckLeases> {
    let count: i64 =
        db.prepare_cached(STUCK_COUNT)?.query_row([before.as_millis()], |row| row.get(0))?;
    let oldest: Option<(String, Option<String>)> = db
        .prepare_cached(STUCK_OLDEST)?
        .query_row([before.as_millis()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let oldest = match oldest {
        Some((id, failure)) => Some((parsed(&id)?, failure.unwrap_or_default())),
        None => None,
    };
    Ok(StuckLeases { count: uint(count), oldest })
}

pub(super) fn orphans(db: &Connection) -> Result<Vec<Orphan>> {
    let mut query = db.prepare_cached(
        "SELECT user_id, user, path, mount, lease, created_at, found_at, seen_at, ignored_until
         FROM orphan ORDER BY user, user_id",
    )?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let lease: Option<String> = row.get(4)?;
        found.push(Orphan {
            user_id: row.get(0)?,
            user: parsed(&row.get::<_, String>(1)?)?,
            path: row.get(2)?,
            mount: MountId(row.get(3)?),
            lease: lease.as_deref().map(parsed).transpose()?,
            created_at: time(row.get(5)?),
            found_at: time(row.get(6)?),
            seen_at: time(row.get(7)?),
            ignored_until: row.get::<_, Option<i64>>(8)?.map(time),
        });
    }
    Ok(found)
}

pub(super) fn put_orphans(db: &Connection, mounts: &[MountId], found: &[Orphan]) -> Result<()> {
    for orphan in found {
        db.prepare_cached(
            "INSERT INTO orphan (user_id, user, path, mount, lease, created_at, found_at, seen_at,
                 ignored_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (user_id) DO UPDATE SET user = excluded.user, path = excluded.path,
                 mount = excluded.mount, lease = excluded.lease, seen_at = excluded.seen_at",
        )?
        .execute((
            &orphan.user_id,
            orphan.user.as_str(),
            &orphan.path,
            &orphan.mount.0,
            orphan.lease.as_ref().map(LeaseTag::as_str),
            orphan.created_at.as_millis(),
            orphan.found_at.as_millis(),
            orphan.seen_at.as_millis(),
            millis(orphan.ignored_until),
        ))?;
    }
    let known = orphans(db)?;
    let gone = known.iter().filter(|orphan| {
        mounts.contains(&orphan.mount) && found.iter().all(|now| now.user_id != orphan.user_id)
    });
    for orphan in gone {
        forget_orphan(db, &orphan.user_id)?;
    }
    Ok(())
}

pub(super) fn orphan_policies(db: &Connection) -> Result<Vec<OrphanPolicy>> {
    let mut query = db.prepare_cached(
        "SELECT policy_id, arn, mount, lease, created_at, found_at, seen_at, ignored_until
         FROM orphan_policy ORDER BY arn",
    )?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(OrphanPolicy {
            policy_id: row.get(0)?,
            arn: parsed(&row.get::<_, String>(1)?)?,
            mount: MountId(row.get(2)?),
            lease: parsed(&row.get::<_, String>(3)?)?,
            created_at: time(row.get(4)?),
            found_at: time(row.get(5)?),
            seen_at: time(row.get(6)?),
            ignored_until: row.get::<_, Option<i64>>(7)?.map(time),
        });
    }
    Ok(found)
}

pub(super) fn put_orphan_policies(
    db: &Connection,
    mounts: &[MountId],
    found: &[OrphanPolicy],
) -> Result<()> {
    for orphan in found {
        db.prepare_cached(
            "INSERT INTO orphan_policy (policy_id, arn, mount, lease, created_at, found_at,
                 seen_at, ignored_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (policy_id) DO UPDATE SET mount = excluded.mount,
                 seen_at = excluded.seen_at",
        )?
        .execute((
            &orphan.policy_id,
            orphan.arn.as_str(),
            &orphan.mount.0,
            orphan.lease.as_str(),
            orphan.created_at.as_millis(),
            orphan.found_at.as_millis(),
            orphan.seen_at.as_millis(),
            millis(orphan.ignored_until),
        ))?;
    }
    let known = orphan_policies(db)?;
    let gone = known.iter().filter(|orphan| {
        mounts.contains(&orphan.mount) && found.iter().all(|now| now.policy_id != orphan.policy_id)
    });
    for orphan in gone {
        forget_orphan(db, &orphan.policy_id)?;
    }
    Ok(())
}

/// AWS's ids say by their first letters what they are of: none is of a user and of a policy.
pub(super) fn ignore_orphan(db: &Connection, id: &str, until: Option<Timestamp>) -> Result<bool> {
    let users = "UPDATE orphan SET ignored_until = ?2 WHERE user_id = ?1";
    let policies = "UPDATE orphan_policy SET ignored_until = ?2 WHERE policy_id = ?1";
    let mut changed: u64 = 0;
    for sql in [users, policies] {
        let rows = db.prepare_cached(sql)?.execute((id, millis(until)))?;
        changed = changed.saturating_add(count(rows));
    }
    Ok(changed > 0)
}

pub(super) fn forget_orphan(db: &Connection, id: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM orphan WHERE user_id = ?1")?.execute([id])?;
    db.prepare_cached("DELETE FROM orphan_policy WHERE policy_id = ?1")?.execute([id])?;
    Ok(())
}

pub(super) fn remove_setting(db: &Connection, name: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?;
    Ok(())
}

mod the_trait {
    use async_trait::async_trait;

    use super::Result;
    use crate::model::{Lease, LeaseTag, MountId, Orphan, OrphanPolicy, Timestamp, UserRow};
    use crate::store::sqlite::Sqlite;
    use crate::store::{ReconcileStore, StuckLeases};

    #[async_trait]
    impl ReconcileStore for Sqlite {
        async fn user_rows(
            &self,
            since: Timestamp,
            after: i64,
            limit: u32,
        ) -> Result<Option<(Vec<UserRow>, i64)>> {
            self.readers.long(move |db| super::user_rows(db, since, after, limit)).await
        }

        async fn lease_by_tag(&self, tag: &LeaseTag) -> Result<Option<Lease>> {
            let tag = tag.clone();
            self.readers.long(move |db| super::lease_by_tag(db, &tag)).await
        }

        async fn stuck_since(&self, before: Timestamp) -> Result<StuckLeases> {
            self.readers.long(move |db| super::stuck_since(db, before)).await
        }

        async fn orphans(&self) -> Result<Vec<Orphan>> {
            self.readers.long(super::orphans).await
        }

        async fn put_orphans(&self, mounts: &[MountId], found: &[Orphan]) -> Result<()> {
            let (mounts, found) = (mounts.to_vec(), found.to_vec());
            self.write(move |w| super::put_orphans(w.db, &mounts, &found)).await
        }

        async fn orphan_policies(&self) -> Result<Vec<OrphanPolicy>> {
            self.readers.long(super::orphan_policies).await
        }

        async fn put_orphan_policies(
            &self,
            mounts: &[MountId],
            found: &[OrphanPolicy],
        ) -> Result<()> {
            let (mounts, found) = (mounts.to_vec(), found.to_vec());
            self.write(move |w| super::put_orphan_policies(w.db, &mounts, &found)).await
        }

        async fn ignore_orphan(&self, id: &str, until: Option<Timestamp>) -> Result<bool> {
            let id = id.to_owned();
            self.write(move |w| super::ignore_orphan(w.db, &id, until)).await
        }

        async fn forget_orphan(&self, id: &str) -> Result<()> {
            let id = id.to_owned();
            self.write(move |w| super::forget_orphan(w.db, &id)).await
        }

        async fn remove_setting(&self, name: &str) -> Result<()> {
            let name = name.to_owned();
            self.write(move |w| super::remove_setting(w.db, &name)).await
        }
    }
}
