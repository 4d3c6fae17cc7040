//! What judges is what is stored, also after a write that failed half-way; and what was judged before is taken again only as
//! long as it would be judged alike.

use std::time::Duration;

use leasehold::store::faulty::{Fault, Moment};
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};
use crate::support::{NARROW, S3_STAR};

fn with_engine() -> TestBroker {
    let broker = TestBroker::new();
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    broker
}

fn write(root: &Client, name: &str, body: &Value) -> Reply {
    root.post(&format!("sys/guardrails/{name}"), body)
}

#[test]
fn a_guardrail_that_is_bound_to_see_the_time_is_not_answered_from_what_was_known_before() {
    let broker = with_engine();
    let root = broker.root();
    broker.write_role("r", NARROW).expect(204);
    let verdict = || broker.row(&broker.issue().expect(200).lease_id()).unwrap().verdict;
    let first = verdict();
    broker.clock.advance(Duration::from_secs(3_600));
    assert_eq!(verdict(), first, "nobody sees the time");
    assert_eq!(root.get("sys/guardrails/least-privilege").expect(200).data()["sees_time"], false);

    write(&root, "least-privilege", &json!({ "sees_time": true })).expect(204);
    assert_eq!(root.get("sys/guardrails/least-privilege").expect(200).data()["sees_time"], true);
    let early = verdict();
    broker.clock.advance(Duration::from_secs(60));
    let late = verdict();
    assert_ne!(early, late, "the next minute is judged");
    assert_eq!(verdict(), late, "the same minute is not");
    // Either is reached again at the moment of then.
    broker.clock.advance(Duration::from_secs(3_600));
    for digest in [early, late] {
        let path = format!("sys/guardrails/verdicts/{digest}/replay");
        assert_eq!(root.post(&path, &json!({})).expect(200).data()["same"], true);
    }
}

#[test]
fn a_write_that_was_durable_and_did_not_come_into_force_does_so_by_itself() {
    let broker = with_engine();
    let root = broker.root();
    broker.write_role("r", S3_STAR).expect(200);
    let fails = |what: &dyn Fn() -> Reply| {
        broker.store().spoil(1, Fault::PowerLoss(Moment::AfterCommit));
        assert!(what().status >= 500);
        broker.store().power_on();
    };
    fails(&|| write(&root, "least-privilege", &json!({ "mode": "enforce" })));
    broker.issue().expect(200);
    broker.look_after_guardrails();
    broker.issue().expect(400);

    let body = json!({ "for": "30m", "reason": "x" });
    fails(&|| root.post("sys/guardrails/least-privilege/suspend", &body));
    broker.issue().expect(400);
    broker.look_after_guardrails();
    broker.issue().expect(200);

    fails(&|| root.post("sys/guardrails/least-privilege/resume", &json!({})));
    broker.issue().expect(200);
    broker.look_after_guardrails();
    broker.issue().expect(400);

    fails(&|| root.delete("sys/guardrails/least-privilege"));
    broker.issue().expect(400);
    broker.look_after_guardrails();
    broker.issue().expect(200);
}
