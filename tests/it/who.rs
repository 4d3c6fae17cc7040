//! Who holds what: queries over HTTP and `leasehold who`; what fails for long is shown, and a disabled mount gets keys
//! that work.

use std::process::Output;
use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::broker::{OTHER_KEY, ROOT, TestBroker};
use crate::support::process::binary;

fn query(broker: &TestBroker, terms: &Value) -> Vec<Value> {
    let answer = broker.root().put("sys/leases/query", terms).expect(200);
    assert!(answer.warnings().is_empty());
    answer.data()["leases"].as_array().unwrap().clone()
}

/// Runs `leasehold who` against the broker.
fn who(broker: &TestBroker, arguments: &[&str]) -> Output {
    let address = format!("http://{}", broker.socket());
    let home = tempfile::tempdir().unwrap();
    binary()
        .arg("who")
        .args(arguments)
        .env("VAULT_ADDR", address)
        .env("VAULT_TOKEN", ROOT)
        .env("HOME", home.path())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_lease_is_found_by_everything_that_somebody_may_have_in_hand() {
    let broker = TestBroker::new().with_role();
    let issued = broker.issue().expect(200);
    let lease = issued.lease_id();
    let user = broker.aws.users().remove(0);
    broker.issue().expect(200);
    let row = broker.row(&lease).unwrap();

    let all = query(&broker, &json!({}));
    assert_eq!(all.len(), 2);
    for terms in [
        json!({ "lease_id": lease }),
        json!({ "access_key": issued.text_of("access_key") }),
        json!({ "user": user.name }),
        json!({ "user_id": user.id, "account": "123456789012" }),
    ] {
        let found = query(&broker, &terms);
        assert_eq!(found.len(), 1, "{terms}");
        assert_eq!(found[0]["lease_id"], json!(lease));
    }
    for terms in [
        json!({ "caller": "root" }),
        json!({ "accessor": row.holder.0 }),
        json!({ "role": "r", "role_version": 1 }),
        json!({ "policy_digest": row.origin.policy_digest }),
        json!({ "verdict": row.verdict }),
        json!({ "source": "127.0.0.1" }),
        json!({ "mount": "aws" }),
        json!({ "mount": row.mount.0, "state": "active" }),
    ] {
        assert_eq!(query(&broker, &terms).len(), 2, "{terms}");
    }
    for terms in
        [json!({ "caller": "other" }), json!({ "state": "revoked" }), json!({ "user": "u" })]
    {
        assert_eq!(query(&broker, &terms).len(), 0, "{terms}");
    }
    // As `vault read` and `vault list` ask.
    let access_key = issued.text_of("access_key");
    let read = broker.root().get(&format!("sys/leases/query?access_key={access_key}")).expect(200);
    assert_eq!(read.data()["leases"][0]["lease_id"], json!(lease));
    let listed =
        broker.root().list(&format!("sys/leases/query?access_key={access_key}")).expect(200);
    assert_eq!(listed.data()["keys"], json!([lease]));
    // No secret is in any of it.
    assert!(!read.text.contains(&issued.text_of("secret_key")));
}

#[test]
fn a_query_is_answered_page_by_page_and_refuses_what_it_cannot_read() {
    let broker = TestBroker::new().with_role();
    let issued: Vec<String> = (0..3).map(|_| broker.issue().expect(200).lease_id()).collect();
    let (mut found, mut terms) = (Vec::new(), json!({ "caller": "root", "limit": 1 }));
    loop {
        let answer = broker.root().put("sys/leases/query", &terms).expect(200);
        found.extend(answer.data()["leases"].as_array().unwrap().clone());
        let Some(next) = answer.data().get("next") else { break };
        terms["after"] = next.clone();
    }
    let ids: Vec<_> = found.iter().map(|lease| lease["lease_id"].as_str().unwrap()).collect();
    assert_eq!(ids, issued, "in the order of issue");
    for (terms, told) in [
        (json!({ "source": "here" }), "`here` is no source"),
        (json!({ "state": "odd" }), "`odd` is no state of a lease"),
        (json!({ "mount": "nowhere" }), "there is no mount `nowhere`"),
        (json!({ "limit": 0 }), "`limit` must be from 1 to 1000"),
        (json!({ "after": "x" }), "`x` is no after"),
    ] {
        let refused = broker.root().put("sys/leases/query", &terms).expect(400);
        assert!(refused.errors()[0].starts_with(told), "{:?}", refused.errors());
    }
    let made =
        broker.root().post("auth/token/create", &json!({ "policies": ["default"] })).expect(200);
    let limited = broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap());
    limited.put("sys/leases/query", &json!({})).expect(403);
}

#[test]
fn a_look_up_says_who_asked_and_for_what() {
    let broker = TestBroker::new().with_role();
    let issued = broker.issue().expect(200);
    let told = broker.lookup(&issued.lease_id()).expect(200);
    assert_eq!(told.text_of("caller"), "root");
    assert_eq!(told.text_of("source"), "127.0.0.1");
    assert_eq!(told.text_of("access_key"), issued.text_of("access_key"));
    assert_eq!(told.text_of("user_id"), broker.aws.users()[0].id);
    assert_eq!(told.data()["role_version"], json!(1));
    assert!(told.data().get("accessor").is_none(), "a lease id must not give away a token");
}

#[test]
fn the_same_permissions_have_one_digest_whatever_the_role() {
    let broker = TestBroker::new().with_role();
    let spelt_otherwise = crate::support::NARROW.replace(',', " ,\n ");
    broker.write_role("same", &format!(" {spelt_otherwise}\n")).expect(204);
    broker.write_role("wide", crate::support::S3_STAR).expect(200);
    let digest = |role: &str| {
        let lease = broker.root().get(&format!("aws/creds/{role}")).expect(200).lease_id();
        broker.row(&lease).unwrap().origin.policy_digest
    };
    let (one, same, wide) = (digest("r"), digest("same"), digest("wide"));
    assert_eq!(one, same);
    assert_ne!(one, wide);
}

#[test]
fn who_tells_of_a_key_while_it_lives_and_after() {
    let broker = TestBroker::new().with_role();
    let issued = broker.issue().expect(200);
    let (lease, key) = (issued.lease_id(), issued.text_of("access_key"));
    let user = broker.aws.users().remove(0);
    for what in [&key, &lease, &user.name, &user.id, &user.arn] {
        let told = who(&broker, &[what]);
        assert_eq!(told.status.code(), Some(0), "{what}: {}", text(&told.stderr));
        let shown = text(&told.stdout);
        assert!(shown.contains("held by          root\n"), "{shown}");
        assert!(shown.contains("state            active\n") && shown.contains(&lease), "{shown}");
        assert!(!shown.contains("contained"), "{shown}");
    }
    broker.revoke(&lease).expect(204);
    broker.settle();
    broker.lookup(&lease).expect(400);
    let told = who(&broker, &["--format", "json", &key]);
    assert_eq!(told.status.code(), Some(0));
    let ended: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(ended[0]["state"], json!("revoked"));
    assert_eq!(ended[0]["end_reason"], json!("revoked"));
    for time in ["contained_time", "removed_time", "gone_time", "expire_time", "end_time"] {
        assert!(ended[0][time].is_string(), "{time}: {ended}");
    }

    let nobody = who(&broker, &["AKIANOBODYNOBODYNOBO"]);
    assert_eq!(nobody.status.code(), Some(4));
    assert!(text(&nobody.stderr).contains("nothing found"));
    let both = who(&broker, &["--where", "caller=root", "--where", "state=revoked"]);
    assert_eq!(both.status.code(), Some(0));
    assert_eq!(who(&broker, &["--where", "calller=root"]).status.code(), Some(2));
    // Rows are kept for thirty days.
    broker.advance(Duration::from_secs(31 * 86_400));
    broker.root().put("sys/leases/tidy", &json!({})).expect(202);
    let client = broker.root();
    broker.wait(async {
        while !client.put("sys/leases/query", &json!({})).data()["leases"]
            .as_array()
            .unwrap()
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(who(&broker, &[&key]).status.code(), Some(4));
}

#[test]
fn who_says_what_is_wrong_and_never_the_token() {
    let broker = TestBroker::new();
    let address = format!("http://{}", broker.socket());
    let run = |token: &str, address: &str| {
        let home = tempfile::tempdir().unwrap();
        let output = binary()
            .args(["who", "AKIAIOSFODNN7EXAMPLE"])
            .env("VAULT_ADDR", address)
            .env("VAULT_TOKEN", token)
            .env("HOME", home.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!text(&output.stderr).contains("a-wrong-token"));
        text(&output.stderr)
    };
    let refused = run("a-wrong-token", &address);
    assert!(refused.contains("403") && refused.contains("permission denied"), "{refused}");
    assert!(run("", &address).contains("help: no token was sent"));
    assert!(
        run("a-wrong-token", "http://127.0.0.1:1").contains("no answer from http://127.0.0.1:1")
    );
}

#[test]
fn what_fails_for_long_is_told_and_nothing_is_irrevocable() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    let root = broker.root();
    let count = || root.get("sys/leases/count?type=irrevocable").expect(200).data().clone();
    assert_eq!(
        count(),
        json!({ "lease_count": 0, "counts": {}, "stuck_count": 0, "stuck_counts": {} })
    );
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    broker.revoke(&lease).expect(400);
    broker.settle();
    let accessor = root.get("sys/mounts/aws").expect(200).text_of("accessor");
    assert_eq!(count()["stuck_count"], json!(1));
    assert_eq!(count()["stuck_counts"][&accessor], json!(1));
    let listed = root.get("sys/leases?type=irrevocable").expect(200);
    assert_eq!((&listed.data()["lease_count"], &listed.data()["leases"]), (&json!(0), &json!([])));
    let stuck = &listed.data()["stuck"][0];
    assert_eq!((&stuck["lease_id"], &stuck["mount_id"]), (&json!(lease), &json!(accessor)));
    assert!(stuck["attempts"].as_u64().unwrap() >= 6, "{stuck}");
    assert!(stuck["error"].as_str().unwrap().contains("AccessDenied"), "{stuck}");
    for path in
        ["sys/leases", "sys/leases?type=other", "sys/leases/count", "sys/leases/count?type=x"]
    {
        root.get(path).expect(404);
    }
    let bad = root.get("sys/leases?type=irrevocable&limit=0").expect(500);
    assert!(bad.errors()[0].contains("limit must be 'none' or a positive integer"));
    root.get("sys/leases?type=irrevocable&limit=none").expect(200);

    broker.faults.heal();
    broker.settle();
    assert_eq!(count()["stuck_count"], json!(0));
    assert!(broker.users().is_empty());
}

#[test]
fn tidy_is_accepted_and_says_so() {
    let broker = TestBroker::new();
    let answer = broker.root().put("sys/leases/tidy", &json!({})).expect(202);
    assert!(answer.warnings()[0].starts_with("Tidy operation"), "{}", answer.text);
    assert_eq!(answer.json["data"], Value::Null);
}

#[test]
fn a_disabled_mount_gets_keys_that_work_and_its_users_go() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let right = json!({ "access_key": "AKIARIGHTACCOUNT0000", "secret_key": "made-up" });
    root.post("aws/config/root", &right).expect(204);
    let lease = broker.issue().expect(200).lease_id();
    let wrong = json!({ "access_key": OTHER_KEY, "secret_key": "made-up" });
    root.post("aws/config/root", &wrong).expect(204);
    broker.revoke(&lease).expect(400);
    root.put("sys/leases/revoke-force/aws", &json!({})).expect(204);
    root.delete("sys/mounts/aws").expect(204);
    broker.settle();
    assert_eq!(broker.users().len(), 1, "nobody has its keys");

    let mounts = root.list("sys/leases/accounts").expect(200);
    let id = mounts.data()["keys"][0].as_str().unwrap().to_owned();
    let path = format!("sys/leases/accounts/{id}");
    let shown = root.get(&path).expect(200);
    assert_eq!(shown.text_of("mount"), "aws/");
    assert_eq!(shown.data()["accounts"], json!(["123456789012"]));
    assert_eq!(
        (&shown.data()["unfinished"], shown.text_of("access_key")),
        (&json!(1), OTHER_KEY.to_owned())
    );
    assert!(!shown.text.contains("made-up"));
    root.post("sys/leases/accounts/other", &right).expect(404);
    root.post(&path, &right).expect(204);
    broker.settle();
    assert!(broker.users().is_empty());
    assert_eq!(query(&broker, &json!({ "lease_id": lease }))[0]["state"], json!("revoked"));
}
