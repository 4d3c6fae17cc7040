//! The crash matrix: every AWS call and every write of an issue and of a revocation fails, is left
//! unclear, or loses the power before or after it took effect. Whatever happens, in the end AWS holds no
//! user, no row is open, and whoever was given a credential had a lease for it.

use embedded_aws::faults::Fault;
use serde_json::json;

use crate::support::broker::TestBroker;
use crate::support::trouble::{Place, Trouble, break_at};

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

/// Plays one case to its end and looks at every effect.
fn play((phase, shape): (Phase, Shape), place: Place, trouble: Trouble) {
    let name = format!("{phase:?}, {shape:?}, {place:?}, {trouble:?}");
    let mut broker = with_role(shape);
    let given = match phase {
        Phase::Issue => {
            break_at(&broker, place, trouble);
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
            break_at(&broker, place, trouble);
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
    if trouble.is_dark() {
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
    for place in Place::all(calls, writes) {
        for trouble in Trouble::ALL {
            play((phase, shape), place, trouble);
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
