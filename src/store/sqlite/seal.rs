//! The one row of the seal. Written whole each time. The trait is [`SealStore`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::Sqlite;
use super::failure::damaged;
use crate::model::{RecoveryRecord, SealKind, SealRecord};
use crate::store::{SealStore, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

const READ: &str = "SELECT kind, shares, threshold, wrapped_root, wrapped_keyring,
     recovery_shares, recovery_threshold, wrapped_recovery FROM seal WHERE one = 1";

const INSERT: &str =
    "INSERT INTO seal (one, kind, shares, threshold, wrapped_root, wrapped_keyring,
     recovery_shares, recovery_threshold, wrapped_recovery)
     VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE seal SET kind = ?1, shares = ?2, threshold = ?3, wrapped_root = ?4,
     wrapped_keyring = ?5, recovery_shares = ?6, recovery_threshold = ?7, wrapped_recovery = ?8";

#[async_trait]
impl SealStore for Sqlite {
    async fn seal(&self) -> Result<Option<SealRecord>> {
        let found = self.readers.point(|db| {
            let mut query = db.prepare_cached(READ)?;
            Ok(query
                .query_row([], |row| Ok((row.get::<_, String>(0)?, record(row)?)))
                .optional()?)
        })?;
        let Some((kind, record)) = found else {
            return Ok(None);
        };
        let known = SealKind::from_name(&kind);
        let kind = known.ok_or_else(|| damaged(&format!("`{kind}` is no kind of seal")))?;
        Ok(Some(SealRecord { kind, ..record }))
    }

    async fn init_seal(&self, seal: &SealRecord) -> Result<bool> {
        let seal = seal.clone();
        self.write(move |w| Ok(write(w.db, INSERT, &seal)? > 0)).await
    }

    async fn save_seal(&self, seal: &SealRecord) -> Result<()> {
        let seal = seal.clone();
        self.write(move |w| match write(w.db, UPDATE, &seal)? {
            0 => Err(StoreError::Conflict),
            _ => Ok(()),
        })
        .await
    }
}

/// A row, of a kind that is looked at apart.
fn record(row: &Row<'_>) -> rusqlite::Result<SealRecord> {
    let recovery = match (row.get(5)?, row.get(6)?, row.get(7)?) {
        (Some(shares), Some(threshold), Some(wrapped_key)) => {
            Some(RecoveryRecord { shares, threshold, wrapped_key })
        }
        (_, _, _) => None,
    };
    Ok(SealRecord {
        kind: SealKind::Shamir,
        shares: row.get(1)?,
        threshold: row.get(2)?,
        wrapped_root: row.get(3)?,
        wrapped_keyring: row.get(4)?,
        recovery,
    })
}

fn write(db: &Connection, sql: &str, seal: &SealRecord) -> Result<usize> {
    let recovery = seal.recovery.as_ref();
    let rows = db.prepare_cached(sql)?.execute((
        seal.kind.as_str(),
        seal.shares,
        seal.threshold,
        &seal.wrapped_root,
        &seal.wrapped_keyring,
        recovery.map(|recovery| recovery.shares),
        recovery.map(|recovery| recovery.threshold),
        recovery.map(|recovery| &recovery.wrapped_key),
    ))?;
    Ok(rows)
}
