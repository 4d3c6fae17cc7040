//! Opens the database: the data directory and its modes, the lock that keeps other processes out, the
//! pragmas of both kinds of connection. It never creates anything that others can read. The layout
//! inside is [`super::migrations`]'s.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

/// The database in the data directory.
pub(super) const DATABASE: &str = "leasehold.db";
/// Held, locked, by the process that uses the data directory.
const LOCK: &str = "leasehold.lock";

/// Prepared statements kept per connection; the store has about sixty.
const STATEMENTS: usize = 96;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("another leasehold uses this data directory: `{}`\nhelp: stop it first, or give this one a `data_dir` of its own", .0.display())]
    InUse(PathBuf),
    /// A file or folder could not be made or opened.
    #[error("cannot {action} `{}`: {source}\nhelp: check owner, mode and free space", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is some other program's database.
    #[error("`{}` is not a leasehold database\nhelp: give another `data_dir`", .0.display())]
    NotOurs(PathBuf),
    /// Written by a newer version.
    #[error(
        "the database has layout {found}, this version knows layouts up to {known}\nhelp: it was written by a newer leasehold; run that one, or restore a backup from before the upgrade"
    )]
    TooNew {
        /// Layout in the file.
        found: i64,
        /// Newest layout that this version knows.
        known: i64,
    },
    /// A migration differs from the one that was applied.
    #[error(
        "migration `{name}` is not the one that this database was made with\nhelp: run a released leasehold; a migration must never be edited after it was applied"
    )]
    MigrationChanged {
        /// Its file name.
        name: String,
    },
    /// SQLite failed.
    #[error("cannot open the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::File { action, path: path.to_owned(), source }
}

/// A data directory that this process alone uses, for as long as `lock` is open.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: PathBuf,
    pub(super) lock: File,
}

/// Makes the data directory if it is missing, takes its lock, and makes sure of modes.
pub(super) fn hold(data_dir: &Path) -> Result<Held, OpenError> {
    if !data_dir.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(file_error("create", data_dir))?;
    }
    let lock_path = data_dir.join(LOCK);
    let lock = private_file(&lock_path)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(OpenError::InUse(data_dir.to_owned())),
        Err(error) => return Err(file_error("lock", &lock_path)(error.into())),
    }
    let file = data_dir.join(DATABASE);
    // SQLite gives its log and index files the mode of the database.
    drop(private_file(&file)?);
    // The new names must survive a power loss too.
    File::open(data_dir)
        .and_then(|folder| folder.sync_all())
        .map_err(file_error("sync", data_dir))?;
    Ok(Held { file, lock })
}

/// Opens or creates a file that only its owner may read and write.
fn private_file(path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(file_error("open", path))?;
    let mode = file.metadata().map_err(file_error("read the mode of", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(file_error("set the mode of", path))?;
    }
    Ok(file)
}

/// How sure a write is when its caller is told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// On disk.
    Disk,
    /// Handed to the system: for a database that nobody will open again.
    Memory,
}

/// The connection that writes.
pub(super) fn open_writer(file: &Path, durability: Durability) -> Result<Connection, OpenError> {
    let db = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let source = io::Error::other("its file system has no shared memory for SQLite's WAL mode");
        return Err(file_error("use", file)(source));
    }
    db.execute_batch(match durability {
        Durability::Disk => "PRAGMA synchronous = FULL;",
        Durability::Memory => "PRAGMA synchronous = OFF;",
    })?;
    // 4096 pages = 16 MiB of log between two checkpoints: four times SQLite's default, since a
    // checkpoint makes all writers wait. 16 MiB of page cache keep the indexes of 100,000 leases hot.
    db.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 4096;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -16384;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(db)
}

/// A connection that reads.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let db = connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // 2 MiB each, SQLite's default, said here so that memory stays bounded whatever the build says.
    db.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2048;")?;
    Ok(db)
}

/// Any connection.
pub(super) fn connect(file: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Only a checkpoint or an operator's `sqlite3` can be in the way, and only for a moment.
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Plans that do not depend on parameters: else SQLite, built with STAT4, plans a join anew each
    // time its parameter changes, which costs more than running it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(db)
}

/// A folder of its own that is gone when this is dropped.
#[derive(Debug)]
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub(super) fn create() -> Result<Self, OpenError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let parent = std::env::temp_dir();
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("leasehold-{}-{number}", std::process::id()));
            // Not recursive: a folder that exists is someone else's, and the next number is tried.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(file_error("create", &path)(error)),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the temporary folder `{}` stays behind", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_it_creates_is_for_the_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let data_dir = outer.path().join("new");
        let held = hold(&data_dir).unwrap();
        let _db = open_writer(&held.file, Durability::Disk).unwrap();
        assert_eq!(mode(&data_dir), 0o700);
        assert_eq!(mode(&held.file), 0o600);
        assert_eq!(mode(&data_dir.join(LOCK)), 0o600);
    }

    #[test]
    fn a_file_that_others_could_read_is_closed_to_them() {
        let data_dir = tempfile::tempdir().unwrap();
        let file = data_dir.path().join(DATABASE);
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        hold(data_dir.path()).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_data_directory_has_one_user() {
        let data_dir = tempfile::tempdir().unwrap();
        let held = hold(data_dir.path()).unwrap();
        let refused = hold(data_dir.path()).unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with("another leasehold uses this data directory"), "{text}");
        drop(held);
        hold(data_dir.path()).unwrap();
    }

    #[test]
    fn a_temporary_folder_goes_away() {
        let folder = TemporaryFolder::create().unwrap();
        let path = folder.path().to_owned();
        assert_eq!(mode(&path), 0o700);
        drop(folder);
        assert!(!path.exists());
    }
}
