//! Tokens. A new one never takes the place of another. Uses only go down and an end is for good, whatever a
//! stale copy that is written back says: otherwise a renewal that raced with a revocation would bring a token
//! back to life. A token's leases become due in the transaction that ends it.

use rusqlite::{Connection, OptionalExtension, Row};

use super::cache::Stale;
use super::values::{count, from_json, int, millis, time, to_json, uint};
use super::wrapping;
use super::writer::Writing;
use crate::model::{Accessor, EntityId, Timestamp, Token, TokenDigest, TokenKind};
use crate::store::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

macro_rules! columns {
    () => {
        "digest, accessor, parent, policies, display_name, meta, path, num_uses, created_at,
         creation_ttl, expires_at, explicit_max_ttl, period, renewable, last_renewal, ended_at,
         bound_cidrs, login, token_role, entity"
    };
}

pub(super) fn token(db: &Connection, digest: &TokenDigest) -> Result<Option<Token>> {
    let sql = concat!("SELECT ", columns!(), " FROM token WHERE digest = ?1");
    read_one(db, sql, &digest.0)
}

pub(super) fn token_by_accessor(db: &Connection, accessor: &Accessor) -> Result<Option<Token>> {
    let sql = concat!("SELECT ", columns!(), " FROM token WHERE accessor = ?1");
    read_one(db, sql, &accessor.0)
}

fn read_one(db: &Connection, sql: &str, key: &str) -> Result<Option<Token>> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query([key])?;
    rows.next()?.map(from_row).transpose()
}

fn from_row(row: &Row<'_>) -> Result<Token> {
    let meta: Option<String> = row.get(5)?;
    let bound_cidrs: Option<String> = row.get(16)?;
    let login: Option<String> = row.get(17)?;
    Ok(Token {
        digest: TokenDigest(row.get(0)?),
        accessor: Accessor(row.get(1)?),
        parent: row.get::<_, Option<String>>(2)?.map(TokenDigest),
        policies: from_json(&row.get::<_, String>(3)?)?,
        display_name: row.get(4)?,
        meta: meta.map(|meta| from_json(&meta)).transpose()?,
        path: row.get(6)?,
        num_uses: row.get(7)?,
        created_at: time(row.get(8)?),
        creation_ttl: uint(row.get(9)?),
        expires_at: row.get::<_, Option<i64>>(10)?.map(time),
        explicit_max_ttl: uint(row.get(11)?),
        period: uint(row.get(12)?),
        renewable: row.get(13)?,
        last_renewal: row.get::<_, Option<i64>>(14)?.map(time),
        ended_at: row.get::<_, Option<i64>>(15)?.map(time),
        bound_cidrs: bound_cidrs.map(|cidrs| from_json(&cidrs)).transpose()?.unwrap_or_default(),
        login: login.map(|login| from_json(&login)).transpose()?,
        kind: TokenKind::Service,
        role: row.get(18)?,
        entity: row.get::<_, Option<String>>(19)?.map(EntityId),
    })
}

/// A new row. One that is there already is somebody else's token, and stays as it is.
pub(super) fn create_token(writing: &mut Writing<'_>, token: &Token) -> Result<()> {
    check_parent(writing.db, token)?;
    check_mount(writing.db, token)?;
    let sql = concat!(
        "INSERT INTO token (",
        columns!(),
        ", auth_mount)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
         ON CONFLICT (digest) DO NOTHING"
    );
    let written = writing.db.prepare_cached(sql)?.execute(rusqlite::params![
        token.digest.0,
        token.accessor.0,
        token.parent.as_ref().map(|parent| &parent.0),
        to_json(&token.policies)?,
        token.display_name,
        token.meta.as_ref().map(to_json).transpose()?,
        token.path,
        token.num_uses,
        token.created_at.as_millis(),
        int(token.creation_ttl),
        millis(token.expires_at),
        int(token.explicit_max_ttl),
        int(token.period),
        token.renewable,
        millis(token.last_renewal),
        millis(token.ended_at),
        (!token.bound_cidrs.is_empty()).then(|| to_json(&token.bound_cidrs)).transpose()?,
        token.login.as_ref().map(to_json).transpose()?,
        token.role,
        token.entity.as_ref().map(|entity| &entity.0),
        token.login.as_ref().map(|login| &login.mount.0),
    ])?;
    if written == 0 {
        return Err(StoreError::Conflict);
    }
    writing.outdates(Stale::Token(token.digest.clone()));
    Ok(())
}

/// What a renewal changes; never what was used of it, nor that it ended.
pub(super) fn update_token(writing: &mut Writing<'_>, token: &Token) -> Result<()> {
    let mut query = writing.db.prepare_cached(
        "UPDATE token SET policies = ?2, display_name = ?3, meta = ?4, creation_ttl = ?5, expires_at = ?6,
             explicit_max_ttl = ?7, period = ?8, renewable = ?9, last_renewal = ?10
         WHERE digest = ?1 AND ended_at IS NULL",
    )?;
    let written = query.execute(rusqlite::params![
        token.digest.0,
        to_json(&token.policies)?,
        token.display_name,
        token.meta.as_ref().map(to_json).transpose()?,
        int(token.creation_ttl),
        millis(token.expires_at),
        int(token.explicit_max_ttl),
        int(token.period),
        token.renewable,
        millis(token.last_renewal),
    ])?;
    if written == 0 {
        return Err(StoreError::Conflict);
    }
    writing.outdates(Stale::Token(token.digest.clone()));
    Ok(())
}

/// A new token whose parent ended meanwhile would outlive it: refused.
fn check_parent(db: &Connection, token: &Token) -> Result<()> {
    let Some(parent) = &token.parent else {
        return Ok(());
    };
    let mut query = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM token WHERE digest = ?1 AND ended_at IS NULL)",
    )?;
    let may = query.query_row([&parent.0], |row| row.get(0))?;
    if may { Ok(()) } else { Err(StoreError::Conflict) }
}

/// A new token whose auth mount was removed meanwhile would outlive it: refused.
fn check_mount(db: &Connection, token: &Token) -> Result<()> {
    let Some(login) = &token.login else {
        return Ok(());
    };
    let mut query = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM auth_mount WHERE id = ?1)")?;
    let may = query.query_row([&login.mount.0], |row| row.get(0))?;
    if may { Ok(()) } else { Err(StoreError::Conflict) }
}

/// What is left after this use: 0 after the last one (stored as used up, -1), `None` when there was
/// none, `i64::MAX` for a token without a limit.
pub(super) fn use_token(writing: &mut Writing<'_>, digest: &TokenDigest) -> Result<Option<i64>> {
    let mut query = writing.db.prepare_cached(
        "UPDATE token SET num_uses = CASE num_uses WHEN 0 THEN 0 WHEN 1 THEN -1 ELSE num_uses - 1 END
         WHERE digest = ?1 AND num_uses >= 0 AND ended_at IS NULL
         RETURNING num_uses",
    )?;
    let left = query.query_row([&digest.0], |row| row.get::<_, i64>(0)).optional()?;
    writing.outdates(Stale::Token(digest.clone()));
    Ok(left.map(|left| match left {
        0 => i64::MAX,
        left => left.max(0),
    }))
}

pub(super) const END_TREE: &str = "WITH RECURSIVE tree (digest) AS (
         SELECT digest FROM token WHERE digest = ?1
         UNION
         SELECT child.digest FROM tree JOIN token AS child ON child.parent = tree.digest
     )
     UPDATE token SET ended_at = ?2
     WHERE digest IN (SELECT digest FROM tree) AND ended_at IS NULL
     RETURNING digest, accessor";

pub(super) fn end_token_tree(
    writing: &mut Writing<'_>,
    digest: &TokenDigest,
    now: Timestamp,
) -> Result<u64> {
    let mut query = writing.db.prepare_cached(END_TREE)?;
    let ended: Vec<(String, String)> = query
        .query_map((&digest.0, now.as_millis()), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let number = count(ended.len());
    for (digest, accessor) in ended {
        make_leases_due(writing.db, &accessor, now)?;
        wrapping::lose(writing, &digest, now)?;
        writing.outdates(Stale::Token(TokenDigest(digest)));
    }
    Ok(number)
}

/// Ends one token; the tokens that it made have no parent from now on.
pub(super) fn end_token_alone(
    writing: &mut Writing<'_>,
    digest: &TokenDigest,
    now: Timestamp,
) -> Result<bool> {
    let mut query = writing.db.prepare_cached(
        "UPDATE token SET ended_at = ?2 WHERE digest = ?1 AND ended_at IS NULL RETURNING accessor",
    )?;
    let ended: Option<String> =
        query.query_row((&digest.0, now.as_millis()), |row| row.get(0)).optional()?;
    let Some(accessor) = ended else {
        return Ok(false);
    };
    make_leases_due(writing.db, &accessor, now)?;
    wrapping::lose(writing, &digest.0, now)?;
    writing.outdates(Stale::Token(digest.clone()));
    let mut query = writing
        .db
        .prepare_cached("UPDATE token SET parent = NULL WHERE parent = ?1 RETURNING digest")?;
    let children: Vec<String> =
        query.query_map([&digest.0], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for child in children {
        writing.outdates(Stale::Token(TokenDigest(child)));
    }
    Ok(true)
}

pub(super) fn accessors(db: &Connection) -> Result<Vec<Accessor>> {
    let mut query =
        db.prepare_cached("SELECT accessor FROM token WHERE ended_at IS NULL ORDER BY accessor")?;
    let rows = query.query_map([], |row| row.get(0).map(Accessor))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) const MAKE_DUE: &str = "UPDATE lease SET due_at = ?2
     WHERE holder = (SELECT key FROM holder WHERE accessor = ?1) AND due_at > ?2
         AND (state = 1 OR (state = 2 AND contained_at IS NULL AND due_at = expires_at))";

/// Active leases of a holder that ended are due at once, and so are those that a paused job holds back until
/// their end: this is their end. Pending ones follow when they turn active.
fn make_leases_due(db: &Connection, accessor: &str, now: Timestamp) -> Result<()> {
    db.prepare_cached(MAKE_DUE)?.execute((accessor, now.as_millis()))?;
    Ok(())
}

pub(super) fn expired_tokens(
    db: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<TokenDigest>> {
    let mut query = db.prepare_cached(EXPIRED)?;
    let rows = query.query_map((now.as_millis(), limit), |row| row.get(0).map(TokenDigest))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) const EXPIRED: &str = "SELECT digest FROM token
     WHERE ended_at IS NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
