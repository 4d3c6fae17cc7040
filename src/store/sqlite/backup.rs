//! Copies of the database: made from a running server's too, checked, and put back. A copy is one moment of the
//! database, holds secrets only as they are sealed, and is complete under its name or not there. A database that
//! was put back is marked, so that its first start waits for a word.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::migrations;
use super::mounts::put_setting;
use super::open::{self, DATABASE, OpenError};
use super::values::{time, uint};
use crate::model::{Quarantine, SealKind, Timestamp};

/// Says in milliseconds since 1970 when the database beside it was last backed up.
const LAST_BACKUP: &str = "last-backup";
const FRESH_NOTE: &str = ".last-backup.new";

/// Why there is no copy, or none was put back. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Nothing to copy.
    #[error("there is no database in `{}`\nhelp: name the folder of the server's state, its `data_dir`", .0.display())]
    NoDatabase(PathBuf),
    /// It would be overwritten.
    #[error("`{}` exists\nhelp: choose another name, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// A database would be replaced.
    #[error("`{}` holds a database already\nhelp: restore into an empty folder, or put that database aside with --force", .0.display())]
    Occupied(PathBuf),
    /// Not a whole database.
    #[error("`{}` is damaged: {detail}\nhelp: take another backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// A name that SQLite cannot take.
    #[error("`{}` is not a name in UTF-8\nhelp: choose another name", .0.display())]
    BadName(PathBuf),
    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}\nhelp: check owner, mode and free space", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory or the layout.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// SQLite failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

type Result<T> = std::result::Result<T, BackupError>;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |source| BackupError::File { action, path: path.to_owned(), source }
}

/// What is in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupFacts {
    /// Number of its layout.
    pub layout: i64,
    /// Leases, ended ones too.
    pub leases: u64,
    /// Leases that are not gone.
    pub unfinished: u64,
    /// Mounts that are listed.
    pub mounts: u64,
    /// Its size.
    pub bytes: u64,
    /// When it was made.
    pub made_at: Option<Timestamp>,
    /// Whether a key file opens its secrets.
    pub key_file: bool,
}

/// What putting back came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What is in it.
    pub facts: BackupFacts,
    /// Where the database is that was there before.
    pub put_aside: Option<PathBuf>,
}

/// Writes one moment of the database in `data_dir` to `target`, mode 0600, whether a server runs on it or
/// not. `target` is complete and checked when it appears.
pub fn back_up(
    data_dir: &Path,
    target: &Path,
    replace: bool,
    now: Timestamp,
) -> Result<BackupFacts> {
    let source = data_dir.join(DATABASE);
    if size(&source) == 0 {
        return Err(BackupError::NoDatabase(data_dir.to_owned()));
    }
    if target.exists() && !replace {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let partial = Partial::create(target)?;
    {
        let db = open::connect(&source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        migrations::check(&db, &source)?;
        // One read transaction: writers go on beside it, and the copy shows none of what they do.
        db.execute("VACUUM INTO ?1", [partial.text()?])?;
    }
    {
        let copy = open::connect(&partial.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let made_at = now.as_millis().to_string();
        put_setting(&copy, Quarantine::MADE_AT_SETTING, made_at.as_bytes())?;
        // A copy of a database that waits for a word says so itself when it is restored.
        copy.execute("DELETE FROM setting WHERE name = ?1", [Quarantine::SETTING])?;
    }
    let facts = verify(&partial.path)?;
    partial.finish(target)?;
    note(data_dir, now);
    Ok(facts)
}

/// Tells the server beside whose database this is that there is a backup. A folder that only can be read is
/// copied all the same.
fn note(data_dir: &Path, now: Timestamp) {
    let (name, fresh) = (data_dir.join(LAST_BACKUP), data_dir.join(FRESH_NOTE));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options
        .open(&fresh)
        .and_then(|mut file| writeln!(file, "{}", now.as_millis()))
        .and_then(|()| fs::rename(&fresh, &name));
    if let Err(error) = written {
        tracing::info!(
            "the backup is complete; its time is not noted in `{}`: {error}",
            name.display()
        );
    }
}

/// When the last backup of the database in `data_dir` was taken, where that was noted.
pub(super) fn last_taken(data_dir: &Path) -> Option<Timestamp> {
    let noted = fs::read_to_string(data_dir.join(LAST_BACKUP)).ok()?;
    noted.trim().parse().ok().map(time)
}

/// Checks a copy: that it is ours and whole, of a layout that this version knows. Changes nothing.
pub fn verify(file: &Path) -> Result<BackupFacts> {
    if size(file) == 0 {
        let source = io::Error::new(io::ErrorKind::NotFound, "there is nothing in it");
        return Err(failed("read", file)(source));
    }
    let db = open::connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let layout = migrations::check(&db, file).map_err(|error| unreadable(file, error))?;
    let said: Vec<String> = db
        .prepare("PRAGMA integrity_check(5)")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let damaged = |detail| BackupError::Damaged { path: file.to_owned(), detail };
    if said != ["ok"] {
        return Err(damaged(said.join("; ")));
    }
    if db.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(damaged("a row names another one that is not there".to_owned()));
    }
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(uint);
    let made_at: Option<Vec<u8>> = db
        .query_row(
            "SELECT value FROM setting WHERE name = ?1",
            [Quarantine::MADE_AT_SETTING],
            |row| row.get(0),
        )
        .optional()?;
    let made_at = made_at.and_then(|value| String::from_utf8(value).ok()?.parse().ok());
    Ok(BackupFacts {
        layout,
        leases: count("SELECT count(*) FROM lease")?,
        unfinished: count("SELECT count(*) FROM lease WHERE state < 3")?,
        mounts: count("SELECT count(*) FROM mount WHERE state < 2")?,
        bytes: size(file),
        made_at: made_at.map(time),
        key_file: unsealed_by_file(&db, layout)?,
    })
}

/// Whether a key file unseals it: so the row says, or it is from before there was one.
fn unsealed_by_file(db: &Connection, layout: i64) -> Result<bool> {
    let kind = match layout {
        ..21 => None,
        _ => db.query_row("SELECT kind FROM seal", [], |row| row.get::<_, String>(0)).optional()?,
    };
    match kind {
        Some(kind) => Ok(kind == SealKind::Static.as_str()),
        None => Ok(db.prepare("SELECT 1 FROM setting WHERE name = 'seal/key-check'")?.exists([])?),
    }
}

/// SQLite finds out late that a file is no database of its own.
fn unreadable(file: &Path, error: OpenError) -> BackupError {
    let is_no_database = matches!(
        &error,
        OpenError::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == rusqlite::ErrorCode::NotADatabase
    );
    BackupError::Open(if is_no_database { OpenError::NotOurs(file.to_owned()) } else { error })
}

/// Puts a copy into `data_dir`, which no server may use, and marks it: the next start is in quarantine.
pub fn restore(file: &Path, data_dir: &Path, replace: bool, now: Timestamp) -> Result<Restored> {
    let facts = verify(file)?;
    let held = open::hold(data_dir)?;
    if size(&held.file) > 0 && !replace {
        return Err(BackupError::Occupied(data_dir.to_owned()));
    }
    let partial = Partial::create(&held.file)?;
    let mut from = File::open(file).map_err(failed("open", file))?;
    let mut to = OpenOptions::new()
        .write(true)
        .open(&partial.path)
        .map_err(failed("open", &partial.path))?;
    io::copy(&mut from, &mut to).map_err(failed("write", &partial.path))?;
    {
        let db = open::connect(&partial.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mark = Quarantine { restored_at: now, backup_made_at: facts.made_at };
        let mark = super::values::to_json(&mark)?;
        put_setting(&db, Quarantine::SETTING, mark.as_bytes())?;
    }
    verify(&partial.path)?;
    let put_aside = put_aside(&held.file, now)?;
    partial.finish(&held.file)?;
    Ok(Restored { facts, put_aside })
}

/// Moves a database out of the way, with the log that belongs to it.
fn put_aside(database: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    let was_there = size(database) > 0;
    let aside = suffixed(database, &format!(".replaced-{}", now.as_millis()));
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (suffixed(database, suffix), suffixed(&aside, suffix));
        if !from.exists() {
            continue;
        }
        // The empty file that the lock came with goes.
        let moved = if was_there { fs::rename(&from, &to) } else { fs::remove_file(&from) };
        moved.map_err(failed("put aside", &from))?;
    }
    Ok(was_there.then_some(aside))
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// A file under a name of its own until it is complete; gone where it never is.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
}

impl Partial {
    /// Empty, for its owner alone, beside `target`.
    fn create(target: &Path) -> Result<Self> {
        let path = suffixed(target, ".partial");
        // What an attempt that was cut short left behind.
        if path.exists() {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("create", &path))?;
        Ok(Self { path })
    }

    fn text(&self) -> Result<&str> {
        self.path.to_str().ok_or_else(|| BackupError::BadName(self.path.clone()))
    }

    /// On disk, then under its name, then the name on disk.
    fn finish(self, target: &Path) -> Result<()> {
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(failed("sync", &self.path))?;
        fs::rename(&self.path, target).map_err(failed("write", target))?;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After `finish` there is none, and what cannot be removed the next attempt removes.
        drop(fs::remove_file(&self.path));
    }
}
