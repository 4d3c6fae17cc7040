//! The layout of the database, in numbered steps. Each is applied once, in order, in a transaction of
//! its own, and its digest is written down with it; a step that was applied is never edited. The SQL
//! is in `migrations/`, next to this file.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::open::OpenError;
use super::values::hex;

/// `LSHD`: marks the file as ours, for `file(1)` and for us.
const APPLICATION_ID: i64 = 0x4C53_4844;

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
    /// SHA-256 of `sql`, hex.
    digest: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "0001_init.sql",
        sql: include_str!("migrations/0001_init.sql"),
        digest: "1bc8defd168cbd91a8462b936581e17af8736f922c3c1a969006557dceaf093f",
    },
    Migration {
        number: 2,
        name: "0002_lease_origin.sql",
        sql: include_str!("migrations/0002_lease_origin.sql"),
        digest: "834515d1c2b2fc6219a836bcc451759002b448570c5d9a42f936e85211bb6a50",
    },
    Migration {
        number: 3,
        name: "0003_acl_policy.sql",
        sql: include_str!("migrations/0003_acl_policy.sql"),
        digest: "9a418c43cfb900bc2df010765035c7fc1e89c4d003ffad83ef53edb6f1991072",
    },
    Migration {
        number: 4,
        name: "0004_wrapping.sql",
        sql: include_str!("migrations/0004_wrapping.sql"),
        digest: "7d848dac8a7a866cfb0eddff8668db345581dd3c75ce08a5e4feaba33018bb0b",
    },
    Migration {
        number: 5,
        name: "0005_stuck.sql",
        sql: include_str!("migrations/0005_stuck.sql"),
        digest: "ddb73ff8a5c770b967e5e6789562c1e777636926e694b72914eb265cd381cde6",
    },
    Migration {
        number: 6,
        name: "0006_limits.sql",
        sql: include_str!("migrations/0006_limits.sql"),
        digest: "9c2144fa32c73c6eed6a2000b149d34e6b30e74b31addf31ea898a64ebd435e8",
    },
    Migration {
        number: 7,
        name: "0007_lease_tally.sql",
        sql: include_str!("migrations/0007_lease_tally.sql"),
        digest: "6600e42dd00f43bc2df5816277537098123f03f67a1a50562e23e0d449349cfe",
    },
    Migration {
        number: 8,
        name: "0008_reconcile.sql",
        sql: include_str!("migrations/0008_reconcile.sql"),
        digest: "20b87085942e6234f700192156b7cce6cac64eee72f425cc1e095dbfa142b494",
    },
    Migration {
        number: 9,
        name: "0009_rotation.sql",
        sql: include_str!("migrations/0009_rotation.sql"),
        digest: "ce6dc2cfc7b5a1181b844f4eae4d1290f74ae39a7b1d8f5a0e4d312ad58209f0",
    },
    Migration {
        number: 10,
        name: "0010_jobs.sql",
        sql: include_str!("migrations/0010_jobs.sql"),
        digest: "b10746aed37c7f240ca172907390b4e71361425b13774f01de5f60fb6d913526",
    },
    Migration {
        number: 11,
        name: "0011_wrapping_lease.sql",
        sql: include_str!("migrations/0011_wrapping_lease.sql"),
        digest: "5eff3059e1b13afa4bfd83532a8aabc1653015ada00083cc6f20a8c73f0401de",
    },
    Migration {
        number: 12,
        name: "0012_auth_methods.sql",
        sql: include_str!("migrations/0012_auth_methods.sql"),
        digest: "687ed3f8f353d95d80b15cb8d48c256ddd82620446679894ed56758c7dcf2228",
    },
    Migration {
        number: 13,
        name: "0013_plugins.sql",
        sql: include_str!("migrations/0013_plugins.sql"),
        digest: "e29dce351f70eaa6bf7ef21a7b73f31637717ca14d1637637a21532b7133f8d6",
    },
    Migration {
        number: 14,
        name: "0014_guardrails.sql",
        sql: include_str!("migrations/0014_guardrails.sql"),
        digest: "6ff18fe01a7aadd1ca80c8968d3de997ec3bdcc6b65aa4657fabd8344369b284",
    },
    Migration {
        number: 15,
        name: "0015_audit.sql",
        sql: include_str!("migrations/0015_audit.sql"),
        digest: "d2848a957f89a2b4d3e107d5c37e1859e03c315d85e12b1a1fe57b9c6a22aa20",
    },
    Migration {
        number: 16,
        name: "0016_orphan_policy.sql",
        sql: include_str!("migrations/0016_orphan_policy.sql"),
        digest: "d7ec4e82cd708007e62d253bd99161bb51ffe6e2b8c5e80ade4b30d732d192a0",
    },
    Migration {
        number: 17,
        name: "0017_account_limits.sql",
        sql: include_str!("migrations/0017_account_limits.sql"),
        digest: "82752ece5793b1f000f9c39397ded9436381e0de3b9b197e8917972aa1a1fa74",
    },
    Migration {
        number: 18,
        name: "0018_signed_logins.sql",
        sql: include_str!("migrations/0018_signed_logins.sql"),
        digest: "6d2caa5a2140aed8db57874a42ba0cce6ac67c5f57b9f966f49ee1f8d20bf699",
    },
    Migration {
        number: 19,
        name: "0019_identity.sql",
        sql: include_str!("migrations/0019_identity.sql"),
        digest: "0713881ce8ac63795dd6ebe6b5fac1b9ae230e0e06cbd61557c1d6f96a27db2d",
    },
    Migration {
        number: 20,
        name: "0020_rate_quota.sql",
        sql: include_str!("migrations/0020_rate_quota.sql"),
        digest: "fabdf2a921e78689032c126d0dbd96784ee92bb817847c25554a0acd4d3990c7",
    },
    Migration {
        number: 21,
        name: "0021_seal.sql",
        sql: include_str!("migrations/0021_seal.sql"),
        digest: "60f3c4e97f0ba98de19999001fdc490fb75dbae0e97cb37bbcfff044cd17b93e",
    },
];

/// Brings the database to the newest layout, or says why it must not be touched.
pub(super) fn migrate(db: &mut Connection, file: &Path) -> Result<(), OpenError> {
    migrate_with(db, file, MIGRATIONS)
}

/// The layout's number, of a database that is ours and made by migrations that are known. Changes nothing.
pub(super) fn check(db: &Connection, file: &Path) -> Result<i64, OpenError> {
    let pragma = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let found = pragma("PRAGMA user_version")?;
    if pragma("PRAGMA application_id")? != APPLICATION_ID || found < 1 {
        return Err(OpenError::NotOurs(file.to_owned()));
    }
    let known = MIGRATIONS.last().map_or(0, |newest| newest.number);
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    for migration in MIGRATIONS.iter().filter(|migration| migration.number <= found) {
        if applied(db, migration)?.as_deref() != Some(migration.digest) {
            return Err(OpenError::MigrationChanged { name: migration.name.to_owned() });
        }
    }
    Ok(found)
}

/// The digest of a migration as it was applied.
fn applied(db: &Connection, migration: &Migration) -> Result<Option<String>, OpenError> {
    let sql = "SELECT digest FROM migration WHERE number = ?1";
    Ok(db.query_row(sql, [migration.number], |row| row.get(0)).optional()?)
}

fn migrate_with(
    db: &mut Connection,
    file: &Path,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let found = check_owner(db, file)?;
    let known = migrations.last().map_or(0, |newest| newest.number);
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
             number INTEGER PRIMARY KEY,
             name   TEXT NOT NULL,
             digest TEXT NOT NULL
         ) STRICT;",
    )?;
    for migration in migrations {
        if sha256_hex(migration.sql) != migration.digest {
            return Err(OpenError::MigrationChanged { name: migration.name.to_owned() });
        }
        match applied(db, migration)? {
            None => apply(db, migration)?,
            Some(digest) if digest == migration.digest => {}
            Some(_) => {
                return Err(OpenError::MigrationChanged { name: migration.name.to_owned() });
            }
        }
    }
    Ok(())
}

/// The layout's number, 0 for a new file.
fn check_owner(db: &Connection, file: &Path) -> Result<i64, OpenError> {
    let not_ours = || OpenError::NotOurs(file.to_owned());
    let pragma = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let owner = pragma("PRAGMA application_id")?;
    let tables = pragma("SELECT count(*) FROM sqlite_schema")?;
    match (owner, tables) {
        (APPLICATION_ID, _) => {}
        (0, 0) => db.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?,
        (_, _) => return Err(not_ours()),
    }
    Ok(pragma("PRAGMA user_version")?)
}

fn apply(db: &mut Connection, migration: &Migration) -> Result<(), OpenError> {
    let step = db.transaction()?;
    step.execute_batch(migration.sql)?;
    step.execute(
        "INSERT INTO migration (number, name, digest) VALUES (?1, ?2, ?3)",
        (migration.number, migration.name, migration.digest),
    )?;
    step.execute_batch(&format!("PRAGMA user_version = {}", migration.number))?;
    step.commit()?;
    Ok(())
}

fn sha256_hex(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, Path::new("x.db")).unwrap();
        db
    }

    fn refused(db: &mut Connection) -> String {
        migrate(db, Path::new("x.db")).unwrap_err().to_string()
    }

    #[test]
    fn every_migration_is_the_one_that_was_pinned() {
        let mut before = 0;
        for migration in MIGRATIONS {
            assert!(migration.number > before, "{} comes too late", migration.name);
            before = migration.number;
            assert_eq!(sha256_hex(migration.sql), migration.digest, "{}", migration.name);
        }
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut db = migrated();
        migrate(&mut db, Path::new("x.db")).unwrap();
        let layout = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(layout("PRAGMA user_version"), MIGRATIONS.last().unwrap().number);
        assert_eq!(layout("PRAGMA application_id"), APPLICATION_ID);
        let all = i64::try_from(MIGRATIONS.len()).unwrap();
        assert_eq!(layout("SELECT count(*) FROM migration"), all);
    }

    #[test]
    fn every_table_is_strict() {
        let loose: i64 = migrated()
            .query_row(
                "SELECT count(*) FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND strict = 0",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(loose, 0);
    }

    #[test]
    fn a_changed_migration_is_refused() {
        let mut db = migrated();
        db.execute("UPDATE migration SET digest = 'other'", []).unwrap();
        let text = refused(&mut db);
        assert!(text.starts_with("migration `0001_init.sql` is not the one"), "{text}");
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut db = migrated();
        db.execute_batch("PRAGMA user_version = 99").unwrap();
        let text = refused(&mut db);
        assert!(text.starts_with("the database has layout 99"), "{text}");
        assert!(text.contains("newer leasehold"), "{text}");
    }

    #[test]
    fn a_foreign_database_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE theirs (x)").unwrap();
        let text = refused(&mut db);
        assert_eq!(text.lines().next(), Some("`x.db` is not a leasehold database"));
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let sql = "CREATE TABLE half (x INTEGER) STRICT; SELECT nonsense;";
        let digest = Box::leak(sha256_hex(sql).into_boxed_str());
        let broken = [Migration { number: 1, name: "0001_broken.sql", sql, digest }];
        let mut db = Connection::open_in_memory().unwrap();
        assert!(migrate_with(&mut db, Path::new("x.db"), &broken).is_err());
        migrate(&mut db, Path::new("x.db")).unwrap();
        assert!(db.prepare("SELECT * FROM half").is_err());
    }
}
