//! The crash matrix: every AWS call and every write of an issue and of a revocation fails, is left
//! unclear, or loses the power before or after it took effect. Whatever happens, in the end AWS holds no
//! user, no row is open, and whoever was given a credential had a lease for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedded_aws::faults::{Decision, Fault, Hook};
use leasehold::store::faulty::{Fault as StoreFault, Moment};
use serde_json::json;

use crate::support::broker::TestBroker;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// A definite error: nothing happened.
    Error,
    /// AWS acted, the answer was lost.
    Unclear,
    /// The process is gone before the step took effect.
    PowerBefore,
    /// The process is gone after the step took effect, before anyone heard.
    PowerAfter,
}

const TROUBLES: [Trouble; 4] =
    [Trouble::Error, Trouble::Unclear, Trouble::PowerBefore, Trouble::PowerAfter];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Issue,
    Revoke,
}

/// What the role gives its users.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// A document of their own.
    Inline,
    /// A managed policy of the lease's own.
    OwnPolicy,
}

fn with_role(shape: Shape) -> TestBroker {
    let broker = TestBroker::new().with_role();
    if shape == Shape::OwnPolicy {
        broker.root().post("aws/roles/r", &json!({ "placement": "managed" })).expect(204);
        broker.faults.clear_calls();
    }
    broker
}

/// Breaks the `step`th AWS call from now; after a loss of power no later call reaches AWS either.
fn break_aws(broker: &TestBroker, step: usize, trouble: Trouble) {
    let seen = Arc::new(AtomicUsize::new(0));
    let hook: Hook = Box::new(move |_| {
        let number = seen.fetch_add(1, Ordering::SeqCst);
        let dark = matches!(trouble, Trouble::PowerBefore | Trouble::PowerAfter);
        match trouble {
            _ if number > step && dark => Decision::Fault(Fault::LostBefore),
            _ if number != step => Decision::Pass,
            Trouble::Error => Decision::Fault(Fault::refuse(403, "AccessDenied")),
            Trouble::PowerBefore => Decision::Fault(Fault::LostBefore),
            Trouble::Unclear | Trouble::PowerAfter => Decision::Fault(Fault::LostAfter),
        }
    });
    broker.faults.on_call(hook);
}

/// Breaks the `step`th write from now; after a loss of power nothing is written any more.
fn break_store(broker: &TestBroker, step: usize, trouble: Trouble) {
    let fault = match trouble {
        Trouble::Error => StoreFault::Once(Moment::BeforeCommit),
        Trouble::Unclear => StoreFault::Once(Moment::AfterCommit),
        Trouble::PowerBefore => StoreFault::PowerLoss(Moment::BeforeCommit),
        Trouble::PowerAfter => StoreFault::PowerLoss(Moment::AfterCommit),
    };
    broker.store().spoil(u64::try_from(step + 1).unwrap(), fault);
}

/// Plays one case to its end and looks at every effect.
fn play((phase, shape): (Phase, Shape), trouble: Trouble, name: &str, arm: impl Fn(&TestBroker)) {
    let mut broker = with_role(shape);
    let given = match phase {
        Phase::Issue => {
            arm(&broker);
            let reply = broker.issue();
            assert!(
                matches!(reply.status, 200 | 400 | 500),
                "{name}: {} {}",
                reply.status,
                reply.text
            );
            (reply.status == 200).then(|| reply.lease_id())
        }
        Phase::Revoke => {
            let lease = broker.issue().expect(200).lease_id();
            arm(&broker);
            let reply = broker.revoke(&lease);
            assert!(
                matches!(reply.status, 204 | 400 | 500),
                "{name}: {} {}",
                reply.status,
                reply.text
            );
            Some(lease)
        }
    };
    if matches!(trouble, Trouble::PowerBefore | Trouble::PowerAfter) {
        broker.lose_power();
    }
    broker.faults.heal();
    broker.store().power_on();
    broker.run_due();
    if let Some(lease) = given {
        assert!(
            broker.row(&lease).is_some(),
            "{name}: a credential was given, and its lease is lost"
        );
        if phase == Phase::Issue {
            broker.lookup(&lease).expect(200);
            assert_eq!(broker.users().len(), 1, "{name}: the credential that was given is gone");
        }
    }
    // Whatever AWS holds now has a row that knows it, whether its caller was answered or not.
    let rows: Vec<_> = broker.unfinished().iter().map(|id| broker.row(id).unwrap()).collect();
    for user in broker.users() {
        let known =
            rows.iter().any(|row| row.user.as_ref().is_some_and(|name| name.as_str() == user));
        assert!(known, "{name}: nobody knows of {user}");
    }
    for row in rows {
        let reply = broker.revoke(row.id.as_str());
        // An absent user is not believed while it is young; the lease is then looked at again.
        assert!(matches!(reply.status, 204 | 400), "{name}: {}", reply.text);
    }
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new(), "{name}: a user was left in AWS");
    assert_eq!(broker.unfinished(), Vec::<String>::new(), "{name}: a row was left open");
    let policies = broker.aws.managed_policies();
    assert_eq!(policies, Vec::<String>::new(), "{name}: a policy was left in AWS");
}

/// How many AWS calls and writes the phase takes when nothing goes wrong.
fn steps(phase: Phase, shape: Shape) -> (usize, usize) {
    let broker = with_role(shape);
    if phase == Phase::Revoke {
        let lease = broker.issue().expect(200).lease_id();
        broker.faults.clear_calls();
        let before = broker.store().writes().len();
        broker.revoke(&lease).expect(204);
        return (broker.faults.calls().len(), broker.store().writes().len() - before);
    }
    broker.faults.clear_calls();
    let before = broker.store().writes().len();
    broker.issue().expect(200);
    (broker.faults.calls().len(), broker.store().writes().len() - before)
}

fn matrix(phase: Phase, shape: Shape) {
    let (calls, writes) = steps(phase, shape);
    assert!(calls >= 3, "{phase:?} makes {calls} calls");
    assert!(writes >= 2, "{phase:?} makes {writes} writes");
    for trouble in TROUBLES {
        for step in 0..calls {
            let name = format!("{phase:?}, {shape:?}, call {step}, {trouble:?}");
            play((phase, shape), trouble, &name, |broker| {
                break_aws(broker, step, trouble);
            });
        }
        for step in 0..writes {
            let name = format!("{phase:?}, {shape:?}, write {step}, {trouble:?}");
            play((phase, shape), trouble, &name, |broker| {
                break_store(broker, step, trouble);
            });
        }
    }
}

#[test]
fn an_issue_that_breaks_at_any_step_leaves_nothing_behind() {
    matrix(Phase::Issue, Shape::Inline);
}

#[test]
fn an_issue_with_a_policy_of_its_own_that_breaks_at_any_step_leaves_nothing_behind() {
    matrix(Phase::Issue, Shape::OwnPolicy);
}

#[test]
fn a_revocation_that_breaks_at_any_step_is_finished_later() {
    matrix(Phase::Revoke, Shape::Inline);
}

#[test]
fn a_revocation_with_a_policy_of_its_own_that_breaks_at_any_step_is_finished_later() {
    matrix(Phase::Revoke, Shape::OwnPolicy);
}

#[test]
fn a_fresh_user_that_iam_does_not_show_yet_is_not_taken_for_gone() {
    let broker = TestBroker::new().with_role();
    broker.faults.hide_fresh_user(50);
    broker.faults.fail_next("CreateAccessKey", Fault::LostAfter);
    broker.issue().expect(400);
    broker.run_due();
    assert_eq!(broker.users().len(), 1, "still there, and IAM said it was not");
    assert_eq!(broker.unfinished().len(), 1, "so the row stays");
    broker.faults.hide_fresh_user(0);
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_pending_lease_found_at_start_is_torn_down() {
    let mut broker = TestBroker::new().with_role();
    broker.faults.fail_next("CreateAccessKey", Fault::SilentAfter);
    let root = broker.root();
    // The connection breaks when the power goes: that thread fails, and is not asked how.
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    while broker.aws.users().first().is_none_or(|user| user.keys.is_empty()) {
        std::thread::yield_now();
    }
    broker.lose_power();
    drop(asking.join());
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}
