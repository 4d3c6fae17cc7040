//! Caps on live leases. The counts are kept by triggers (`migrations/`), so that no statement can forget
//! them, and only under mounts that have a cap: [`settle`] begins and ends that. A count is one row, found
//! by its key; a cap costs no look at the leases themselves.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::account_limits::AccountLimits;
use super::cache::Stale;
use super::mounts::live_key;
use super::values::{int, uint};
use super::writer::Writing;
use super::{Result, Sqlite, account_limits, leases};
use crate::model::{
    Accessor, CapReached, Lease, LeaseCap, LeaseCaps, LeaseLimits, MostLeases, MountId,
};
use crate::store::LimitStore;

/// The role of the count over a whole mount; no role is called so.
const ALL_ROLES: &str = "";
/// The holder of the count over all of them; SQLite gives no row this key.
pub(super) const ALL_HOLDERS: i64 = 0;

fn lease_limits(db: &Connection, mount: &MountId) -> Result<Option<LeaseLimits>> {
    let mut query = db.prepare_cached(
        "SELECT max_leases, max_leases_per_caller FROM lease_limits
         WHERE mount = (SELECT key FROM mount WHERE id = ?1)",
    )?;
    let found = query.query_row([&mount.0], |row| {
        Ok(LeaseLimits { max_leases: uint(row.get(0)?), max_leases_per_caller: uint(row.get(1)?) })
    });
    Ok(found.optional()?)
}

fn put_lease_limits(writing: &mut Writing<'_>, mount: &MountId, limits: LeaseLimits) -> Result<()> {
    let key = live_key(writing.db, mount)?;
    writing
        .db
        .prepare_cached(
            "INSERT INTO lease_limits (mount, max_leases, max_leases_per_caller) VALUES (?1, ?2, ?3)
             ON CONFLICT (mount) DO UPDATE SET max_leases = excluded.max_leases,
                 max_leases_per_caller = excluded.max_leases_per_caller",
        )?
        .execute((key, int(limits.max_leases), int(limits.max_leases_per_caller)))?;
    settle(writing.db, key)?;
    writing.outdates(Stale::LeaseLimits(mount.clone()));
    Ok(())
}

/// Counts the leases of a mount from now on if it has a cap anywhere, and no more if it has none. The
/// first count reads the mount's leases once.
pub(super) fn settle(db: &Connection, mount: i64) -> Result<()> {
    let flag = |sql: &str| db.prepare_cached(sql)?.query_row([mount], |row| row.get::<_, bool>(0));
    let is_capped = flag(
        "SELECT EXISTS (SELECT 1 FROM lease_limits
                        WHERE mount = ?1 AND (max_leases > 0 OR max_leases_per_caller > 0))
             OR EXISTS (SELECT 1 FROM role WHERE mount = ?1 AND capped = 1)",
    )?;
    let is_counted = flag("SELECT EXISTS (SELECT 1 FROM counted WHERE mount = ?1)")?;
    match (is_capped, is_counted) {
        (true, false) => begin_counting(db, mount),
        (false, true) => stop_counting(db, mount),
        (true, true) | (false, false) => Ok(()),
    }
}

fn begin_counting(db: &Connection, mount: i64) -> Result<()> {
    for sql in [
        "INSERT INTO counted (mount) VALUES (?1)",
        "INSERT INTO live_lease (mount, role, holder, live)
         SELECT mount, role, holder, count(*) FROM lease_scope WHERE mount = ?1 AND state < 3
         GROUP BY role, holder",
        "INSERT INTO live_lease (mount, role, holder, live)
         SELECT mount, role, 0, sum(live) FROM live_lease WHERE mount = ?1 GROUP BY role",
        "INSERT INTO live_lease (mount, role, holder, live)
         SELECT mount, '', holder, sum(live) FROM live_lease WHERE mount = ?1 GROUP BY holder",
    ] {
        db.prepare_cached(sql)?.execute([mount])?;
    }
    Ok(())
}

/// Also where a mount is removed.
pub(super) fn stop_counting(db: &Connection, mount: i64) -> Result<()> {
    for sql in ["DELETE FROM counted WHERE mount = ?1", "DELETE FROM live_lease WHERE mount = ?1"] {
        db.prepare_cached(sql)?.execute([mount])?;
    }
    Ok(())
}

fn begin_lease_within(
    db: &Connection,
    lease: &Lease,
    caps: LeaseCaps,
    settling: std::time::Duration,
) -> Result<Option<CapReached>> {
    let mount = live_key(db, &lease.mount)?;
    let reached = first_reached(db, mount, lease, caps)?;
    if reached.is_none() {
        leases::begin_lease(db, lease, settling)?;
    }
    Ok(reached)
}

/// The narrowest cap that leaves no room.
fn first_reached(
    db: &Connection,
    mount: i64,
    lease: &Lease,
    caps: LeaseCaps,
) -> Result<Option<CapReached>> {
    let holder = key_of_holder(db, &lease.holder)?;
    let role = lease.role.as_str();
    let checks = [
        (LeaseCap::RolePerCaller, caps.role.max_leases_per_caller, role, holder),
        (LeaseCap::Role, caps.role.max_leases, role, Some(ALL_HOLDERS)),
        (LeaseCap::MountPerCaller, caps.mount.max_leases_per_caller, ALL_ROLES, holder),
        (LeaseCap::Mount, caps.mount.max_leases, ALL_ROLES, Some(ALL_HOLDERS)),
    ];
    for (cap, limit, role, holder) in checks {
        let Some(holder) = holder.filter(|_| limit > 0) else {
            continue;
        };
        let live = live(db, mount, role, holder)?;
        if live >= limit {
            let most = most(db, mount, role)?;
            return Ok(Some(CapReached { cap, account: None, limit, live, most }));
        }
    }
    let account = lease.account.as_deref();
    account.map_or(Ok(None), |it| account_limits::first_reached(db, it, holder, caps.account))
}

fn key_of_holder(db: &Connection, accessor: &Accessor) -> Result<Option<i64>> {
    let mut query = db.prepare_cached("SELECT key FROM holder WHERE accessor = ?1")?;
    Ok(query.query_row([&accessor.0], |row| row.get(0)).optional()?)
}

pub(super) const LIVE: &str =
    "SELECT live FROM live_lease WHERE mount = ?1 AND role = ?2 AND holder = ?3";

fn live(db: &Connection, mount: i64, role: &str, holder: i64) -> Result<u64> {
    let mut query = db.prepare_cached(LIVE)?;
    let live = query.query_row((mount, role, holder), |row| row.get(0)).optional()?;
    Ok(live.map_or(0, uint))
}

pub(super) const MOST: &str = "SELECT holder, live FROM live_lease INDEXED BY live_lease_most
     WHERE mount = ?1 AND role = ?2 AND holder > 0 ORDER BY live DESC LIMIT 1";
/// A token's display name never changes: any of its leases has it.
pub(super) const NAME: &str = "SELECT holder.accessor,
         (SELECT caller FROM lease WHERE lease.holder = holder.key LIMIT 1)
     FROM holder WHERE holder.key = ?1";

fn most(db: &Connection, mount: i64, role: &str) -> Result<Option<MostLeases>> {
    let mut query = db.prepare_cached(MOST)?;
    let found: Option<(i64, i64)> =
        query.query_row((mount, role), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map_or(Ok(None), |(holder, live)| named(db, holder, live))
}

/// Who that is.
pub(super) fn named(db: &Connection, holder: i64, live: i64) -> Result<Option<MostLeases>> {
    let mut query = db.prepare_cached(NAME)?;
    let named = query.query_row([holder], |row| {
        let caller: Option<String> = row.get(1)?;
        let (accessor, caller) = (Accessor(row.get(0)?), caller.unwrap_or_default());
        Ok(MostLeases { caller, accessor, live: uint(live) })
    });
    Ok(named.optional()?)
}

#[async_trait]
impl LimitStore for Sqlite {
    async fn lease_limits(&self, mount: &MountId) -> Result<Option<LeaseLimits>> {
        let read = || self.readers.point(|db| lease_limits(db, mount)).map(Some);
        Ok(self.caches.lease_limits.get_or_read(mount, read)?.flatten())
    }

    async fn put_lease_limits(&self, mount: &MountId, limits: LeaseLimits) -> Result<()> {
        let mount = mount.clone();
        self.write(move |w| put_lease_limits(w, &mount, limits)).await
    }

    async fn account_limits(&self) -> Result<AccountLimits> {
        let read = || self.readers.point(account_limits::all).map(Some);
        Ok(self.caches.account_limits.get_or_read(&(), read)?.unwrap_or_default())
    }

    async fn put_account_limits(&self, account: &str, limits: LeaseLimits) -> Result<()> {
        let account = account.to_owned();
        self.write(move |w| account_limits::put(w, &account, limits)).await
    }

    async fn remove_account_limits(&self, account: &str) -> Result<()> {
        let account = account.to_owned();
        self.write(move |w| account_limits::remove(w, &account)).await
    }

    async fn begin_lease_within(
        &self,
        lease: &Lease,
        caps: LeaseCaps,
    ) -> Result<Option<CapReached>> {
        let (lease, settling) = (lease.clone(), self.settling);
        self.write(move |w| begin_lease_within(w.db, &lease, caps, settling)).await
    }
}
