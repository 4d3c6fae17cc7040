//! Audit devices as rows. The head of a chain has columns of its own, since it changes with every entry and the
//! device does not. The trait is [`AuditStore`].

use async_trait::async_trait;

use super::Sqlite;
use super::values::{from_json, to_json};
use crate::model::{AuditDevice, ChainHead};
use crate::store::{AuditStore, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Body, number and hash.
type Raw = (String, Option<i64>, Option<String>);

#[async_trait]
impl AuditStore for Sqlite {
    async fn audit_devices(&self) -> Result<Vec<(AuditDevice, Option<ChainHead>)>> {
        self.readers
            .long(|db| {
                let mut query = db.prepare_cached(
                    "SELECT body, head_seq, head_hash FROM audit_device ORDER BY path",
                )?;
                let rows =
                    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
                let device = |raw: rusqlite::Result<Raw>| {
                    let (body, seq, hash) = raw?;
                    let seq = seq.and_then(|seq| u64::try_from(seq).ok());
                    let head = seq.zip(hash).map(|(seq, hash)| ChainHead { seq, hash });
                    Ok((from_json(&body)?, head))
                };
                rows.map(device).collect()
            })
            .await
    }

    async fn put_audit_device(&self, device: &AuditDevice) -> Result<()> {
        let (id, path, body) = (device.id.clone(), device.path.clone(), to_json(device)?);
        self.write(move |w| {
            let made =
                w.db.prepare_cached(
                    "INSERT INTO audit_device (id, path, body) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO NOTHING",
                )?
                .execute((id, path, body))?;
            if made == 0 { Err(StoreError::Conflict) } else { Ok(()) }
        })
        .await
    }

    async fn remove_audit_device(&self, path: &str) -> Result<()> {
        let path = path.to_owned();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM audit_device WHERE path = ?1")?.execute([path])?;
            Ok(())
        })
        .await
    }

    async fn put_chain_heads(&self, heads: Vec<(String, ChainHead)>) -> Result<()> {
        self.write(move |w| {
            let mut update = w.db.prepare_cached(
                "UPDATE audit_device SET head_seq = ?2, head_hash = ?3
                 WHERE id = ?1 AND coalesce(head_seq, -1) < ?2",
            )?;
            for (id, head) in heads {
                let seq = i64::try_from(head.seq).unwrap_or(i64::MAX);
                update.execute((id, seq, head.hash))?;
            }
            Ok(())
        })
        .await
    }
}
