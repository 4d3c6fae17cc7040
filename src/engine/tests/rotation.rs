//! What a rotation does when AWS does not take the new key, when somebody else is faster, and when AWS leaves
//! open what it did. The crash matrix is in the integration tests.

use std::time::Duration;

use embedded_aws::faults::Fault;

use super::support::{Bench, role};
use crate::engine::config::RootConfigChange;
use crate::engine::static_roles::StaticRoleChange;
use crate::gate::Mode;
use crate::model::{KeyStep, SecretAccessKey};
use crate::store::RotationStore as _;

const ADMIN: &str = "account-admin";

/// An engine whose root key was made here.
async fn bench() -> Bench {
    let bench = Bench::with_mount(Mode::Warn).await;
    write_key(&bench, "AKIATESTTESTTESTTEST").await;
    bench.engine.rotate_root(&bench.mount()).await.unwrap();
    bench.world.faults.clear_calls();
    bench
}

async fn write_key(bench: &Bench, key: &str) {
    let change = RootConfigChange {
        access_key: Some(key.into()),
        secret_key: Some(SecretAccessKey::new("s")),
        ..RootConfigChange::default()
    };
    bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
}

async fn stored_key(bench: &Bench) -> String {
    bench.engine.read_root_config(&bench.mount()).await.unwrap().unwrap().access_key
}

fn keys(bench: &Bench, user: &str) -> Vec<String> {
    let keys = bench.world.aws.user(user).unwrap().keys;
    keys.into_iter().map(|key| key.access_key_id).collect()
}

fn count(bench: &Bench, action: &str) -> usize {
    bench.world.faults.actions().iter().filter(|seen| *seen == action).count()
}

async fn jane(bench: &Bench) {
    bench.world.aws.create_user("jane", "/", &[]).unwrap();
    let change = StaticRoleChange {
        username: Some("jane".into()),
        rotation_period: Some(86_400),
        ..StaticRoleChange::default()
    };
    bench.engine.write_static_role(&bench.mount(), &role("r"), change).await.unwrap();
    bench.world.faults.clear_calls();
}

#[tokio::test(start_paused = true)]
async fn a_new_root_key_that_aws_never_takes_is_removed_and_the_old_one_stays() {
    let bench = bench().await;
    let old = stored_key(&bench).await;
    bench.world.faults.fail_every("GetCallerIdentity", Fault::refuse(403, "InvalidClientTokenId"));
    let error = bench.engine.rotate_root(&bench.mount()).await.unwrap_err().to_string();
    assert!(error.contains("was not accepted by AWS: InvalidClientTokenId"), "{error}");
    assert!(error.contains("help: it is removed, and the old key stays in use"), "{error}");
    assert_eq!(count(&bench, "GetCallerIdentity"), 10, "it was given its time");
    assert_eq!((stored_key(&bench).await, keys(&bench, ADMIN)), (old.clone(), vec![old]));
    let status = bench.engine.root_status(&bench.mount()).await.unwrap().unwrap();
    assert_eq!((status.change, status.progress.attempts), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_is_refused_for_good_is_not_repeated() {
    let bench = bench().await;
    bench.world.faults.fail_next("GetCallerIdentity", Fault::refuse(403, "AccessDenied"));
    bench.engine.rotate_root(&bench.mount()).await.unwrap_err();
    assert_eq!(count(&bench, "GetCallerIdentity"), 1);
    assert_eq!(keys(&bench, ADMIN), [stored_key(&bench).await]);
}

#[tokio::test]
async fn a_key_that_is_written_during_a_rotation_stays_in_use() {
    let bench = bench().await;
    let before = keys(&bench, ADMIN);
    let gate = bench.world.faults.hold_next("GetCallerIdentity");
    let (engine, mount) = (std::sync::Arc::clone(&bench.engine), bench.mount());
    let rotating = tokio::spawn(async move { engine.rotate_root(&mount).await });
    gate.arrived().await;
    write_key(&bench, "AKIAOPERATOROPERATOR").await;
    gate.release();
    let error = rotating.await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("config/root was written with another key"), "{error}");
    assert_eq!(stored_key(&bench).await, "AKIAOPERATOROPERATOR");
    assert_eq!(
        keys(&bench, ADMIN),
        before,
        "the new key removed itself, the old one is not ours now"
    );
}

#[tokio::test]
async fn two_rotations_at_once_are_two_in_a_row() {
    let bench = bench().await;
    let mount = bench.mount();
    let (first, second) =
        tokio::join!(bench.engine.rotate_root(&mount), bench.engine.rotate_root(&mount));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first, second);
    let stored = stored_key(&bench).await;
    assert!([first.as_str(), second.as_str()].contains(&stored.as_str()));
    assert_eq!(keys(&bench, ADMIN), [stored]);
}

#[tokio::test]
async fn a_key_that_shows_late_is_found_after_the_next_rotation() {
    let bench = bench().await;
    jane(&bench).await;
    bench.world.faults.fail_next("CreateAccessKey", Fault::TimeoutAfter);
    // The look that follows at once does not see it.
    bench.world.faults.fail_nth("ListAccessKeys", 2, Fault::refuse(403, "AccessDenied"));
    let rotate = || async { bench.engine.rotate_static_role(&bench.mount(), &role("r")).await };
    let error = rotate().await.unwrap_err().to_string();
    assert!(error.contains("is looked for and removed in the background"), "{error}");
    assert_eq!(keys(&bench, "jane").len(), 2);
    let new = rotate().await.unwrap();
    assert_eq!(keys(&bench, "jane"), [new.to_string()]);
}

#[tokio::test]
async fn a_key_that_somebody_makes_later_is_not_taken_for_ours() {
    let bench = bench().await;
    jane(&bench).await;
    bench.world.faults.fail_next("CreateAccessKey", Fault::TimeoutBefore);
    bench.engine.rotate_static_role(&bench.mount(), &role("r")).await.unwrap_err();
    let stored =
        bench.world.store.static_role(&bench.mount().id, &role("r")).await.unwrap().unwrap();
    assert_eq!(stored.change.unwrap().step, KeyStep::Creating, "it may show yet");
    let ours = keys(&bench, "jane");
    bench.world.clock.advance(Duration::from_mins(20));
    bench.world.aws.call("CreateAccessKey", &[("UserName", "jane")]).unwrap();
    bench.engine.rotate_due().await.unwrap();
    assert_eq!((ours.len(), keys(&bench, "jane").len()), (1, 2));
    let stored =
        bench.world.store.static_role(&bench.mount().id, &role("r")).await.unwrap().unwrap();
    assert_eq!(stored.change, None, "and nothing is looked for any more");
    assert_eq!(stored.access_key.unwrap().as_str(), ours[0]);
}

#[tokio::test]
async fn a_deletion_after_an_unclear_creation_waits_until_the_key_would_show() {
    let bench = bench().await;
    jane(&bench).await;
    bench.world.faults.fail_next("CreateAccessKey", Fault::TimeoutBefore);
    bench.engine.rotate_static_role(&bench.mount(), &role("r")).await.unwrap_err();
    bench.engine.delete_static_role(&bench.mount(), &role("r")).await.unwrap();
    assert_eq!(keys(&bench, "jane"), Vec::<String>::new());
    assert!(bench.engine.read_static_role(&bench.mount(), &role("r")).await.unwrap().is_none());
    let again = StaticRoleChange {
        username: Some("jane".into()),
        rotation_period: Some(86_400),
        ..StaticRoleChange::default()
    };
    let (mount, name) = (bench.mount(), role("r"));
    let write = || bench.engine.write_static_role(&mount, &name, again.clone());
    let error = write().await.unwrap_err().to_string();
    assert!(error.starts_with("static role `r` was deleted, and a key"), "{error}");
    // Only now does it show.
    bench.world.aws.call("CreateAccessKey", &[("UserName", "jane")]).unwrap();
    bench.world.clock.advance(Duration::from_mins(5));
    bench.engine.rotate_due().await.unwrap();
    assert_eq!(keys(&bench, "jane"), Vec::<String>::new());
    write().await.unwrap();
    assert_eq!(keys(&bench, "jane").len(), 1);
}

#[tokio::test]
async fn a_key_that_is_looked_for_does_not_hold_up_what_is_due() {
    let bench = bench().await;
    jane(&bench).await;
    let change = RootConfigChange { rotation_period: Some(86_400), ..RootConfigChange::default() };
    bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
    let before = (stored_key(&bench).await, keys(&bench, "jane"));
    bench.world.clock.advance(Duration::from_hours(24));
    bench.world.faults.fail_every("CreateAccessKey", Fault::ServerErrorBefore(500));
    bench.engine.rotate_due().await.unwrap();
    assert_eq!(count(&bench, "CreateAccessKey"), 2);
    bench.world.faults.heal();
    bench.engine.rotate_due().await.unwrap();
    assert_eq!(
        (stored_key(&bench).await, keys(&bench, "jane")),
        before,
        "not before the wait is over"
    );
    bench.world.clock.advance(Duration::from_secs(10));
    bench.engine.rotate_due().await.unwrap();
    assert_ne!(stored_key(&bench).await, before.0);
    assert_ne!(keys(&bench, "jane"), before.1);
    assert_eq!((keys(&bench, ADMIN).len(), keys(&bench, "jane").len()), (1, 1));
    assert!(bench.world.store.unfinished_root_rotations().await.unwrap().is_empty());
}

/// The bug: a key that somebody wrote to `config/root` while a lost one was looked for was as young as that one.
#[tokio::test]
async fn a_key_that_somebody_writes_while_a_lost_one_is_looked_for_is_not_taken_for_it() {
    let bench = bench().await;
    bench.world.faults.fail_next("CreateAccessKey", Fault::TimeoutBefore);
    bench.engine.rotate_root(&bench.mount()).await.unwrap_err();
    let before = keys(&bench, ADMIN);
    bench.world.aws.call("CreateAccessKey", &[("UserName", ADMIN)]).unwrap();
    let by_hand = keys(&bench, ADMIN).into_iter().find(|key| !before.contains(key)).unwrap();
    write_key(&bench, &by_hand).await;
    bench.world.clock.advance(Duration::from_mins(1));
    bench.engine.rotate_due().await.unwrap();
    assert!(keys(&bench, ADMIN).contains(&by_hand), "config/root holds it");
    assert_eq!(stored_key(&bench).await, by_hand);
}

/// The bug: an old key whose removal had failed was removed later although `config/root` had been given it again.
#[tokio::test]
async fn an_old_key_that_is_written_again_is_not_removed() {
    let bench = bench().await;
    let old = stored_key(&bench).await;
    bench.world.faults.fail_every("DeleteAccessKey", Fault::refuse(403, "AccessDenied"));
    bench.engine.rotate_root(&bench.mount()).await.unwrap_err();
    assert_ne!(stored_key(&bench).await, old);
    write_key(&bench, &old).await;
    bench.world.faults.heal();
    bench.world.clock.advance(Duration::from_mins(20));
    bench.engine.rotate_due().await.unwrap();
    assert!(keys(&bench, ADMIN).contains(&old));
    assert!(bench.world.store.unfinished_root_rotations().await.unwrap().is_empty());
}
