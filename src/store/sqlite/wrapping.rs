//! Wrapped answers as rows. A row goes when it is unwrapped, or with its token, and then takes what it held
//! with it: [`lose`] is called wherever a token ends. The trait is [`WrappingStore`].

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::values::parsed;
use super::writer::Writing;
use super::{Sqlite, tokens};
use crate::model::{Accessor, LeaseId, Timestamp, Token, TokenDigest};
use crate::store::StoreError;
use crate::store::wrapping::{Wrapping, WrappingStore};

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl WrappingStore for Sqlite {
    async fn put_wrapping(&self, token: &Token, wrapping: &Wrapping) -> Result<()> {
        let (token, wrapping) = (token.clone(), wrapping.clone());
        self.write(move |w| {
            tokens::create_token(w, &token)?;
            let lease = wrapping.lease.as_ref().map(LeaseId::as_str);
            let accessor = wrapping.accessor.as_ref().map(|accessor| accessor.0.as_str());
            w.db.prepare_cached(
                "INSERT INTO wrapping (token, body, lease, accessor) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((&token.digest.0, &wrapping.body, lease, accessor))?;
            Ok(())
        })
        .await
    }

    async fn wrapping(&self, token: &TokenDigest) -> Result<Option<Wrapping>> {
        self.readers.point(|db| read(db, token))
    }

    async fn take_wrapping(&self, token: &TokenDigest, now: Timestamp) -> Result<Option<Wrapping>> {
        let token = token.clone();
        self.write(move |w| {
            let mut query = w.db.prepare_cached(
                "SELECT 1 FROM token WHERE digest = ?1 AND ended_at IS NULL AND expires_at > ?2",
            )?;
            let lives = query.query_row((&token.0, now.as_millis()), |_row| Ok(())).optional()?;
            let Some(wrapping) = lives.and(read(w.db, &token)?) else {
                return Ok(None);
            };
            w.db.prepare_cached("DELETE FROM wrapping WHERE token = ?1")?.execute([&token.0])?;
            if let Some(lease) = &wrapping.lease {
                // Somebody holds it now: no other copy takes it along when that is lost.
                w.db.prepare_cached("UPDATE wrapping SET lease = NULL WHERE lease = ?1")?
                    .execute([lease.as_str()])?;
            }
            tokens::end_token_alone(w, &token, now)?;
            Ok(Some(wrapping))
        })
        .await
    }
}

fn read(db: &Connection, token: &TokenDigest) -> Result<Option<Wrapping>> {
    let mut query =
        db.prepare_cached("SELECT body, lease, accessor FROM wrapping WHERE token = ?1")?;
    let row = query.query_row([&token.0], |row| {
        let lease: Option<String> = row.get(1)?;
        Ok((row.get(0)?, lease, row.get::<_, Option<String>>(2)?))
    });
    let Some((body, lease, accessor)) = row.optional()? else {
        return Ok(None);
    };
    let lease = lease.as_deref().map(parsed).transpose()?;
    Ok(Some(Wrapping { body, lease, accessor: accessor.map(Accessor) }))
}

/// A token ended: what was wrapped under it and never unwrapped is thrown away; its lease is over, unless
/// another answer that can still be unwrapped has it too, and its token ends too.
pub(super) fn lose(writing: &mut Writing<'_>, token: &str, now: Timestamp) -> Result<()> {
    let mut query = writing
        .db
        .prepare_cached("DELETE FROM wrapping WHERE token = ?1 RETURNING lease, accessor")?;
    let lost: Option<(Option<String>, Option<String>)> =
        query.query_row([token], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((lease, accessor)) = lost else {
        return Ok(());
    };
    if let Some(lease) = lease {
        writing
            .db
            .prepare_cached(
                "UPDATE lease SET due_at = ?2, expires_at = ?2, revision = revision + 1
                 WHERE id = ?1 AND state = 1 AND expires_at > ?2
                     AND NOT EXISTS (SELECT 1 FROM wrapping WHERE wrapping.lease = ?1)",
            )?
            .execute((&lease, now.as_millis()))?;
        // One that a paused job holds back until its end: this is its end.
        writing
            .db
            .prepare_cached(
                "UPDATE lease SET due_at = ?2 WHERE id = ?1 AND state = 2
                     AND contained_at IS NULL AND due_at = expires_at AND due_at > ?2",
            )?
            .execute((&lease, now.as_millis()))?;
    }
    if let Some(accessor) = accessor {
        let mut query =
            writing.db.prepare_cached("SELECT digest FROM token WHERE accessor = ?1")?;
        let held: Option<String> = query.query_row([accessor], |row| row.get(0)).optional()?;
        if let Some(held) = held {
            tokens::end_token_tree(writing, &TokenDigest(held), now)?;
        }
    }
    Ok(())
}
