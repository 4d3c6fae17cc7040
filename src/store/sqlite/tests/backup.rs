//! Copies of the database: one moment of it, refused where something would be lost, marked when put back.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::model::Quarantine;
use crate::store::sqlite::backup::{BackupError, back_up, restore, verify};

async fn filled(folder: &Path) -> Arc<Sqlite> {
    let store = Sqlite::open(folder, Settings::default()).unwrap();
    store.put_mount(&mount()).await.unwrap();
    for number in 0..20 {
        store.begin_lease(&active(number, "t", at(70))).await.unwrap();
    }
    store
}

#[tokio::test]
async fn a_copy_of_an_open_database_is_whole_and_for_its_owner_alone() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = filled(data.path()).await;
    let file = out.path().join("backup.db");
    let facts = back_up(data.path(), &file, false, at(9)).unwrap();
    assert_eq!((facts.leases, facts.unfinished, facts.mounts), (20, 20, 1));
    assert_eq!(facts.made_at, Some(at(9)));
    assert_eq!(verify(&file).unwrap(), facts);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let names: Vec<_> = std::fs::read_dir(out.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing beside it");
    // The database goes on, and the copy does not follow.
    store.begin_lease(&active(99, "t", at(70))).await.unwrap();
    assert_eq!(verify(&file).unwrap().leases, 20);
    let refused = back_up(data.path(), &file, false, at(10)).unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
    assert_eq!(back_up(data.path(), &file, true, at(10)).unwrap().leases, 21);
}

#[tokio::test]
async fn a_copy_that_is_put_back_is_marked_and_what_was_there_is_kept() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = filled(data.path()).await;
    let file = out.path().join("backup.db");
    back_up(data.path(), &file, false, at(9)).unwrap();
    let refused = restore(&file, data.path(), true, at(11)).unwrap_err();
    assert!(matches!(refused, BackupError::Open(OpenError::InUse(_))), "{refused}");
    store.begin_lease(&active(99, "t", at(70))).await.unwrap();
    store.close().await;
    drop(store);
    let refused = restore(&file, data.path(), false, at(11)).unwrap_err();
    assert!(matches!(refused, BackupError::Occupied(_)), "{refused}");

    let restored = restore(&file, data.path(), true, at(11)).unwrap();

    let aside = restored.put_aside.unwrap();
    assert_eq!(verify(&aside).unwrap().leases, 21);
    let store = Sqlite::open(data.path(), Settings::default()).unwrap();
    let mark = store.setting(Quarantine::SETTING).await.unwrap().unwrap();
    let mark = Quarantine::read(&mark);
    assert_eq!((mark.restored_at, mark.backup_made_at), (at(11), Some(at(9))));
    assert_eq!(
        store.lease(&active(3, "t", at(70)).id).await.unwrap().unwrap().issued_at,
        active(3, "t", at(70)).issued_at
    );
    assert_eq!(store.lease(&active(99, "t", at(70)).id).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_copy_is_refused_and_nothing_is_changed() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let refused = back_up(data.path(), &out.path().join("b"), false, at(1)).unwrap_err();
    assert!(matches!(refused, BackupError::NoDatabase(_)), "{refused}");
    filled(data.path()).await.close().await;
    let file = out.path().join("backup.db");
    back_up(data.path(), &file, false, at(9)).unwrap();

    let text = out.path().join("text");
    std::fs::write(&text, "no database at all, but longer than its header would be: ".repeat(9))
        .unwrap();
    let refused = restore(&text, &out.path().join("new"), false, at(1)).unwrap_err();
    assert!(refused.to_string().contains("is not a leasehold database"), "{refused}");

    let mut bytes = std::fs::read(&file).unwrap();
    let torn = out.path().join("torn.db");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xff);
    std::fs::write(&torn, &bytes).unwrap();
    verify(&torn).unwrap_err();

    let newer = out.path().join("newer.db");
    std::fs::copy(&file, &newer).unwrap();
    let db = open::connect(&newer, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    db.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(db);
    assert!(
        restore(&newer, &out.path().join("new"), false, at(1))
            .unwrap_err()
            .to_string()
            .contains("layout 99")
    );
    assert!(!out.path().join("new").exists(), "the folder was not even made");
    assert!(restore(&out.path().join("absent"), &out.path().join("new"), false, at(1)).is_err());
}
