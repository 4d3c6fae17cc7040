//! Commits in groups, answers after the commit, crashes, full disks, closing.

use futures_util::future::join_all;

use super::*;

fn open(folder: &Path) -> Arc<Sqlite> {
    Sqlite::open(folder, Settings::default()).unwrap()
}

/// What another process would find if this one were killed now.
fn as_after_a_kill(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["leasehold.db", "leasehold.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn many_writes_share_few_commits() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.put_mount(&mount()).await.unwrap();
    let before = store.written();

    let leases: Vec<Lease> = (0..500).map(|number| pending(number, "t")).collect();
    let done = join_all(leases.iter().map(|lease| store.begin_lease(lease))).await;

    assert!(done.iter().all(std::result::Result::is_ok));
    let after = store.written();
    assert_eq!(after.writes - before.writes, 500);
    let commits = after.commits - before.commits;
    assert!((1..=250).contains(&commits), "{commits} commits");
}

#[tokio::test]
async fn one_that_fails_takes_no_other_with_it() {
    let store = store().await;
    store.begin_lease(&pending(7, "t")).await.unwrap();
    let leases: Vec<Lease> = (0..50).map(|number| pending(number, "t")).collect();
    let done = join_all(leases.iter().map(|lease| store.begin_lease(lease))).await;
    for (number, result) in (0..).zip(done) {
        let conflict = matches!(result, Err(StoreError::Conflict));
        assert_eq!(conflict, number == 7, "{number}");
        assert!(store.lease(&lease_id(number)).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_write_that_fails_half_way_leaves_nothing_and_its_copies_are_right() {
    let store = store().await;
    store.put_role(&role("deploy", 1)).await.unwrap();
    let failed = store
        .write(|w| {
            roles::put_role(w, &role("deploy", 2))?;
            Err::<(), _>(StoreError::Conflict)
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Conflict)));
    let name = "deploy".parse().unwrap();
    assert_eq!(store.role(&mount().id, &name).await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn a_write_that_panics_does_not_end_the_writer() {
    let store = store().await;
    let failed = store.write(|_| -> Result<()> { panic!("a bug") }).await;
    assert!(matches!(failed, Err(StoreError::Failed(_))));
    store.put_setting("a", b"1").await.unwrap();
}

#[tokio::test]
async fn every_acknowledged_write_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.put_mount(&mount()).await.unwrap();
    for number in 0..20 {
        store.begin_lease(&pending(number, "t")).await.unwrap();
        let copy = as_after_a_kill(folder.path());
        let found = ids(&open(copy.path()), "", Show::Unfinished).await;
        assert_eq!(found.len(), usize::try_from(number).unwrap() + 1);
    }
    drop(store);
    assert_eq!(ids(&open(folder.path()), "", Show::Unfinished).await.len(), 20);
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refused = Sqlite::open(folder.path(), Settings::default()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    store.close().await;
    open(folder.path());
}

#[tokio::test]
async fn closing_commits_what_waits_and_refuses_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.put_mount(&mount()).await.unwrap();
    let leases: Vec<Lease> = (0..200).map(|number| pending(number, "t")).collect();
    let (done, ()) =
        tokio::join!(join_all(leases.iter().map(|lease| store.begin_lease(lease))), store.close());

    assert!(done.iter().all(std::result::Result::is_ok));
    let late = store.put_setting("a", b"1").await;
    assert!(matches!(late, Err(StoreError::Closed)));
    store.close().await;
    let log = folder.path().join("leasehold.db-wal");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
    drop(store);
    let again = open(folder.path());
    assert_eq!(ids(&again, "", Show::Unfinished).await.len(), 200);
    assert_eq!(again.setting("a").await.unwrap(), None);
}

#[tokio::test]
async fn a_full_disk_is_said_and_writes_work_again_afterwards() {
    let store = store().await;
    let limit = |pages: u32| {
        store.write(move |w| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(w.db.query_row(&sql, [], |_| Ok(()))?)
        })
    };
    limit(1).await.unwrap(); // SQLite makes it what is in use
    let big = vec![0; 1_000_000];
    let settings: Vec<String> = (0..5).map(|number| format!("big-{number}")).collect();
    for result in join_all(settings.iter().map(|name| store.put_setting(name, &big))).await {
        let text = result.unwrap_err().to_string();
        assert!(text.contains("the disk is full") || text.contains("was undone"), "{text}");
    }
    assert_eq!(store.setting("big-0").await.unwrap(), None);
    limit(1_000_000).await.unwrap();
    store.put_setting("big-0", &big).await.unwrap();
    assert_eq!(store.setting("big-0").await.unwrap().unwrap().len(), big.len());
}

#[tokio::test]
async fn readers_never_see_an_older_role_than_was_acknowledged() {
    let store = store().await;
    let name: RoleName = "deploy".parse().unwrap();
    store.put_role(&role("deploy", 1)).await.unwrap();
    let reader = {
        let (store, name) = (Arc::clone(&store), name.clone());
        std::thread::spawn(move || {
            let mut seen = 0;
            while seen < 200 {
                let role = futures_util::FutureExt::now_or_never(store.role(&mount().id, &name));
                let version = role.unwrap().unwrap().unwrap().version;
                assert!(version >= seen, "{version} after {seen}");
                seen = version;
            }
        })
    };
    for version in 2..=200 {
        store.put_role(&role("deploy", version)).await.unwrap();
        let read = store.role(&mount().id, &name).await.unwrap().unwrap();
        assert_eq!(read.version, version);
    }
    reader.join().unwrap();
}

#[tokio::test]
async fn a_temporary_store_leaves_nothing_behind() {
    let store = store().await;
    let file: String = store
        .readers
        .point(|db| Ok(db.query_row("SELECT file FROM pragma_database_list", [], |r| r.get(0))?))
        .unwrap();
    let folder = Path::new(&file).parent().unwrap();
    assert!(folder.join("leasehold.db").exists());
    drop(store);
    assert!(!folder.exists());
}
