//! The devices of an [`Audit`] without a wire: kept over restarts, chained, refused where they cannot be.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::chain::Link;
use super::*;
use crate::model::Timestamp;
use crate::store::AuditStore as _;
use crate::store::sqlite::{Settings, Sqlite};

fn audit(store: &Arc<Sqlite>, barrier: &Arc<Barrier>) -> Audit {
    let store: Arc<dyn Store> = Arc::<Sqlite>::clone(store);
    let random = Random::seeded(7);
    Audit::new(AuditParts { store, barrier: Arc::clone(barrier), random })
}

fn parts() -> (Arc<Sqlite>, Arc<Barrier>) {
    let settings = Settings { settling: Duration::from_mins(5) };
    let barrier = Barrier::in_memory(&Random::seeded(1));
    (Sqlite::temporary_with(settings).unwrap(), Arc::new(barrier))
}

fn file(path: &Path) -> NewDevice {
    let options = [("file_path".to_owned(), path.display().to_string())];
    NewDevice {
        kind: "file".into(),
        description: String::new(),
        options: BTreeMap::from(options),
        local: false,
    }
}

async fn log(audit: &Audit, data: &Map<String, Value>) -> Result<(), Unwritten> {
    let trail = audit.begin(|| Facts {
        at: Timestamp::from_millis(0),
        id: "an-id",
        operation: "update",
        path: "aws/roles/r",
        data: Cow::Borrowed(data),
        token: None,
        caller: None,
        remote: None,
        wrap_seconds: None,
        mount: None,
    });
    trail.unwrap().asked(None).await
}

fn seqs(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| Link::read(line).filter(Link::is_whole).unwrap().seq).collect()
}

#[tokio::test]
async fn a_chain_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (store, barrier) = parts();
    let first = audit(&store, &barrier);
    first.enable("f", file(&path)).await.unwrap();
    log(&first, &Map::new()).await.unwrap();
    drop(first);
    let second = audit(&store, &barrier);
    assert!(second.begin(unasked).is_none(), "nothing is taken up by itself");
    second.open().await.unwrap();
    log(&second, &Map::new()).await.unwrap();
    assert_eq!(seqs(&path), [0, 1]);
    assert_eq!(second.head("f").await.unwrap().unwrap().seq, 1);
}

fn unasked<'a>() -> Facts<'a> {
    panic!("nobody asks for the facts where there is no device")
}

#[tokio::test]
async fn a_file_that_was_cut_off_does_not_get_its_numbers_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (store, barrier) = parts();
    let first = audit(&store, &barrier);
    first.enable("f", file(&path)).await.unwrap();
    for _ in 0..3 {
        log(&first, &Map::new()).await.unwrap();
    }
    first.anchor(&mut BTreeMap::new()).await.unwrap();
    drop(first);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.split_inclusive('\n').next().unwrap()).unwrap();
    let second = audit(&store, &barrier);
    second.open().await.unwrap();
    log(&second, &Map::new()).await.unwrap();
    assert_eq!(seqs(&path), [0, 3], "the gap stays to be seen");
}

#[tokio::test]
async fn one_device_that_writes_is_enough_and_none_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good"), dir.path().join("bad/file"));
    std::fs::create_dir(dir.path().join("bad")).unwrap();
    let (store, barrier) = parts();
    let audit = audit(&store, &barrier);
    audit.enable("good", file(&good)).await.unwrap();
    audit.enable("bad", file(&bad)).await.unwrap();
    std::fs::remove_dir_all(dir.path().join("bad")).unwrap();
    audit.reopen();
    assert_eq!(log(&audit, &Map::new()).await, Ok(()));
    assert_eq!(seqs(&good), [0]);
    audit.disable("good").await.unwrap();
    assert_eq!(log(&audit, &Map::new()).await, Err(Unwritten));
    std::fs::create_dir(dir.path().join("bad")).unwrap();
    assert_eq!(log(&audit, &Map::new()).await, Ok(()));
    assert_eq!(seqs(&bad), [0], "what was not written has no number");
}

#[tokio::test]
async fn what_is_secret_is_a_digest_of_this_device() {
    let dir = tempfile::tempdir().unwrap();
    let (one, raw) = (dir.path().join("one"), dir.path().join("raw"));
    let (store, barrier) = parts();
    let audit = audit(&store, &barrier);
    audit.enable("one", file(&one)).await.unwrap();
    let mut bare = file(&raw);
    bare.options.insert("log_raw".into(), "true".into());
    bare.options.insert("prefix".into(), "audit: ".into());
    audit.enable("raw", bare).await.unwrap();
    let data = json!({ "secret_key": "hidden", "max_retries": 3 });
    log(&audit, data.as_object().unwrap()).await.unwrap();
    let told = std::fs::read_to_string(&one).unwrap();
    let entry: Value = serde_json::from_str(&told).unwrap();
    let shown = audit.digest("one", "hidden").unwrap();
    assert_eq!(entry["request"]["data"], json!({ "secret_key": shown, "max_retries": 3 }));
    assert!(!told.contains("hidden"));
    assert_ne!(audit.digest("raw", "hidden").unwrap(), shown);
    let told = std::fs::read_to_string(&raw).unwrap();
    assert!(told.starts_with("audit: {") && told.contains(r#""secret_key":"hidden""#), "{told}");
    assert!(Link::read(&told).unwrap().is_whole(), "the prefix is covered");
}

#[tokio::test]
async fn what_no_device_can_be_is_refused_and_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, barrier) = parts();
    let audit = audit(&store, &barrier);
    audit.enable("a/b", file(&dir.path().join("x"))).await.unwrap();
    let refused = |path: &'static str, new: NewDevice| {
        let audit = &audit;
        async move { audit.enable(path, new).await.unwrap_err().to_string() }
    };
    let there = dir.path().join("y");
    for taken in ["a/b/", "a", "a/b/c"] {
        assert_eq!(refused(taken, file(&there)).await, "path already in use");
    }
    let kind = NewDevice { kind: "kafka".into(), ..file(&there) };
    assert_eq!(refused("k", kind).await, r#"unknown backend type: "kafka""#);
    let nowhere = refused("n", file(&dir.path().join("no/such/folder"))).await;
    assert!(nowhere.starts_with("sanity check failed; unable to open "), "{nowhere}");
    let folder = refused("d", file(dir.path())).await;
    assert!(folder.starts_with("sanity check failed"), "{folder}");
    assert!(refused("ü", file(&there)).await.contains("no name for an audit device"));
    assert_eq!(audit.list().len(), 1);
    assert_eq!(store.audit_devices().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_that_was_written_anew_between_two_starts_is_not_taken_for_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (store, barrier) = parts();
    let first = audit(&store, &barrier);
    first.enable("f", file(&path)).await.unwrap();
    for _ in 0..2 {
        log(&first, &Map::new()).await.unwrap();
    }
    first.anchor(&mut BTreeMap::new()).await.unwrap();
    let written = first.head("f").await.unwrap().unwrap();
    drop(first);
    // Somebody with the file alone: the same numbers, a chain that holds, and one entry more.
    let mut forged = chain::Chain::default();
    let lines: String = (0..3).map(|at| forged.seal(&format!(r#"{{"forged":{at}}}"#))).collect();
    std::fs::write(&path, lines).unwrap();
    let second = audit(&store, &barrier);
    second.open().await.unwrap();
    log(&second, &Map::new()).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let last = Link::read(text.lines().last().unwrap()).unwrap();
    assert_eq!((last.seq, last.prev), (2, written.hash.as_str()), "it follows what was written");
    let mut verifier = verify::Verifier::new(second.head("f").await.unwrap());
    let bad = text.lines().filter(|line| verifier.line(line) != verify::Line::Good).count();
    assert_eq!(bad, 1);
}

#[tokio::test]
async fn an_entry_that_lacks_its_line_break_alone_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (store, barrier) = parts();
    let first = audit(&store, &barrier);
    first.enable("f", file(&path)).await.unwrap();
    log(&first, &Map::new()).await.unwrap();
    drop(first);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end()).unwrap();
    let second = audit(&store, &barrier);
    second.open().await.unwrap();
    log(&second, &Map::new()).await.unwrap();
    assert_eq!(seqs(&path), [0, 1]);
}

#[tokio::test]
async fn two_devices_do_not_share_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, link) = (dir.path().join("audit.log"), dir.path().join("link"));
    let (store, barrier) = parts();
    let audit = audit(&store, &barrier);
    audit.enable("f", file(&path)).await.unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for same in [&path, &link] {
        let refused = audit.enable("g", file(same)).await.unwrap_err().to_string();
        assert!(refused.contains("another audit device writes to it"), "{refused}");
    }
}

/// Found by a review: each text becomes 76 characters, and a body of empty ones a gigabyte.
#[tokio::test]
async fn a_body_of_very_many_values_makes_a_short_entry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let (store, barrier) = parts();
    let audit = audit(&store, &barrier);
    audit.enable("f", file(&path)).await.unwrap();
    let many = json!({ "a": vec![""; 20_000] });
    let long = json!({ "a": "x".repeat(2 << 20) });
    for data in [&many, &long] {
        log(&audit, data.as_object().unwrap()).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let last = text.lines().last().unwrap();
        assert!(last.len() < 1_000, "{}", last.len());
        let entry: Value = serde_json::from_str(last).unwrap();
        let told = &entry["request"]["data"]["left_out"];
        assert_eq!(told["digest"], audit.digest("f", &data.to_string()).unwrap());
        assert_eq!(told["bytes"], data.to_string().len());
    }
}

/// Found by a review: a store that failed while the broker was sealed kept the devices' keys in memory.
#[tokio::test]
async fn a_store_that_fails_keeps_no_device_when_all_are_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let (store, barrier) = parts();
    let audit = audit(&store, &barrier);
    audit.enable("f", file(&dir.path().join("audit.log"))).await.unwrap();
    log(&audit, &Map::new()).await.unwrap();
    store.close().await;
    assert!(audit.close().await.is_err());
    assert!(audit.list().is_empty());
}
