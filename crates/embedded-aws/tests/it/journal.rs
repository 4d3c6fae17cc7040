//! The kept account: what was answered survives a kill at any moment.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use embedded_aws::{EmbeddedAws, JournalError};

use crate::support::{S3_READ, START, World, key_of, options, refusal, session_of};

fn open(path: &Path) -> World {
    let now = Arc::new(AtomicU64::new(START));
    let aws = EmbeddedAws::open(Some(path.to_owned()), options(&now)).unwrap();
    World { aws, now }
}

#[tokio::test]
async fn everything_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aws.jsonl");
    let world = open(&path);
    let key = world.user_with_key("alice").await;
    let put = world.iam().put_user_policy().user_name("alice").policy_name("p");
    put.policy_document(S3_READ).send().await.unwrap();
    let arn = world.aws.create_managed_policy("m", S3_READ).unwrap();
    world.aws.create_group("g", &[("p", S3_READ)], &[&arn]).unwrap();
    world.iam().add_user_to_group().user_name("alice").group_name("g").send().await.unwrap();
    world.aws.add_ssh_key("alice").unwrap();
    world.aws.create_user("bob", "/", &[]).unwrap();
    world.iam().delete_user().user_name("bob").send().await.unwrap();
    let dead = key_of(&world.iam().create_access_key().user_name("alice").send().await.unwrap());
    let delete = world.iam().delete_access_key().user_name("alice");
    delete.access_key_id(dead.access_key_id()).send().await.unwrap();
    let session = world.sts_as(key.clone()).get_session_token().send().await.unwrap();
    let session = session_of(session.credentials().unwrap());

    // No close, no flush: the handle is still open, as after a kill. Twice, since opening rewrites.
    for _ in 0..2 {
        let again = open(&path);
        assert_eq!(again.aws.users(), world.aws.users());
        assert_eq!(again.aws.group("g"), world.aws.group("g"));
        again.iam().get_policy().policy_arn(&arn).send().await.unwrap();
        again.sts_as(key.clone()).get_caller_identity().send().await.unwrap();
        again.sts_as(session.clone()).get_caller_identity().send().await.unwrap();
        let dead = again.sts_as(dead.clone()).get_caller_identity().send().await;
        assert_eq!(refusal(dead), "403 InvalidClientTokenId");
    }
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_torn_last_line_is_left_out_and_a_damaged_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aws.jsonl");
    let world = open(&path);
    world.aws.create_user("a", "/", &[]).unwrap();
    let whole = fs::read(&path).unwrap();
    world.aws.create_user("b", "/", &[]).unwrap();
    let more = fs::read(&path).unwrap();
    // A power cut may leave any part of the last line.
    for length in whole.len()..more.len() {
        fs::write(&path, &more[..length]).unwrap();
        let names: Vec<_> = open(&path).aws.users().into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["a"], "{length}");
    }
    let text = String::from_utf8(more).unwrap().replacen("\"put\"", "\"putt\"", 1);
    fs::write(&path, text).unwrap();
    let now = Arc::new(AtomicU64::new(START));
    let error = EmbeddedAws::open(Some(path), options(&now)).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { line: 2, .. }), "{error}");
}

#[tokio::test]
async fn the_journal_is_compacted_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aws.jsonl");
    let world = open(&path);
    world.aws.create_user("a", "/", &[]).unwrap();
    for n in 0..50 {
        let tag = [
            ("UserName", "a"),
            ("Tags.member.1.Key", "n"),
            ("Tags.member.1.Value", &n.to_string()),
        ];
        world.aws.call("TagUser", &tag).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 53);
    let again = open(&path);
    assert_eq!(again.aws.user("a").unwrap().tags["n"], "49");
    // The header, the administrator, the user.
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(files.len(), 1);
}
