//! Rate-limit quotas as rows: a name and a body. The trait is [`QuotaStore`].

use async_trait::async_trait;

use super::Sqlite;
use super::values::{from_json, to_json};
use crate::model::RateQuota;
use crate::store::StoreError;
use crate::store::quotas::QuotaStore;

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl QuotaStore for Sqlite {
    async fn rate_quotas(&self) -> Result<Vec<RateQuota>> {
        let read = |db: &rusqlite::Connection| {
            let mut query = db.prepare_cached("SELECT body FROM rate_quota ORDER BY name")?;
            let rows = query.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|body| from_json(&body?)).collect()
        };
        self.readers.long(read).await
    }

    async fn put_rate_quota(&self, quota: &RateQuota) -> Result<()> {
        let (name, body) = (quota.name.clone(), to_json(quota)?);
        self.write(move |w| {
            w.db.prepare_cached(
                "INSERT INTO rate_quota (name, body) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            )?
            .execute((name, body))?;
            Ok(())
        })
        .await
    }

    async fn remove_rate_quota(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.write(move |w| {
            w.db.prepare_cached("DELETE FROM rate_quota WHERE name = ?1")?.execute([name])?;
            Ok(())
        })
        .await
    }
}
