//! Whole lives of leases over the embedded AWS and a real store, without a sleep: the clock is moved
//! and `run_due` is called.

use std::time::Duration;

use embedded_aws::faults::Fault;
use futures_util::future::join_all;

use super::*;
use crate::aws::testing::{BROKER, TestAws, name, new_user};
use crate::clock::ManualClock;
use crate::model::{
    EndReason, FailureClass, Mount, MountState, MountTuning, TeardownProgress, Token, TokenDigest,
};
use crate::store::faulty::{Fault as SpoiltWrite, FaultyStore, Moment as SpoiltAt};
use crate::store::sqlite::Sqlite;

pub(super) struct Fixture {
    pub(super) test: TestAws,
    pub(super) store: Arc<dyn Store>,
    pub(super) leases: Arc<Leases>,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::over(TestAws::new()).await
    }

    pub(super) async fn over(test: TestAws) -> Self {
        let store: Arc<dyn Store> = Sqlite::temporary().unwrap();
        store.put_mount(&mount(&test.mount)).await.unwrap();
        let leases = leases(&test, &store);
        Self { test, store, leases }
    }

    /// As after a crash: nothing is known but the rows.
    pub(super) fn restarted(mut self) -> Self {
        self.leases = leases(&self.test, &self.store);
        self
    }

    pub(super) async fn begin(&self, last: char) -> Lease {
        let id = id("r", last);
        let user = Some(name(&format!("u-{last}")));
        self.leases.begin(new_lease(&self.test, id, user, CredentialType::IamUser)).await.unwrap()
    }

    /// A lease of an hour, with all that belongs to it.
    pub(super) async fn issue(&self, last: char) -> Lease {
        let lease = self.begin(last).await;
        let key = self.test.user(&format!("u-{last}"), &lease.id.tag()).await;
        let ends = self.now().after(Duration::from_hours(1));
        self.leases.activate(lease, key.id, ends).await.unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.test.clock.now()
    }

    pub(super) async fn after(&self, seconds: u64) -> u32 {
        self.test.clock.advance(Duration::from_secs(seconds));
        self.leases.run_due().await.unwrap()
    }

    pub(super) async fn row(&self, lease: &Lease) -> Lease {
        self.store.lease(&lease.id).await.unwrap().unwrap()
    }

    pub(super) async fn progress(&self, lease: &Lease) -> TeardownProgress {
        match self.row(lease).await.state {
            LeaseState::Revoking(progress) => progress,
            other @ (LeaseState::Pending
            | LeaseState::Active { .. }
            | LeaseState::Revoked { .. }) => {
                panic!("{other:?}")
            }
        }
    }

    pub(super) async fn is_revoked(&self, lease: &Lease) -> bool {
        matches!(self.row(lease).await.state, LeaseState::Revoked { .. })
    }

    pub(super) fn users(&self) -> Vec<String> {
        self.test.aws.users().into_iter().map(|user| user.name).collect()
    }
}

pub(super) fn leases(test: &TestAws, store: &Arc<dyn Store>) -> Arc<Leases> {
    Leases::new(LeaseParts {
        store: Arc::clone(store),
        clock: Arc::<ManualClock>::clone(&test.clock),
        accounts: Arc::clone(&test.accounts),
        broker: BROKER.to_owned(),
        timing: LeaseTiming::default(),
        rng: Random::seeded(1),
    })
}

pub(super) fn mount(id: &MountId) -> Mount {
    Mount {
        id: id.clone(),
        path: "aws/".parse().unwrap(),
        accessor: "aws_00000000".to_owned(),
        description: String::new(),
        options: serde_json::Value::Null,
        local: false,
        seal_wrap: false,
        external_entropy_access: false,
        tuning: MountTuning::default(),
        state: MountState::Active,
    }
}

pub(super) fn id(role: &str, last: char) -> LeaseId {
    format!("aws/creds/{role}/abcdefghijklmnopqrstuvw{last}").parse().unwrap()
}

pub(super) fn new_lease(
    test: &TestAws,
    id: LeaseId,
    user: Option<UserName>,
    credential_type: CredentialType,
) -> NewLease {
    NewLease {
        id,
        mount: test.mount.clone(),
        role: "r".parse().unwrap(),
        role_version: 1,
        credential_type,
        holder: Accessor("a".repeat(24)),
        user,
        role_ttl: None,
        role_max_ttl: None,
        verdict: "00".repeat(32),
        account: None,
        origin: Origin::default(),
        beside: Beside::default(),
        request_key: None,
        caps: LeaseCaps::default(),
    }
}

pub(super) fn token(now: Timestamp, ttl: u64) -> Token {
    Token {
        policies: vec!["root".to_owned()],
        creation_ttl: ttl,
        expires_at: Some(now.after(Duration::from_secs(ttl))),
        renewable: true,
        ..Token::new(TokenDigest("d".repeat(64)), Accessor("a".repeat(24)), now)
    }
}

#[tokio::test]
async fn a_revoked_lease_is_gone_at_once_and_looked_for_twice() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    assert!(it.leases.get(&lease.id).await.unwrap().is_some());

    it.leases.revoke(&lease.id).await.unwrap();
    assert_eq!(it.users(), Vec::<String>::new());
    assert!(it.leases.get(&lease.id).await.unwrap().is_none());
    let progress = it.progress(&lease).await;
    assert_eq!(progress.reason, EndReason::Revoked);
    assert_eq!((progress.contained_at, progress.removed_at), (Some(it.now()), Some(it.now())));

    it.test.faults.clear_calls();
    assert_eq!(it.after(9).await, 0);
    assert_eq!(it.after(1).await, 1);
    assert_eq!(it.progress(&lease).await.looks, 1);
    assert_eq!(it.after(49).await, 0);
    assert_eq!(it.after(1).await, 1);
    assert!(it.is_revoked(&lease).await);
    assert_eq!(it.test.faults.actions(), ["ListUserTags"; 2]);
    assert_eq!(it.leases.revoke(&lease.id).await, Ok(()));
    assert_eq!(it.leases.revoke(&id("r", '9')).await, Ok(()));
}

#[tokio::test]
async fn a_lease_expires_unless_it_was_renewed() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    it.test.clock.advance(Duration::from_mins(50));
    let ends = it.now().after(Duration::from_hours(1));
    let lease = it.leases.extend(lease, ends).await.unwrap();
    assert_eq!(lease.last_renewal, Some(it.now()));
    assert_eq!(it.after(3599).await, 0);
    assert_eq!(it.users(), ["u-1"]);
    assert_eq!(it.after(1).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    assert_eq!(it.progress(&lease).await.reason, EndReason::Expired);
    let late = it.leases.extend(it.row(&lease).await, ends).await;
    assert!(matches!(late, Err(LeaseError::Illegal(_))));
}

#[tokio::test]
async fn a_tokens_end_ends_its_leases() {
    let it = Fixture::new().await;
    it.store.create_token(&token(it.now(), 60)).await.unwrap();
    let lease = it.issue('1').await;
    assert_eq!(it.after(59).await, 0);
    assert_eq!(it.after(1).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    assert_eq!(it.progress(&lease).await.reason, EndReason::TokenEnded);
}

#[tokio::test]
async fn a_refused_creation_ends_without_a_call() {
    let it = Fixture::new().await;
    let lease = it.begin('1').await;
    it.leases.refused(lease.clone()).await.unwrap();
    assert!(it.is_revoked(&lease).await);
    assert_eq!(it.after(100_000).await, 0);
    assert_eq!(it.test.faults.calls(), []);
}

#[tokio::test]
async fn a_creation_without_an_answer_is_taken_down_when_it_shows() {
    let it = Fixture::new().await;
    let lease = it.begin('1').await;
    it.test.faults.fail_next("CreateUser", Fault::LostAfter);
    let user = new_user("u-1", &lease.id.tag());
    it.test.provider().await.create_user(&user).await.unwrap_err();
    it.leases.abandon(lease.clone()).await.unwrap();
    assert_eq!(it.after(0).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    let progress = it.progress(&lease).await;
    assert_eq!(progress.reason, EndReason::Abandoned);
    assert!(progress.removed_at.is_some());
    it.after(10).await;
    it.after(50).await;
    assert!(it.is_revoked(&lease).await);
}

#[tokio::test]
async fn an_absent_user_that_is_young_is_not_taken_for_gone() {
    let it = Fixture::new().await;
    let lease = it.begin('1').await;
    it.leases.abandon(lease.clone()).await.unwrap();
    assert_eq!(it.after(1).await, 1);
    let progress = it.progress(&lease).await;
    assert_eq!(progress.removed_at, None);
    assert_eq!(progress.contained_at, None);
    // Nobody waits for it to be old enough: a creation may still be on its way to AWS.
    assert!(progress.next_attempt_at <= it.now().after(Duration::from_secs(10)));
    assert_eq!(it.after(10).await, 1);
    assert_eq!(it.progress(&lease).await.removed_at, None);
    // It shows up late, and is taken down.
    it.test.user("u-1", &lease.id.tag()).await;
    assert_eq!(it.after(20).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    it.after(10).await;
    it.after(50).await;
    assert!(it.is_revoked(&lease).await);
}

#[tokio::test]
async fn a_fresh_user_that_is_not_to_be_seen_is_an_error_and_soon_gone() {
    let it = Fixture::new().await;
    it.test.faults.hide_fresh_user(5);
    let lease = it.issue('1').await;
    let error = it.leases.revoke(&lease.id).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Settling);
    assert_eq!(it.users(), ["u-1"]);
    assert_eq!(it.after(10).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_earlier_process_left_is_picked_up_at_once() {
    let it = Fixture::new().await;
    let pending = it.begin('1').await;
    it.test.user("u-1", &pending.id.tag()).await;
    let marked = it.issue('2').await;
    it.leases.revoke_later(&marked.id).await.unwrap();
    let kept = it.issue('3').await;
    let it = it.restarted();
    it.store.abandon_pending(it.now()).await.unwrap();
    assert_eq!(it.after(0).await, 2);
    assert_eq!(it.users(), ["u-3"]);
    assert!(it.progress(&pending).await.removed_at.is_some());
    assert!(it.progress(&marked).await.removed_at.is_some());
    assert!(it.leases.get(&kept.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_pending_lease_that_nobody_ends_is_taken_down_when_old_enough() {
    let it = Fixture::new().await;
    let lease = it.begin('1').await;
    it.test.user("u-1", &lease.id.tag()).await;
    assert_eq!(it.after(299).await, 0);
    assert_eq!(it.after(1).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    let late = it.leases.activate(lease, "AKIA1".parse().unwrap(), it.now()).await;
    assert!(matches!(late, Err(LeaseError::Illegal(_))));
}

#[tokio::test]
async fn a_user_made_after_its_lease_was_called_gone_is_taken_down_all_the_same() {
    let it = Fixture::new().await;
    let lease = it.begin('1').await;
    for seconds in [300, 10, 50] {
        it.after(seconds).await;
    }
    assert!(it.is_revoked(&lease).await);
    it.test.user("u-1", &lease.id.tag()).await;
    it.leases.abandon(lease.clone()).await.unwrap();
    assert_eq!(it.after(0).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    it.after(10).await;
    it.after(50).await;
    assert!(it.is_revoked(&lease).await);
}

#[tokio::test]
async fn a_failed_pass_is_told_and_the_teardown_goes_on_for_ever() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    let sentence = "User: arn:aws:iam::123456789012:user/broker is not authorized";
    let refusal = Fault::Refuse {
        status: 403,
        code: "AccessDenied".to_owned(),
        message: sentence.to_owned(),
    };
    it.test.faults.fail_every("DeleteUser", refusal);
    let error = it.leases.revoke(&lease.id).await.unwrap_err();
    assert_eq!(error.class, FailureClass::AccessDenied);
    assert_eq!(
        error.to_string(),
        "failed to revoke entry: resp: (*logical.Response)(nil) err: AccessDenied: User: [masked] \
         is not authorized"
    );
    let progress = it.progress(&lease).await;
    assert_eq!((progress.attempts, progress.contained_at), (1, Some(it.now())));
    assert!(it.leases.get(&lease.id).await.unwrap().is_some(), "shown until it is removed");
    for attempts in 2..12 {
        assert_eq!(it.after(900).await, 1);
        assert_eq!(it.progress(&lease).await.attempts, attempts);
    }
    it.test.faults.heal();
    assert_eq!(it.after(900).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    assert_eq!(it.progress(&lease).await.last_failure, None);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_a_failure_like_others_and_passes() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    it.test.faults.fail_next("ListUserTags", Fault::Throttle);
    let error = it.leases.revoke(&lease.id).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Throttled);
    assert_eq!(it.after(10).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_expiries_under_throttling_ends_without_a_user() {
    let it = Fixture::over(TestAws::with(-1, Duration::ZERO)).await;
    let lasts: Vec<char> = ('0'..='9').chain('a'..='z').collect();
    let mut issued = Vec::new();
    for last in &lasts {
        issued.push(it.issue(*last).await);
    }
    let count = std::sync::atomic::AtomicU32::new(0);
    it.test.faults.on_call(Box::new(move |_| {
        if count.fetch_add(1, Ordering::SeqCst).is_multiple_of(5) {
            embedded_aws::faults::Decision::Fault(Fault::Throttle)
        } else {
            embedded_aws::faults::Decision::Pass
        }
    }));
    it.after(3600).await;
    let mut rounds = 0;
    while !it.users().is_empty() {
        assert!(rounds < 50, "{} users left", it.users().len());
        it.after(900).await;
        rounds += 1;
    }
    it.test.faults.heal();
    it.after(900).await;
    it.after(900).await;
    for lease in &issued {
        assert!(it.is_revoked(lease).await, "{}", lease.id);
    }
}

#[tokio::test]
async fn a_forced_lease_is_out_of_sight_and_still_taken_down() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    it.test.faults.fail_next("DeleteUser", Fault::ServerErrorBefore(500));
    it.leases.revoke(&lease.id).await.unwrap_err();
    it.leases.force("aws/creds/r").await.unwrap();
    assert!(it.leases.get(&lease.id).await.unwrap().is_none());
    assert_eq!(it.leases.list("aws/creds/r/").await.unwrap(), Vec::<String>::new());
    assert_eq!(it.users(), ["u-1"]);
    assert_eq!(it.after(0).await, 1);
    assert_eq!(it.users(), Vec::<String>::new());
    it.after(10).await;
    it.after(50).await;
    assert!(it.is_revoked(&lease).await);
}

#[tokio::test]
async fn a_user_that_grew_back_is_removed_again() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    it.leases.revoke(&lease.id).await.unwrap();
    it.test.user("u-1", &lease.id.tag()).await;
    it.after(10).await;
    assert_eq!(it.users(), Vec::<String>::new());
    let progress = it.progress(&lease).await;
    assert_eq!((progress.removed_at, progress.looks), (Some(it.now()), 0));
}

#[tokio::test]
async fn a_prefix_ends_all_below_it_and_nothing_beside_it() {
    let it = Fixture::new().await;
    for last in ['1', '2', '3'] {
        it.issue(last).await;
    }
    let pending = it.begin('4').await;
    let beside = id("r2", '5');
    let new = new_lease(&it.test, beside.clone(), Some(name("u-5")), CredentialType::IamUser);
    let lease = it.leases.begin(new).await.unwrap();
    let key = it.test.user("u-5", &beside.tag()).await;
    it.leases.activate(lease, key.id, it.now().after(Duration::from_mins(1))).await.unwrap();
    assert_eq!(it.leases.list("").await.unwrap(), ["aws/"]);
    assert_eq!(it.leases.list("aws/creds").await.unwrap(), ["r/", "r2/"]);
    assert_eq!(it.leases.list("aws/creds/r/").await.unwrap().len(), 3);

    let middle = id("r", '2');
    it.test.faults.on_call(Box::new(|call| {
        let doomed = call.action == "DeleteUser" && call.parameters["UserName"] == "u-2";
        if doomed {
            embedded_aws::faults::Decision::Fault(Fault::refuse(403, "AccessDenied"))
        } else {
            embedded_aws::faults::Decision::Pass
        }
    }));
    let error = it.leases.revoke_prefix("aws/creds/r").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to revoke \"{middle}\" (2 / 3): failed to revoke entry: resp: \
             (*logical.Response)(nil) err: AccessDenied: AccessDenied (injected)"
        )
    );
    assert_eq!(it.users(), ["u-2", "u-5"], "the others went on");
    assert_eq!(it.progress(&pending).await.reason, EndReason::Abandoned);
    it.test.faults.heal();
    it.leases.revoke_prefix(beside.as_str()).await.unwrap();
    assert_eq!(it.users(), ["u-2"]);
    it.leases.revoke_prefix_later("aws").await.unwrap();
    it.after(0).await;
    assert_eq!(it.users(), Vec::<String>::new());
}

#[tokio::test]
async fn two_revocations_at_once_are_one_pass() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    it.test.faults.clear_calls();
    let gate = it.test.faults.hold_next("DeleteUser");
    let (one, two, reaped, ()) = tokio::join!(
        it.leases.revoke(&lease.id),
        it.leases.revoke(&lease.id),
        async {
            gate.arrived().await;
            it.leases.run_due().await
        },
        async {
            // Everyone else has come and waits by now: these are polled in turn.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            gate.release();
        },
    );
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert!(reaped.is_ok());
    let deletions =
        it.test.faults.actions().iter().filter(|action| *action == "DeleteUser").count();
    assert_eq!(deletions, 1);
}

#[tokio::test]
async fn temporary_credentials_end_without_a_call() {
    let it = Fixture::new().await;
    let new = new_lease(&it.test, id("r", '1'), None, CredentialType::AssumedRole);
    let lease = it.leases.begin(new).await.unwrap();
    let ends = it.now().after(Duration::from_mins(15));
    let lease = it.leases.activate(lease, "ASIA1".parse().unwrap(), ends).await.unwrap();
    assert_eq!(it.after(900).await, 1);
    assert!(it.is_revoked(&lease).await);
    assert_eq!(it.test.faults.calls(), []);
}

#[tokio::test]
async fn old_rows_that_cannot_be_deleted_hold_no_teardown_up() {
    let mut it = Fixture::new().await;
    let lease = it.issue('1').await;
    it.leases.revoke_later(&lease.id).await.unwrap();
    let faulty = FaultyStore::new(Arc::clone(&it.store));
    let store: Arc<dyn Store> = Arc::<FaultyStore<dyn Store>>::clone(&faulty);
    it.leases = leases(&it.test, &store);
    faulty.spoil(1, SpoiltWrite::Once(SpoiltAt::BeforeCommit));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let reaper = tokio::spawn(Arc::clone(&it.leases).run(stopped));
    while !it.users().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    reaper.await.unwrap();
    assert_eq!(faulty.writes(), ["purge", "purge_jobs", "save_lease"]);
}

#[tokio::test]
async fn what_is_ending_already_is_not_written_again() {
    let it = Fixture::new().await;
    let leases: Vec<_> = join_all(('a'..='z').map(|last| it.begin(last))).await;
    it.leases.revoke_prefix_later("aws").await.unwrap();
    for lease in &leases {
        assert_eq!(it.progress(lease).await.reason, EndReason::Abandoned);
        assert_eq!(it.row(lease).await.revision, 2);
    }
    it.leases.revoke_prefix_later("aws").await.unwrap();
    for lease in &leases {
        assert_eq!(it.row(lease).await.revision, 2, "nothing changes the second time");
    }
}

#[tokio::test]
async fn the_reaper_works_by_itself_and_stops_when_told() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let reaper = tokio::spawn(Arc::clone(&it.leases).run(stopped));
    it.leases.revoke_later(&lease.id).await.unwrap();
    while !it.users().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    reaper.await.unwrap();
    assert!(it.progress(&lease).await.removed_at.is_some());
}

#[tokio::test]
async fn a_clock_that_was_ahead_of_an_earlier_process_puts_no_teardown_off_for_years() {
    let it = Fixture::new().await;
    let lease = it.issue('1').await;
    let right = it.now();
    it.test.clock.advance(Duration::from_hours(24 * 365));
    it.test.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    it.leases.revoke(&lease.id).await.unwrap_err();
    it.test.faults.heal();
    it.test.clock.set(right);
    let it = it.restarted();
    it.leases.pick_up().await.unwrap();
    it.after(3600).await;
    assert_eq!(it.users(), Vec::<String>::new());
}
