//! Tokens: what each may do, and that a token's end ends its leases.

use std::time::Duration;

use serde_json::json;

use crate::support::broker::TestBroker;

const DENIED: &str = "1 error occurred:\n\t* permission denied\n\n";

fn child(broker: &TestBroker, body: &serde_json::Value) -> String {
    let made = broker.root().post("auth/token/create", body).expect(200);
    made.json["auth"]["client_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_limited_token_may_look_itself_up_renew_and_end_itself_and_nothing_else() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let token =
        child(&broker, &json!({ "policies": ["Admin", "ci"], "ttl": "1h", "display_name": "ci" }));
    let caller = broker.root().with_token(&token);

    let own = caller.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.data()["policies"], json!(["admin", "ci", "default"]));
    assert_eq!(own.data()["display_name"], "token-ci");
    caller.post("auth/token/renew-self", &json!({ "increment": "30m" })).expect(200);
    let refused = [
        caller.get("aws/creds/r"),
        caller.get("aws/roles/r"),
        caller.post("aws/roles/x", &json!({ "credential_type": "iam_user" })),
        caller.get("aws/config/root"),
        caller.get("sys/mounts"),
        caller.post("sys/mounts/x", &json!({ "type": "aws" })),
        caller.put("sys/leases/revoke", &json!({ "lease_id": lease })),
        caller.post("auth/token/create", &json!({})),
        caller.get("no/such/mount"),
    ];
    for reply in refused {
        assert_eq!(reply.expect(403).errors(), [DENIED]);
    }
    // Whoever holds the id of a lease may look at it, by `default`.
    caller.put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(200);
    assert_eq!(broker.users().len(), 1, "nothing was touched");

    caller.post("auth/token/revoke-self", &json!({})).expect(204);
    caller.get("auth/token/lookup-self").expect(403);
}

#[test]
fn a_tokens_end_ends_its_leases_and_its_childrens() {
    let broker = TestBroker::new().with_role();
    let parent = child(&broker, &json!({ "policies": ["root"] }));
    let holder = broker.root().with_token(&parent);
    let first = holder.get("aws/creds/r").expect(200).lease_id();
    let made = holder.post("auth/token/create", &json!({ "policies": ["root"] })).expect(200);
    let grandchild = broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap());
    let second = grandchild.get("aws/creds/r").expect(200).lease_id();
    let other = broker.issue().expect(200).lease_id();
    assert_eq!(broker.users().len(), 3);

    broker.root().post("auth/token/revoke", &json!({ "token": parent })).expect(204);
    broker.run_due();

    assert_eq!(broker.users().len(), 1);
    broker.lookup(&first).expect(400);
    broker.lookup(&second).expect(400);
    broker.lookup(&other).expect(200);
    grandchild.get("auth/token/lookup-self").expect(403);
}

#[test]
fn a_token_that_runs_out_takes_its_leases_along() {
    let broker = TestBroker::new().with_role();
    let token = child(&broker, &json!({ "policies": ["root"], "ttl": "10m" }));
    let holder = broker.root().with_token(&token);
    let lease = holder.get("aws/creds/r").expect(200).lease_id();
    broker.advance(Duration::from_secs(601));
    broker.run_due();
    assert!(broker.users().is_empty());
    broker.lookup(&lease).expect(400);
    holder.get("auth/token/lookup-self").expect(403);
}

#[test]
fn the_last_use_of_a_token_makes_no_other_token() {
    let broker = TestBroker::new();
    for path in ["auth/token/create", "auth/token/create-orphan"] {
        let limited = child(&broker, &json!({ "policies": ["root"], "num_uses": 1 }));
        let last = broker.root().with_token(&limited).post(path, &json!({})).expect(400);
        assert_eq!(last.errors(), ["restricted use token cannot generate child tokens"]);
    }
}

#[test]
fn a_bad_token_is_told_nothing() {
    let broker = TestBroker::new();
    let none = broker.root().anonymous().get("sys/mounts").expect(403);
    assert_eq!(none.errors(), ["permission denied"]);
    let unknown = broker.root().with_token("hvs.unknown").get("sys/mounts").expect(403);
    let bad = ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"];
    assert_eq!(unknown.errors(), bad);
    // One that was, one whose time is over, one that is used up, and what no token looks like: the same.
    let revoked = child(&broker, &json!({ "policies": ["root"], "ttl": "1h" }));
    broker.root().post("auth/token/revoke", &json!({ "token": revoked })).expect(204);
    let used = child(&broker, &json!({ "policies": ["root"], "num_uses": 1 }));
    broker.root().with_token(&used).get("sys/mounts").expect(200);
    let expired = child(&broker, &json!({ "policies": ["root"], "ttl": "1m" }));
    broker.clock.advance(Duration::from_secs(61));
    let long = "x".repeat(5000);
    for token in [&revoked, &used, &expired, "hvb.AAAA", "s.", &long] {
        let told = broker.root().with_token(token).get("sys/mounts").expect(403);
        assert_eq!(told.errors(), bad, "{token:.20}");
    }
}

#[test]
fn tokens_survive_a_restart() {
    let mut broker = TestBroker::new();
    let token = child(&broker, &json!({ "policies": ["ci"], "ttl": "1h" }));
    broker.lose_power();
    broker.root().with_token(&token).get("auth/token/lookup-self").expect(200);
    broker.root().get("auth/token/lookup-self").expect(200);
}

#[test]
fn of_two_administrators_who_choose_the_same_id_at_once_one_gets_the_token() {
    let broker = TestBroker::new().with_role();
    for round in 0..20 {
        let id = format!("chosen-{round}");
        let begin = std::sync::Barrier::new(4);
        let replies: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|caller| {
                    let (root, id, begin) = (broker.root(), &id, &begin);
                    scope.spawn(move || {
                        let name = format!("admin-{caller}");
                        let body = json!({ "id": id, "display_name": name, "policies": ["root"] });
                        begin.wait();
                        (format!("token-{name}"), root.post("auth/token/create", &body))
                    })
                })
                .collect();
            asking.into_iter().map(|asking| asking.join().unwrap()).collect()
        });
        let (made, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|(_, reply)| reply.status == 200);
        assert_eq!(made.len(), 1, "round {round}");
        for (_, reply) in refused {
            assert_eq!(reply.expect(400).errors(), ["cannot create a token with a duplicate ID"]);
        }
        let own = broker.root().with_token(&id).get("auth/token/lookup-self").expect(200);
        assert_eq!(own.text_of("display_name"), made[0].0);
        assert_eq!(own.data()["accessor"], made[0].1.json["auth"]["accessor"]);
    }
}
