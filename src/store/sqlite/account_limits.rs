//! Caps on the live leases of an AWS account, over all mounts. As in [`super::limits`] the counts are kept by
//! triggers (`migrations/`), and only for accounts that have a row in `account_limits`. A lease counts in the
//! account that its row says.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::Result;
use super::cache::Stale;
use super::limits::{ALL_HOLDERS, named};
use super::values::{int, uint};
use super::writer::Writing;
use crate::model::{CapReached, LeaseCap, LeaseLimits, MostLeases};

pub(super) type AccountLimits = Arc<BTreeMap<String, LeaseLimits>>;

pub(super) fn all(db: &Connection) -> Result<AccountLimits> {
    let mut query =
        db.prepare_cached("SELECT account, max_leases, max_leases_per_caller FROM account_limits")?;
    let rows = query.query_map([], |row| {
        let limits =
            LeaseLimits { max_leases: uint(row.get(1)?), max_leases_per_caller: uint(row.get(2)?) };
        Ok((row.get(0)?, limits))
    })?;
    Ok(Arc::new(rows.collect::<rusqlite::Result<_>>()?))
}

/// The first write of an account reads the leases once.
pub(super) fn put(writing: &mut Writing<'_>, account: &str, limits: LeaseLimits) -> Result<()> {
    let db = writing.db;
    let is_counted: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM account_limits WHERE account = ?1)")?
        .query_row([account], |row| row.get(0))?;
    db.prepare_cached(
        "INSERT INTO account_limits (account, max_leases, max_leases_per_caller) VALUES (?1, ?2, ?3)
         ON CONFLICT (account) DO UPDATE SET max_leases = excluded.max_leases,
             max_leases_per_caller = excluded.max_leases_per_caller",
    )?
    .execute((account, int(limits.max_leases), int(limits.max_leases_per_caller)))?;
    if !is_counted {
        for sql in [
            "INSERT INTO live_in_account (account, holder, live)
             SELECT account, holder, count(*) FROM lease WHERE account = ?1 AND state < 3
             GROUP BY holder",
            "INSERT INTO live_in_account (account, holder, live)
             SELECT account, 0, sum(live) FROM live_in_account WHERE account = ?1
             GROUP BY account",
        ] {
            db.prepare_cached(sql)?.execute([account])?;
        }
    }
    writing.outdates(Stale::AccountLimits);
    Ok(())
}

/// Nothing of that account is counted any more.
pub(super) fn remove(writing: &mut Writing<'_>, account: &str) -> Result<()> {
    for sql in [
        "DELETE FROM live_in_account WHERE account = ?1",
        "DELETE FROM account_limits WHERE account = ?1",
    ] {
        writing.db.prepare_cached(sql)?.execute([account])?;
    }
    writing.outdates(Stale::AccountLimits);
    Ok(())
}

/// The narrowest cap of the account that leaves no room for one more lease of `holder`, who may be unknown.
pub(super) fn first_reached(
    db: &Connection,
    account: &str,
    holder: Option<i64>,
    caps: LeaseLimits,
) -> Result<Option<CapReached>> {
    let checks = [
        (LeaseCap::AccountPerCaller, caps.max_leases_per_caller, holder),
        (LeaseCap::Account, caps.max_leases, Some(ALL_HOLDERS)),
    ];
    for (cap, limit, holder) in checks {
        let Some(holder) = holder.filter(|_| limit > 0) else {
            continue;
        };
        let live = live(db, account, holder)?;
        if live >= limit {
            let most = most(db, account)?;
            let account = Some(account.to_owned());
            return Ok(Some(CapReached { cap, account, limit, live, most }));
        }
    }
    Ok(None)
}

pub(super) const LIVE: &str = "SELECT live FROM live_in_account WHERE account = ?1 AND holder = ?2";

fn live(db: &Connection, account: &str, holder: i64) -> Result<u64> {
    let mut query = db.prepare_cached(LIVE)?;
    let live = query.query_row((account, holder), |row| row.get(0)).optional()?;
    Ok(live.map_or(0, uint))
}

pub(super) const MOST: &str =
    "SELECT holder, live FROM live_in_account INDEXED BY live_in_account_most
     WHERE account = ?1 AND holder > 0 ORDER BY live DESC LIMIT 1";

fn most(db: &Connection, account: &str) -> Result<Option<MostLeases>> {
    let mut query = db.prepare_cached(MOST)?;
    let found: Option<(i64, i64)> =
        query.query_row([account], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map_or(Ok(None), |(holder, live)| named(db, holder, live))
}
