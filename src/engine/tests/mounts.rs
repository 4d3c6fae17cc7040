//! Mounts over their life, and what a restart finds.

use std::sync::Arc;

use embedded_aws::faults::Fault;

use super::support::{Bench, NARROW, World, iam_user, new_aws, role};
use crate::engine::config::RootConfigChange;
use crate::engine::issue::IssueError;
use crate::engine::mounts::{MountError, TuneChange, TuneFields};
use crate::engine::roles::RoleError;
use crate::gate::Mode;
use crate::model::{MountState, SecretAccessKey};

#[tokio::test]
async fn paths_are_taken_both_ways() {
    let bench = World::new().start(Mode::Warn).await;
    bench.enable("team/aws").await;
    for path in ["team/aws", "team", "team/aws/prod"] {
        let error = bench.engine.enable_mount(path, new_aws()).await.unwrap_err();
        assert_eq!(error.to_string(), "path is already in use at team/aws/", "{path}");
    }
    let error = bench.engine.enable_mount("sys/x", new_aws()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot mount \"sys/x/\"");
    bench.enable("aws").await;
    let paths: Vec<String> = bench.engine.mounts().iter().map(|m| m.path.to_string()).collect();
    assert_eq!(paths, ["aws/", "team/aws/"]);
    let (mount, rest) = bench.engine.route("team/aws/roles/x").unwrap();
    assert_eq!((mount.path.as_str(), rest.as_str()), ("team/aws/", "roles/x"));
}

#[tokio::test]
async fn tuning_is_kept_over_a_restart() {
    let world = World::new();
    let bench = world.start(Mode::Warn).await;
    bench.enable("aws").await;
    let change = TuneChange {
        description: Some("for tests".into()),
        fields: TuneFields { max_lease_ttl: Some("1h".into()), ..TuneFields::default() },
        ..TuneChange::default()
    };
    bench.engine.tune_mount("aws", change).await.unwrap();

    let again = world.start(Mode::Warn).await;

    let mount = again.mount();
    assert_eq!(mount.description, "for tests");
    let tuned = again.engine.effective_tuning(&mount);
    assert_eq!((tuned.default_lease_ttl, tuned.max_lease_ttl), (3600, 3600));
    let missing = again.engine.tune_mount("nope", TuneChange::default()).await.unwrap_err();
    assert_eq!(missing.to_string(), "tune of path \"nope/\" failed: no mount entry found");
}

#[tokio::test]
async fn disabling_removes_every_user_before_it_returns() {
    let bench = Bench::with_mount(Mode::Enforce).await;
    bench.write("r", iam_user(NARROW)).await.unwrap();
    bench.issue("r").await.unwrap();
    bench.issue("r").await.unwrap();
    assert_eq!(bench.world.users().len(), 2);

    bench.engine.disable_mount("aws").await.unwrap();

    assert!(bench.world.users().is_empty());
    assert!(bench.engine.mount("aws").is_none());
    bench.engine.disable_mount("aws").await.unwrap();
    bench.enable("aws").await;
    assert_eq!(bench.engine.list_roles(&bench.mount()).await.unwrap(), []);
    assert!(bench.engine.read_root_config(&bench.mount()).await.unwrap().is_none());
    let error = bench.engine.disable_mount("sys").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot unmount \"sys/\"");
    bench.settle().await;
    assert_eq!(bench.world.unfinished().await, []);
}

#[tokio::test]
async fn a_mount_whose_users_cannot_be_removed_stays_tainted_until_they_can() {
    let bench = Bench::with_mount(Mode::Enforce).await;
    bench.write("r", iam_user(NARROW)).await.unwrap();
    let lease = bench.issue("r").await.unwrap().lease;
    let old = bench.mount();
    bench.world.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));

    let error = bench.engine.disable_mount("aws").await.unwrap_err();

    let text = error.to_string();
    assert!(text.starts_with(&format!("failed to revoke \"{lease}\" (1 / 1): ")), "{text}");
    assert_eq!(bench.mount().state, MountState::Tainted);
    let refused = bench.issue("r").await.unwrap_err();
    assert!(matches!(refused, IssueError::NotServing(_)), "{refused:?}");
    let written = bench.engine.write_role(&bench.root, &old, &role("s"), iam_user(NARROW)).await;
    assert!(matches!(written, Err(RoleError::NotServing(_))), "{written:?}");
    let taken = bench.engine.enable_mount("aws", new_aws()).await.unwrap_err();
    assert!(matches!(taken, MountError::PathInUse(_)), "{taken:?}");

    let again = bench.world.start(Mode::Enforce).await;
    assert_eq!(again.mount().state, MountState::Tainted);
    bench.world.faults.heal();
    again.engine.disable_mount("aws").await.unwrap();
    assert!(bench.world.users().is_empty());
    assert!(again.engine.mount("aws").is_none());
}

#[tokio::test]
async fn disabling_waits_for_an_issue_that_is_under_way() {
    let bench = Arc::new(Bench::with_mount(Mode::Enforce).await);
    bench.write("r", iam_user(NARROW)).await.unwrap();
    let gate = bench.world.faults.hold_next("CreateAccessKey");
    let issuing = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.issue("r").await }
    });
    gate.arrived().await;

    let disabling = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.engine.disable_mount("aws").await }
    });
    while bench.mount().state == MountState::Active {
        tokio::task::yield_now().await;
    }
    assert!(matches!(bench.issue("r").await, Err(IssueError::NotServing(_))));
    assert!(!disabling.is_finished());
    gate.release();

    assert!(issuing.await.unwrap().is_ok());
    disabling.await.unwrap().unwrap();
    assert!(bench.world.users().is_empty());
}

#[tokio::test]
async fn a_secret_key_is_stored_sealed_and_bound_again_at_start() {
    let world = World::new();
    let bench = world.start(Mode::Enforce).await;
    bench.enable("aws").await;
    let change = RootConfigChange {
        access_key: Some("AKIAROOT".into()),
        secret_key: Some(SecretAccessKey::new("canary-of-the-root-key")),
        ..RootConfigChange::default()
    };
    bench.engine.write_root_config(&bench.mount(), change).await.unwrap();
    let later = RootConfigChange { region: Some("eu-west-1".into()), ..Default::default() };
    bench.engine.write_root_config(&bench.mount(), later).await.unwrap();

    let again = world.start(Mode::Enforce).await;

    let stored = again.engine.read_root_config(&again.mount()).await.unwrap().unwrap();
    let sealed = stored.sealed_secret_key.unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("canary"));
    assert_eq!((stored.access_key.as_str(), stored.region.as_str()), ("AKIAROOT", "eu-west-1"));
    assert_eq!(stored.max_retries, -1);
    again.write("r", iam_user(NARROW)).await.unwrap();
    again.issue("r").await.unwrap();
    assert_eq!(world.users().len(), 1);
}
