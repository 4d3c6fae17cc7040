//! Guardrails as rows: a body of JSON beside the columns that are looked for. Verdicts that are kept stand in a table
//! with a bound on age and size; the guardrails that reached them are written once for all. The trait is [`GuardrailStore`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::Sqlite;
use super::values::{count, from_json, int, parsed, time, to_json};
use crate::model::{Guardrail, GuardrailName, KeptVerdict, PluginDigest, PluginRef, Suspension};
use crate::store::StoreError;
use crate::store::guardrails::{GuardrailStore, VerdictBounds};

type Result<T> = std::result::Result<T, StoreError>;

fn guardrail(db: &Connection, name: &GuardrailName) -> Result<Option<Guardrail>> {
    let mut query = db.prepare_cached("SELECT body FROM guardrail WHERE name = ?1")?;
    let body: Option<String> = query.query_row([name.as_str()], |row| row.get(0)).optional()?;
    body.map(|body| from_json(&body)).transpose()
}

fn bodies<T: serde::de::DeserializeOwned>(db: &Connection, sql: &str) -> Result<Vec<T>> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|body| from_json(&body?)).collect()
}

fn put_guardrail(db: &Connection, new: &Guardrail) -> Result<()> {
    let stored = guardrail(db, &new.name)?.map_or(0, |stored| stored.version);
    if new.version != stored.saturating_add(1) {
        return Err(StoreError::Conflict);
    }
    let plugin = match &new.binding.plugin {
        PluginRef::Shipped(_) => None,
        PluginRef::Digest(digest) => Some(digest.as_str()),
    };
    if let Some(digest) = plugin {
        let mut query = db.prepare_cached("SELECT 1 FROM plugin WHERE digest = ?1")?;
        query
            .query_row([digest], |_row| Ok(()))
            .optional()?
            // It was deleted since it was looked at.
            .ok_or(StoreError::Conflict)?;
    }
    db.prepare_cached(
        "INSERT INTO guardrail (name, version, plugin, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, plugin = excluded.plugin,
             body = excluded.body",
    )?
    .execute((new.name.as_str(), int(new.version), plugin, to_json(new)?))?;
    Ok(())
}

fn remove(db: &Connection, sql: &str, name: &GuardrailName) -> Result<bool> {
    Ok(db.prepare_cached(sql)?.execute([name.as_str()])? > 0)
}

fn keep_verdict(db: &Connection, kept: &KeptVerdict, set: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO guardrail_set (digest, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute((&kept.set, set))?;
    db.prepare_cached(
        "INSERT INTO kept_verdict (digest, reached_at, bytes, guardrails, verdict, input)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (digest) DO UPDATE SET reached_at = excluded.reached_at,
             bytes = excluded.bytes, guardrails = excluded.guardrails,
             verdict = excluded.verdict, input = excluded.input",
    )?
    .execute((
        &kept.digest,
        kept.reached_at.as_millis(),
        size(kept),
        &kept.set,
        &kept.verdict,
        &kept.input,
    ))?;
    Ok(())
}

fn prune_verdicts(db: &Connection, bounds: VerdictBounds) -> Result<u64> {
    let gone = db
        .prepare_cached(
            "DELETE FROM kept_verdict WHERE reached_at < ?1 OR digest IN (
                 SELECT digest FROM (
                     SELECT digest, sum(bytes) OVER (ORDER BY reached_at DESC, digest) AS so_far
                     FROM kept_verdict)
                 WHERE so_far > ?2)",
        )?
        .execute((bounds.oldest.as_millis(), int(bounds.bytes)))?;
    if gone > 0 {
        db.prepare_cached(
            "DELETE FROM guardrail_set
             WHERE digest NOT IN (SELECT guardrails FROM kept_verdict)",
        )?
        .execute([])?;
    }
    Ok(count(gone))
}

fn size(kept: &KeptVerdict) -> i64 {
    i64::try_from(kept.verdict.len().saturating_add(kept.input.len())).unwrap_or(i64::MAX)
}

fn kept_verdict(db: &Connection, digest: &str) -> Result<Option<(KeptVerdict, String)>> {
    let mut query = db.prepare_cached(
        "SELECT reached_at, verdict, input, guardrails, body FROM kept_verdict
         JOIN guardrail_set ON guardrail_set.digest = kept_verdict.guardrails
         WHERE kept_verdict.digest = ?1",
    )?;
    let found = query.query_row([digest], |row| {
        let kept = KeptVerdict {
            digest: digest.to_owned(),
            reached_at: time(row.get(0)?),
            verdict: row.get(1)?,
            input: row.get(2)?,
            set: row.get(3)?,
        };
        Ok((kept, row.get(4)?))
    });
    Ok(found.optional()?)
}

#[async_trait]
impl GuardrailStore for Sqlite {
    async fn guardrails(&self) -> Result<Vec<Guardrail>> {
        self.readers.long(|db| bodies(db, "SELECT body FROM guardrail ORDER BY name")).await
    }

    async fn guardrail(&self, name: &GuardrailName) -> Result<Option<Guardrail>> {
        self.readers.point(|db| guardrail(db, name))
    }

    async fn guardrails_of(&self, plugin: &PluginDigest) -> Result<Vec<GuardrailName>> {
        self.readers.point(|db| {
            let mut query =
                db.prepare_cached("SELECT name FROM guardrail WHERE plugin = ?1 ORDER BY name")?;
            let rows = query.query_map([plugin.as_str()], |row| row.get::<_, String>(0))?;
            rows.map(|name| parsed(&name?)).collect()
        })
    }

    async fn put_guardrail(&self, guardrail: &Guardrail) -> Result<()> {
        let guardrail = guardrail.clone();
        self.write(move |w| put_guardrail(w.db, &guardrail)).await
    }

    async fn remove_guardrail(&self, name: &GuardrailName) -> Result<bool> {
        let name = name.clone();
        self.write(move |w| {
            let removed = remove(w.db, "DELETE FROM guardrail WHERE name = ?1", &name)?;
            if removed {
                remove(w.db, "DELETE FROM guardrail_suspension WHERE name = ?1", &name)?;
            }
            Ok(removed)
        })
        .await
    }

    async fn suspensions(&self) -> Result<Vec<Suspension>> {
        let sql = "SELECT body FROM guardrail_suspension ORDER BY name";
        self.readers.point(|db| bodies(db, sql))
    }

    async fn put_suspension(&self, suspension: &Suspension) -> Result<()> {
        let suspension = suspension.clone();
        self.write(move |w| {
            w.db.prepare_cached(
                "INSERT INTO guardrail_suspension (name, body) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            )?
            .execute((suspension.name.as_str(), to_json(&suspension)?))?;
            Ok(())
        })
        .await
    }

    async fn remove_suspension(&self, name: &GuardrailName) -> Result<bool> {
        let name = name.clone();
        let sql = "DELETE FROM guardrail_suspension WHERE name = ?1";
        self.write(move |w| remove(w.db, sql, &name)).await
    }

    async fn keep_verdict(&self, verdict: &KeptVerdict, set: &str) -> Result<()> {
        let (verdict, set) = (verdict.clone(), set.to_owned());
        self.write(move |w| keep_verdict(w.db, &verdict, &set)).await
    }

    async fn prune_verdicts(&self, bounds: VerdictBounds) -> Result<u64> {
        self.write(move |w| prune_verdicts(w.db, bounds)).await
    }

    async fn kept_verdict(&self, digest: &str) -> Result<Option<(KeptVerdict, String)>> {
        self.readers.point(|db| kept_verdict(db, digest))
    }
}
