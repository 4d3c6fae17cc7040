//! Jobs over their lives: pages, crashes, pauses, two at once, newcomers, accounts beside one another, and a storm
//! under throttling. Most leases are sessions, which end without a call; where AWS counts, they are users.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use embedded_aws::faults::{Decision, Fault, Gate};

use tokio::sync::watch;

use super::*;
use crate::aws::AccountSettings;
use crate::aws::testing::{BROKER, TestAws, name};
use crate::leases::tests::{Fixture, id, leases, mount, new_lease, token};
use crate::leases::{Leases, NewLease};
use crate::model::{
    Accessor, CredentialType, EndReason, FailureClass, Mount, MountId, Origin, TeardownProgress,
    Timestamp,
};
use crate::store::faulty::{Fault as Spoilt, FaultyStore, Moment as At};
use crate::store::sqlite::Sqlite;
use crate::store::{LeaseQuery, Show, Store};

/// More than two pages.
const MANY: u32 = 600;

fn numbered(role: &str, number: u32) -> LeaseId {
    format!("aws/creds/{role}/{number:024}").parse().unwrap()
}

/// Sessions `aws/creds/<role>/<number>`, good for an hour.
async fn sessions(it: &Fixture, role: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let id = numbered(role, number);
        let new = NewLease {
            role: role.parse().unwrap(),
            ..new_lease(&it.test, id, None, CredentialType::AssumedRole)
        };
        activated(&it.leases, new, it.now()).await;
    }
}

async fn activated(leases: &Leases, new: NewLease, now: Timestamp) {
    let lease = leases.begin(new).await.unwrap();
    let ends = now.after(Duration::from_hours(1));
    leases.activate(lease, "ASIA1".parse().unwrap(), ends).await.unwrap();
}

/// A user made behind the broker's back, as its lease says: quicker than through it.
async fn users(it: &Fixture, mount: &MountId, role: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let id = numbered(role, number);
        let user = format!("{role}-{number}");
        let tags = [("leasehold:broker", BROKER), ("leasehold:lease", id.tag().as_str())]
            .map(|(key, value)| (key, value.to_owned()));
        let tags: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (*k, v.as_str())).collect();
        it.test.aws.create_user(&user, "/", &tags).unwrap();
        it.test.aws.call("CreateAccessKey", &[("UserName", &user)]).unwrap();
        let key = it.test.aws.user(&user).unwrap().keys[0].access_key_id.clone();
        let new = NewLease {
            mount: mount.clone(),
            ..new_lease(&it.test, id, Some(name(&user)), CredentialType::IamUser)
        };
        let lease = it.leases.begin(new).await.unwrap();
        let ends = it.now().after(Duration::from_hours(1));
        it.leases.activate(lease, key.parse().unwrap(), ends).await.unwrap();
    }
}

async fn unfinished(store: &dyn Store, prefix: &str) -> usize {
    let query = LeaseQuery { prefix, after: None, limit: 10_000, show: Show::Unfinished };
    store.lease_ids(query).await.unwrap().len()
}

async fn progress_of(it: &Fixture, id: &LeaseId) -> TeardownProgress {
    let lease = it.store.lease(id).await.unwrap().unwrap();
    it.progress(&lease).await
}

fn prefix(text: &str) -> JobScope {
    JobScope::Prefix(text.to_owned())
}

#[tokio::test]
async fn a_job_takes_what_was_there_before_it_and_nothing_younger() {
    let it = Fixture::new().await;
    sessions(&it, "r", 100..110).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/creds/r/")).await.unwrap();
    // Ids before, between and behind those of the job.
    sessions(&it, "r", 0..3).await;
    sessions(&it, "r", 200..203).await;
    it.after(0).await;
    let view = it.leases.job(&job).await.unwrap();
    assert_eq!((view.job.state, view.job.marked, view.progress.removed), (JobState::Done, 10, 10));
    assert_eq!(view.job.finished_at, Some(it.now()));
    assert_eq!(unfinished(&*it.store, "aws/").await, 6);
    assert!(it.leases.get(&numbered("r", 1)).await.unwrap().is_some());
}

#[tokio::test]
async fn whatever_write_of_a_job_fails_it_goes_on_from_there_and_marks_nothing_twice() {
    for (nth, at) in (1..=5).flat_map(|nth| [(nth, At::BeforeCommit), (nth, At::AfterCommit)]) {
        let mut it = Fixture::new().await;
        sessions(&it, "r", 0..MANY).await;
        let faulty = FaultyStore::new(Arc::clone(&it.store));
        it.store = Arc::<FaultyStore<dyn Store>>::clone(&faulty);
        it = it.restarted();
        faulty.spoil(nth, Spoilt::PowerLoss(at));
        let begun = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await;
        drop(it.leases.drive_jobs().await);
        assert!(faulty.is_dark() || nth > 4, "{nth}");
        faulty.power_on();
        it = it.restarted();
        if let (Err(_), At::BeforeCommit) = (&begun, at) {
            assert_eq!(it.leases.jobs().await.unwrap(), [], "nothing was promised");
            assert_eq!(unfinished(&*it.store, "aws/").await, 600);
            continue;
        }
        it.after(0).await;
        let jobs = it.leases.jobs().await.unwrap();
        assert_eq!((jobs.len(), jobs[0].state, jobs[0].marked), (1, JobState::Done, 600), "{nth}");
        assert_eq!(unfinished(&*it.store, "aws/").await, 0);
        let row = it.store.lease(&numbered("r", 300)).await.unwrap().unwrap();
        assert_eq!(row.revision, 4, "begun, activated, marked, ended: each once");
    }
}

#[tokio::test]
async fn a_paused_job_marks_no_more_and_holds_what_is_not_yet_tried_until_it_is_resumed() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..MANY).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    assert!(it.leases.mark_page(&job, JobKind::Revoke).await.unwrap());
    it.leases.pause_job(&job).await.unwrap();
    it.leases.pause_job(&job).await.unwrap();

    let it = it.restarted();
    // Nor is it taken for what a clock that was set back puts off, the longest wait of that being 15 minutes.
    it.leases.pick_up().await.unwrap();
    assert_eq!(it.after(1000).await, 0);
    let view = it.leases.job(&job).await.unwrap();
    assert_eq!(
        (view.job.state, view.job.marked, view.job.all_marked),
        (JobState::Paused, 256, false)
    );
    assert_eq!((view.progress.waiting, view.progress.removed), (256, 0));
    assert!(it.leases.get(&numbered("r", 599)).await.unwrap().is_some());

    it.leases.resume_job(&job).await.unwrap();
    assert_eq!(it.after(0).await, 600);
    assert_eq!(unfinished(&*it.store, "aws/").await, 0);
    let done = it.leases.pause_job(&job).await.unwrap_err();
    assert_eq!(done.to_string(), format!("job `{}` is done", job.0));
    let none = it.leases.resume_job(&JobId("x".to_owned())).await;
    assert!(matches!(none, Err(JobError::Unknown(_))));
}

#[tokio::test]
async fn a_pause_lets_no_credential_live_longer_than_without_the_job() {
    let it = Fixture::new().await;
    users(&it, &it.test.mount, "r", 0..3).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    it.leases.mark_page(&job, JobKind::Revoke).await.unwrap();
    it.leases.pause_job(&job).await.unwrap();
    assert_eq!(it.after(3599).await, 0);
    assert_eq!(it.users().len(), 3);
    assert_eq!(it.after(1).await, 3);
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn a_pass_that_is_under_way_comes_to_its_end_when_its_job_is_paused() {
    let it = Fixture::new().await;
    users(&it, &it.test.mount, "r", 0..20).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    it.leases.mark_page(&job, JobKind::Revoke).await.unwrap();
    let gate = Gate::new();
    it.test.faults.fail_every("DeleteUser", Fault::Hold(gate.clone()));
    let (stop, stopped) = watch::channel(false);
    let reaper = tokio::spawn(Arc::clone(&it.leases).run(stopped));
    gate.arrived().await;
    let current = it.leases.job(&job).await.unwrap().current;
    assert!(!current.is_empty(), "what is worked on is told");
    it.leases.pause_job(&job).await.unwrap();
    while it.leases.claims.count() > 0 {
        gate.release();
        tokio::task::yield_now().await;
    }
    assert_eq!(it.users().len(), 4, "sixteen were under way");
    it.test.faults.heal();
    let view = it.leases.job(&job).await.unwrap();
    assert_eq!(view.progress.removed + view.progress.waiting, 20, "{view:?}");
    it.leases.resume_job(&job).await.unwrap();
    while !it.users().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    reaper.await.unwrap();
}

#[tokio::test]
async fn of_two_jobs_over_the_same_leases_a_paused_one_does_not_hold_the_other() {
    let it = Fixture::new().await;
    users(&it, &it.test.mount, "r", 0..4).await;
    users(&it, &it.test.mount, "s", 4..6).await;
    let wide = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    let narrow = it.leases.begin_job(JobKind::Revoke, prefix("aws/creds/r/")).await.unwrap();
    for job in [&wide, &narrow] {
        it.leases.mark_page(job, JobKind::Revoke).await.unwrap();
    }
    it.leases.pause_job(&wide).await.unwrap();
    assert_eq!(it.after(1).await, 4);
    assert_eq!(it.users(), ["s-4", "s-5"]);
    assert_eq!(it.leases.job(&narrow).await.unwrap().job.state, JobState::Done);
    let view = it.leases.job(&wide).await.unwrap();
    assert_eq!((view.progress.removed, view.progress.waiting), (4, 2));
    it.leases.resume_job(&wide).await.unwrap();
    it.after(0).await;
    assert_eq!(it.users(), Vec::<String>::new());
    assert_eq!(it.leases.job(&wide).await.unwrap().job.state, JobState::Done);
    let deletions = it.test.faults.actions().iter().filter(|a| *a == "DeleteUser").count();
    assert_eq!(deletions, 6, "no lease is taken down twice");
}

#[tokio::test]
async fn a_forgotten_job_leaves_alive_what_it_has_not_marked_and_lets_go_of_the_rest() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..MANY).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    it.leases.mark_page(&job, JobKind::Revoke).await.unwrap();
    it.leases.pause_job(&job).await.unwrap();
    it.leases.forget_job(&job).await.unwrap();
    it.leases.forget_job(&job).await.unwrap();
    assert!(matches!(it.leases.job(&job).await, Err(JobError::Unknown(_))));
    assert_eq!(it.after(0).await, 256);
    assert_eq!(unfinished(&*it.store, "aws/").await, 344);
}

#[tokio::test]
async fn who_waits_hears_the_first_failure_and_the_job_goes_on() {
    let it = Fixture::new().await;
    users(&it, &it.test.mount, "r", 0..5).await;
    it.test.faults.on_call(Box::new(|call| {
        let doomed = call.action == "DeleteUser"
            && ["r-1", "r-3"].contains(&call.parameters["UserName"].as_str());
        if doomed { Decision::Fault(Fault::refuse(403, "AccessDenied")) } else { Decision::Pass }
    }));
    let error = it.leases.revoke_prefix("aws/creds").await.unwrap_err();
    assert_eq!((error.lease, error.position), (Some(numbered("r", 1)), Some((2, 5))));
    assert_eq!(it.users(), ["r-1", "r-3"]);
    let job = it.leases.jobs().await.unwrap().remove(0).id;
    let view = it.leases.job(&job).await.unwrap();
    assert_eq!(view.job.state, JobState::Running);
    assert_eq!((view.progress.contained, view.progress.removed, view.progress.waiting), (5, 3, 0));
    assert_eq!(view.progress.failing, [(FailureClass::AccessDenied, 2)]);
    it.test.faults.heal();
    it.after(10).await;
    assert_eq!(it.leases.job(&job).await.unwrap().job.state, JobState::Done);
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn who_waits_is_told_when_the_job_is_paused_deleted_or_the_server_stops() {
    for how in ["is paused", "was deleted", "goes on when"] {
        let it = Fixture::new().await;
        users(&it, &it.test.mount, "r", 0..3).await;
        let gate = it.test.faults.hold_next("DeleteUser");
        let waiting = tokio::spawn({
            let leases = Arc::clone(&it.leases);
            async move { leases.revoke_prefix("aws").await }
        });
        gate.arrived().await;
        let job = it.leases.jobs().await.unwrap().remove(0).id;
        match how {
            "is paused" => it.leases.pause_job(&job).await.unwrap(),
            "was deleted" => it.leases.forget_job(&job).await.unwrap(),
            _ => it.leases.let_waiters_go(),
        }
        gate.release();
        let error = waiting.await.unwrap().unwrap_err();
        assert!(error.message.starts_with(&format!("job `{}` {how}", job.0)), "{error}");
    }
}

#[tokio::test]
async fn a_lease_that_failed_before_is_tried_again_at_once_and_only_once() {
    let it = Fixture::new().await;
    users(&it, &it.test.mount, "r", 0..1).await;
    it.test.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    for attempts in 1..4 {
        it.leases.revoke_prefix("aws").await.unwrap_err();
        assert_eq!(progress_of(&it, &numbered("r", 0)).await.attempts, attempts);
    }
    assert_eq!(it.leases.jobs().await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_no_answer_for_who_waits() {
    let it = Fixture::over(TestAws::with(-1, Duration::ZERO)).await;
    users(&it, &it.test.mount, "r", 0..12).await;
    let count = AtomicU32::new(0);
    it.test.faults.on_call(Box::new(move |_| {
        let fourth = count.fetch_add(1, Ordering::SeqCst).is_multiple_of(4);
        if fourth { Decision::Fault(Fault::Throttle) } else { Decision::Pass }
    }));
    it.leases.revoke_prefix("aws").await.unwrap();
    assert_eq!(it.users(), Vec::<String>::new());
}

/// Another account, whose mount is at `other/`.
async fn another_account(it: &Fixture) -> MountId {
    let id = MountId("n".to_owned());
    let other = Mount { path: "other/".parse().unwrap(), ..mount(&id) };
    it.store.put_mount(&other).await.unwrap();
    let settings = AccountSettings {
        access_key: "AKIAANOTHERACCOUNT00".to_owned(),
        secret_key: Some(crate::model::SecretAccessKey::new("made-up")),
        max_retries: 0,
        ..AccountSettings::default()
    };
    it.test.accounts.bind(&id, settings);
    id
}

#[tokio::test]
async fn an_account_whose_aws_is_silent_holds_no_other_account_up() {
    let it = Fixture::new().await;
    users(&it, &it.test.mount, "r", 0..100).await;
    let other = another_account(&it).await;
    users(&it, &other, "s", 0..20).await;
    it.test.faults.on_call(Box::new(|call| {
        let silent = call.parameters.get("UserName").is_some_and(|user| user.starts_with("r-"));
        if silent { Decision::Fault(Fault::SilentBefore) } else { Decision::Pass }
    }));
    // The silent account's are the longer due ones.
    for role in ["r", "s"] {
        let scope = prefix(&format!("aws/creds/{role}/"));
        let job = it.leases.begin_job(JobKind::Revoke, scope).await.unwrap();
        it.leases.mark_all(&job, JobKind::Revoke).await.unwrap();
        it.test.clock.advance(Duration::from_secs(1));
    }
    let (_stop, stopped) = watch::channel(false);
    let reaper = tokio::spawn(Arc::clone(&it.leases).run(stopped));
    while it.users().iter().any(|user| user.starts_with("s-")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(it.users().len(), 100);
    assert!(it.leases.claims.count() <= 17, "an account has its own slots and no more");
    reaper.abort();
}

#[tokio::test]
async fn a_query_takes_what_fits_all_of_it() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..3).await;
    sessions(&it, "role_2", 3..5).await;
    let special = NewLease {
        holder: Accessor("b".repeat(24)),
        role_version: 7,
        verdict: "AB".repeat(32).to_ascii_lowercase(),
        origin: Origin {
            caller: "token-ci".to_owned(),
            source: Some("10.1.2.3".parse().unwrap()),
            policy_digest: "cd".repeat(32),
        },
        ..new_lease(&it.test, id("r", 'x'), Some(name("u-x")), CredentialType::AssumedRole)
    };
    activated(&it.leases, special, it.now()).await;
    let text = |text: &str| Some(text.to_owned());
    let all = LeaseFilter::default;
    let one = [
        LeaseFilter { caller: text("token-ci"), ..all() },
        LeaseFilter { accessor: Some(Accessor("b".repeat(24))), ..all() },
        LeaseFilter { role_version: Some(7), ..all() },
        LeaseFilter { policy_digest: Some("CD".repeat(32)), ..all() },
        LeaseFilter { verdict: Some("ab".repeat(32)), ..all() },
        LeaseFilter { source: Some("10.1.2.3".parse().unwrap()), ..all() },
        LeaseFilter { user: text("u-x"), ..all() },
    ];
    let fits = async |filter: &LeaseFilter| {
        it.store.has_leases(&JobScope::Filter(Box::new(filter.clone()))).await.unwrap()
    };
    for filter in &one {
        assert!(fits(filter).await, "{filter:?}");
        assert!(
            !fits(&LeaseFilter { role: "role_2".parse().ok(), ..filter.clone() }).await,
            "{filter:?}"
        );
    }
    for (filter, found) in [
        (LeaseFilter { access_key: text("ASIA1"), ..all() }, true),
        (LeaseFilter { access_key: text("ASIA2"), ..all() }, false),
        (LeaseFilter { mount: Some(it.test.mount.clone()), ..all() }, true),
        (LeaseFilter { mount: Some(MountId("aws2".to_owned())), ..all() }, false),
        (LeaseFilter { role: "role_".parse().ok(), ..all() }, false),
        (LeaseFilter { role: "roleX2".parse().ok(), ..all() }, false),
        (LeaseFilter { account: text("123456789012"), ..all() }, false),
        (LeaseFilter { user_id: text("AIDA"), ..all() }, false),
    ] {
        assert_eq!(fits(&filter).await, found, "{filter:?}");
    }
    let nothing = it.leases.revoke_query(all()).await.unwrap_err();
    assert!(matches!(nothing, JobError::EmptyQuery));
    let job =
        it.leases.revoke_query(LeaseFilter { role: "role_2".parse().ok(), ..all() }).await.unwrap();
    it.after(0).await;
    let view = it.leases.job(&job).await.unwrap();
    assert_eq!((view.job.state, view.job.marked), (JobState::Done, 2));
    assert_eq!(unfinished(&*it.store, "aws/").await, 4);
}

#[tokio::test]
async fn a_job_over_a_mount_means_that_mount_wherever_it_is_moved_meanwhile() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..MANY).await;
    let filter = LeaseFilter { mount: Some(it.test.mount.clone()), ..LeaseFilter::default() };
    let job = it.leases.revoke_query(filter).await.unwrap();
    it.leases.pause_job(&job).await.unwrap();
    let moved = Mount { path: "moved/".parse().unwrap(), ..mount(&it.test.mount) };
    it.store.put_mount(&moved).await.unwrap();
    it.store.put_mount(&mount(&MountId("n".to_owned()))).await.unwrap();
    it.leases.resume_job(&job).await.unwrap();
    it.after(0).await;
    let view = it.leases.job(&job).await.unwrap();
    assert_eq!((view.job.state, view.job.marked), (JobState::Done, u64::from(MANY)));
    assert_eq!(unfinished(&*it.store, "aws/").await, 0);
}

#[tokio::test]
async fn a_query_that_fits_few_of_many_leases_finds_them_behind_the_first_rows() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..3).await;
    sessions(&it, "last", 3..4).await;
    let scope = JobScope::Filter(Box::new(LeaseFilter {
        role: "last".parse().ok(),
        ..LeaseFilter::default()
    }));
    assert!(it.store.has_leases(&scope).await.unwrap());
    let job = it.leases.begin_job(JobKind::Revoke, scope).await.unwrap();
    it.after(0).await;
    assert_eq!(it.leases.job(&job).await.unwrap().job.marked, 1);
}

#[tokio::test]
async fn a_job_of_a_restored_database_marks_nothing_before_somebody_said_a_word() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..MANY).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    it.leases.pause();
    assert!(it.leases.drive_jobs().await.unwrap(), "it is looked at again");
    assert_eq!(it.leases.job(&job).await.unwrap().job.marked, 0);
    assert!(it.leases.get(&numbered("r", 1)).await.unwrap().is_some());
    it.leases.resume();
    it.after(0).await;
    assert_eq!(it.leases.job(&job).await.unwrap().job.state, JobState::Done);
}

/// Users of a token, marked by a job that was then paused: they are held until their own end.
async fn held(it: &Fixture) -> JobId {
    it.store.create_token(&token(it.now(), 7200)).await.unwrap();
    users(it, &it.test.mount, "r", 0..3).await;
    let job = it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    it.leases.mark_page(&job, JobKind::Revoke).await.unwrap();
    it.leases.pause_job(&job).await.unwrap();
    job
}

#[tokio::test]
async fn a_pause_does_not_outlive_the_token_of_its_leases() {
    let it = Fixture::new().await;
    held(&it).await;
    assert_eq!(it.after(0).await, 0);
    it.store.end_token_tree(&token(it.now(), 0).digest, it.now()).await.unwrap();
    assert_eq!(it.after(0).await, 3);
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn a_pause_holds_no_lease_whose_token_has_ended() {
    let it = Fixture::new().await;
    let job = held(&it).await;
    it.leases.resume_job(&job).await.unwrap();
    it.store.end_token_tree(&token(it.now(), 0).digest, it.now()).await.unwrap();
    it.leases.pause_job(&job).await.unwrap();
    assert_eq!(it.after(0).await, 3);
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_end_what_a_paused_job_holds() {
    let it = Fixture::new().await;
    held(&it).await;
    it.after(60).await;
    it.test.clock.set(Timestamp::from_millis(it.now().as_millis() - 1_800_000));
    it.after(0).await;
    assert_eq!(it.after(1800).await, 0, "longer than any back-off");
    assert_eq!(it.users().len(), 3);
    it.after(3600).await;
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn jobs_are_forgotten_with_the_rows_of_their_leases() {
    let it = Fixture::new().await;
    sessions(&it, "r", 0..20).await;
    it.leases.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    it.after(0).await;
    let later = it.now().after(Duration::from_secs(1));
    assert_eq!(it.store.purge(later).await.unwrap(), 20);
    let job = it.leases.jobs().await.unwrap().remove(0);
    assert_eq!(it.leases.job(&job.id).await.unwrap().progress.removed, 20);
    assert_eq!(it.store.purge_jobs(later).await.unwrap(), 1);
    assert_eq!(it.leases.jobs().await.unwrap(), []);
}

/// Lets through so many calls a second of tokio's clock, as AWS does.
fn throttle(it: &Fixture, per_second: f64) {
    let bucket = std::sync::Mutex::new((per_second, tokio::time::Instant::now()));
    it.test.faults.on_call(Box::new(move |_| {
        let mut bucket = bucket.lock().unwrap();
        let now = tokio::time::Instant::now();
        let gained = now.duration_since(bucket.1).as_secs_f64() * per_second;
        *bucket = ((bucket.0 + gained).min(per_second), now);
        if bucket.0 < 1.0 {
            return Decision::Fault(Fault::Throttle);
        }
        bucket.0 -= 1.0;
        Decision::Pass
    }));
}

#[expect(clippy::disallowed_methods, reason = "tokio's clock is paused")]
async fn virtual_second() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_under_throttling_ends_without_a_user_and_without_an_error_for_who_waits() {
    let it = Fixture::over(TestAws::with(-1, Duration::from_millis(50))).await;
    users(&it, &it.test.mount, "r", 0..300).await;
    throttle(&it, 20.0);
    let (stop, stopped) = watch::channel(false);
    let background = [
        tokio::spawn(Arc::clone(&it.leases).run(stopped.clone())),
        tokio::spawn(Arc::clone(&it.leases).run_jobs(stopped)),
    ];
    let clock = Arc::clone(&it.test.clock);
    let time = tokio::spawn(async move {
        loop {
            virtual_second().await;
            clock.advance(Duration::from_secs(1));
        }
    });
    let answer = it.leases.revoke_prefix("aws").await;
    assert_eq!(answer, Ok(()));
    assert_eq!(it.users(), Vec::<String>::new());
    let calls: HashSet<String> = it.test.faults.actions().into_iter().collect();
    assert!(calls.contains("DeleteUser"));
    let reasons = progress_of(&it, &numbered("r", 299)).await.reason;
    assert_eq!(reasons, EndReason::Revoked);
    time.abort();
    stop.send(true).unwrap();
    for task in background {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn rows_of_a_paused_job_say_all_that_a_new_process_needs() {
    // As after a crash between the pause and its reaching the leases.
    let it = Fixture::new().await;
    sessions(&it, "r", 0..10).await;
    let faulty = FaultyStore::new(Arc::clone(&it.store));
    let store: Arc<dyn Store> = Arc::<FaultyStore<dyn Store>>::clone(&faulty);
    let broken = leases(&it.test, &store);
    let job = broken.begin_job(JobKind::Revoke, prefix("aws/")).await.unwrap();
    broken.mark_page(&job, JobKind::Revoke).await.unwrap();
    faulty.spoil(2, Spoilt::PowerLoss(At::BeforeCommit));
    broken.pause_job(&job).await.unwrap_err();
    assert_eq!(it.after(0).await, 0, "the pause was durable, and is carried out first");
    assert_eq!(unfinished(&*it.store, "aws/").await, 10);
    it.leases.resume_job(&job).await.unwrap();
    assert_eq!(it.after(0).await, 10);
}

#[tokio::test]
async fn an_empty_store_has_no_jobs_and_a_prefix_without_leases_makes_none() {
    let store: Arc<dyn Store> = Sqlite::temporary().unwrap();
    let test = TestAws::new();
    let leases = leases(&test, &store);
    leases.revoke_prefix("aws").await.unwrap();
    leases.revoke_prefix_later("aws").await.unwrap();
    leases.force("aws").await.unwrap();
    assert_eq!(leases.revoke_mount(&test.mount).await, Ok(None));
    assert_eq!(leases.jobs().await.unwrap(), []);
    assert!(!leases.drive_jobs().await.unwrap());
}
