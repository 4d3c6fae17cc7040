//! Plugins as rows: what is known of one as JSON, its bytes beside it. The columns of a listing stand on their own,
//! so that it reads neither. The trait is [`PluginStore`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::Sqlite;
use super::values::{from_json, int, parsed, time, to_json, uint};
use crate::model::{
    PluginDigest, PluginName, PluginRecord, PluginSignature, PluginVersion, SemanticVersion,
};
use crate::store::StoreError;
use crate::store::plugins::{PluginStore, PutPlugin};

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl PluginStore for Sqlite {
    async fn put_plugin(&self, plugin: PluginRecord, component: Vec<u8>) -> Result<PutPlugin> {
        self.write(move |w| {
            if record(w.db, &plugin.digest)?.is_some() {
                return Ok(PutPlugin::Known);
            }
            if let Some(other) = digest_of(w.db, &plugin.name, &plugin.version)? {
                return Ok(PutPlugin::Taken(other));
            }
            let body = to_json(&plugin)?;
            w.db.prepare_cached(
                "INSERT INTO plugin (digest, name, version, bytes, uploaded_at, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                plugin.digest.as_str(),
                plugin.name.as_str(),
                plugin.version.as_str(),
                int(plugin.bytes),
                plugin.uploaded_at.as_millis(),
                body,
            ))?;
            w.db.prepare_cached(
                "INSERT INTO plugin_component (digest, component) VALUES (?1, ?2)",
            )?
            .execute((plugin.digest.as_str(), component))?;
            Ok(PutPlugin::Stored)
        })
        .await
    }

    async fn sign_plugin(
        &self,
        digest: &PluginDigest,
        signatures: &[PluginSignature],
    ) -> Result<bool> {
        let (digest, signatures) = (digest.clone(), signatures.to_vec());
        self.write(move |w| {
            let Some(mut plugin) = record(w.db, &digest)? else {
                return Ok(false);
            };
            let before = plugin.signatures.len();
            plugin.signatures.extend(signatures);
            plugin.signatures.sort();
            plugin.signatures.dedup();
            if plugin.signatures.len() == before {
                return Ok(false);
            }
            w.db.prepare_cached("UPDATE plugin SET body = ?2 WHERE digest = ?1")?
                .execute((digest.as_str(), to_json(&plugin)?))?;
            Ok(true)
        })
        .await
    }

    async fn plugin(&self, digest: &PluginDigest) -> Result<Option<PluginRecord>> {
        self.readers.point(|db| record(db, digest))
    }

    async fn plugin_component(&self, digest: &PluginDigest) -> Result<Option<Vec<u8>>> {
        let digest = digest.clone();
        self.readers
            .long(move |db| {
                let sql = "SELECT component FROM plugin_component WHERE digest = ?1";
                let mut query = db.prepare_cached(sql)?;
                Ok(query.query_row([digest.as_str()], |row| row.get(0)).optional()?)
            })
            .await
    }

    async fn plugin_version(
        &self,
        name: &PluginName,
        version: &SemanticVersion,
    ) -> Result<Option<PluginDigest>> {
        self.readers.point(|db| digest_of(db, name, version))
    }

    async fn plugins(&self) -> Result<Vec<PluginVersion>> {
        let mut plugins = self.readers.long(versions).await?;
        plugins.sort_by(|one, two| {
            one.name.cmp(&two.name).then_with(|| one.version.precedence(&two.version))
        });
        Ok(plugins)
    }

    async fn delete_plugin_version(
        &self,
        name: &PluginName,
        version: &SemanticVersion,
    ) -> Result<bool> {
        let (name, version) = (name.clone(), version.clone());
        self.write(move |w| {
            let bound = "SELECT EXISTS (SELECT 1 FROM guardrail JOIN plugin ON plugin.digest = guardrail.plugin
                 WHERE plugin.name = ?1 AND plugin.version = ?2)";
            let mut query = w.db.prepare_cached(bound)?;
            if query.query_row((name.as_str(), version.as_str()), |row| row.get(0))? {
                return Err(StoreError::Conflict);
            }
            let gone =
                w.db.prepare_cached("DELETE FROM plugin WHERE name = ?1 AND version = ?2")?
                    .execute((name.as_str(), version.as_str()))?;
            Ok(gone > 0)
        })
        .await
    }
}

fn record(db: &Connection, digest: &PluginDigest) -> Result<Option<PluginRecord>> {
    let mut query = db.prepare_cached("SELECT body FROM plugin WHERE digest = ?1")?;
    let body: Option<String> = query.query_row([digest.as_str()], |row| row.get(0)).optional()?;
    body.map(|body| from_json(&body)).transpose()
}

fn digest_of(
    db: &Connection,
    name: &PluginName,
    version: &SemanticVersion,
) -> Result<Option<PluginDigest>> {
    let sql = "SELECT digest FROM plugin WHERE name = ?1 AND version = ?2";
    let mut query = db.prepare_cached(sql)?;
    let key = (name.as_str(), version.as_str());
    let digest: Option<String> = query.query_row(key, |row| row.get(0)).optional()?;
    digest.map(|digest| parsed(&digest)).transpose()
}

fn versions(db: &Connection) -> Result<Vec<PluginVersion>> {
    let mut query =
        db.prepare_cached("SELECT name, version, digest, bytes, uploaded_at FROM plugin")?;
    let rows = query.query_map([], |row| {
        let text = |column: usize| row.get::<_, String>(column);
        Ok((text(0)?, text(1)?, text(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
    })?;
    rows.map(|row| {
        let (name, version, digest, bytes, uploaded_at) = row?;
        Ok(PluginVersion {
            name: parsed(&name)?,
            version: parsed(&version)?,
            digest: parsed(&digest)?,
            bytes: uint(bytes),
            uploaded_at: time(uploaded_at),
        })
    })
    .collect()
}
