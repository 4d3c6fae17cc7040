//! Rate-limit quotas over HTTP: what is turned away, with which words, and what is let through all the same.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::broker::TestBroker;

fn statuses(broker: &TestBroker, path: &str, times: usize) -> Vec<u16> {
    (0..times).map(|_| broker.root().get(path).status).collect()
}

#[test]
fn a_mount_with_a_quota_lets_so_many_through_and_others_are_free() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let quota = json!({ "path": "aws", "rate": 2, "interval": "60s" });
    root.post("sys/quotas/rate-limit/q", &quota).expect(204);
    assert_eq!(statuses(&broker, "aws/roles/r", 3), [200, 200, 429]);
    let limited = root.get("aws/creds/r").expect(429);
    assert_eq!(limited.errors(), ["request path \"aws/creds/r\": rate limit quota exceeded"]);
    assert!(broker.users().is_empty(), "nothing was made");
    assert_eq!(statuses(&broker, "sys/mounts", 3), [200, 200, 200]);
    // Whoever has no valid token is counted too: the quota comes first.
    root.with_token("hvs.none").get("aws/roles/r").expect(429);
    broker.clock.advance(Duration::from_secs(60));
    root.get("aws/roles/r").expect(200);
    let text = root.get("sys/metrics?format=prometheus").expect(200).text;
    assert!(text.contains("leasehold_quota_violations_total{quota=\"q\"} 3"), "{text}");
    root.delete("sys/quotas/rate-limit/q").expect(204);
    assert_eq!(statuses(&broker, "aws/roles/r", 4), [200; 4]);
}

#[test]
fn quotas_outlive_a_restart_and_the_more_exact_one_counts() {
    let mut broker = TestBroker::new().with_role();
    let root = broker.root();
    for (name, path, rate) in
        [("all", "", 100.0), ("roles", "aws/roles/*", 1.0), ("r", "aws/roles/r", 2.5)]
    {
        let body = json!({ "path": path, "rate": rate, "interval": "1m" });
        root.post(&format!("sys/quotas/rate-limit/{name}"), &body).expect(204);
    }
    broker.restart();
    let root = broker.root();
    assert_eq!(statuses(&broker, "aws/roles/r", 4), [200, 200, 200, 429]);
    assert_eq!(statuses(&broker, "aws/roles/other", 2), [404, 429]);
    let keys = root.list("sys/quotas/rate-limit").expect(200).data()["keys"].clone();
    assert_eq!(keys, json!(["all", "r", "roles"]));
    let read = root.get("sys/quotas/rate-limit/r").expect(200);
    let wanted = json!({
        "block_interval": 0, "inheritable": false, "interval": 60, "name": "r",
        "path": "aws/roles/r", "rate": 2.5, "role": "", "type": "rate-limit",
    });
    assert_eq!(read.data(), &wanted);
}

#[test]
fn who_asked_for_too_much_stays_out_for_the_block_interval() {
    let broker = TestBroker::new().with_role();
    let body = json!({ "path": "aws/", "rate": 1, "interval": 1, "block_interval": "5m" });
    broker.root().post("sys/quotas/rate-limit/q", &body).expect(204);
    assert_eq!(statuses(&broker, "aws/roles/r", 2), [200, 429]);
    broker.clock.advance(Duration::from_secs(299));
    assert_eq!(statuses(&broker, "aws/roles/r", 1), [429]);
    broker.clock.advance(Duration::from_secs(1));
    assert_eq!(statuses(&broker, "aws/roles/r", 1), [200]);
}

#[test]
fn exempt_paths_are_free_and_answers_tell_what_is_left_where_they_are_to() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let config = root.get("sys/quotas/config").expect(200);
    let exempt = config.data()["rate_limit_exempt_paths"].as_array().unwrap().clone();
    assert!(exempt.contains(&json!("sys/health")), "{exempt:?}");
    let config = json!({
        "rate_limit_exempt_paths": ["sys/health", "/v1/sys/quotas/*"],
        "enable_rate_limit_response_headers": true,
    });
    root.post("sys/quotas/config", &config).expect(204);
    root.post("sys/quotas/rate-limit/all", &json!({ "rate": 1, "interval": "1h" })).expect(204);
    let first = root.get("sys/mounts").expect(200);
    let header = |reply: &crate::support::client::Reply, name: &str| {
        reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header(&first, "x-ratelimit-limit").as_deref(), Some("1"));
    assert_eq!(header(&first, "x-ratelimit-remaining").as_deref(), Some("0"));
    assert_eq!(header(&first, "retry-after"), None);
    let second = root.get("sys/mounts").expect(429);
    assert_eq!(header(&second, "retry-after").as_deref(), Some("3600"));
    for _ in 0..3 {
        root.get("sys/health").expect(200);
    }
    root.get("sys/leader").expect(429);
    root.delete("sys/quotas/rate-limit/all").expect(204);
    let free = root.get("sys/mounts").expect(200);
    assert_eq!(header(&free, "x-ratelimit-limit"), None);
}

#[test]
fn a_quota_that_makes_no_sense_is_refused_in_words() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let write =
        |name: &str, body: Value| root.post(&format!("sys/quotas/rate-limit/{name}"), &body);
    write("q", json!({ "path": "aws/", "rate": 1 })).expect(204);
    for (body, told) in [
        (json!({ "path": "aws/" }), "'rate' is invalid".to_owned()),
        (json!({ "path": "aws/", "rate": "-1" }), "'rate' is invalid".to_owned()),
        (json!({ "path": "no/such", "rate": 1 }), "invalid mount path \"no/such\"".to_owned()),
        (
            json!({ "path": "aws", "rate": 1 }),
            "quota rule with similar properties exists under the name \"q\"".to_owned(),
        ),
    ] {
        assert_eq!(write("other", body).expect(400).errors(), [told]);
    }
    let by_role = write("other", json!({ "path": "auth/token", "rate": 1, "role": "r" }));
    assert!(by_role.expect(400).errors()[0].starts_with("quotas by `role` are not offered"));
    root.get("sys/quotas/rate-limit/other").expect(404);
}

#[test]
fn what_is_turned_away_is_audited_where_it_is_to_be() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let file = broker.data_dir().join("audit.log");
    let device = json!({ "type": "file", "options": { "file_path": file } });
    root.put("sys/audit/file", &device).expect(204);
    let quota = json!({ "path": "aws", "rate": 1, "interval": "1h" });
    root.post("sys/quotas/rate-limit/q", &quota).expect(204);
    let told = || {
        let text = std::fs::read_to_string(&file).unwrap();
        text.lines().filter(|line| line.contains("rate limit quota exceeded")).count()
    };
    assert_eq!(statuses(&broker, "aws/roles/r", 2), [200, 429]);
    assert_eq!(told(), 0, "not unless somebody asks for it");
    let config = json!({ "enable_rate_limit_audit_logging": true });
    root.post("sys/quotas/config", &config).expect(204);
    assert_eq!(statuses(&broker, "aws/roles/r", 1), [429]);
    assert_eq!(told(), 2, "what was asked, and what came of it");
}

#[test]
fn a_quota_on_a_login_counts_the_name_in_whatever_letters_it_comes() {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    root.post("sys/auth/People", &json!({ "type": "userpass" })).expect(204);
    root.post("auth/People/users/bob", &json!({ "password": "one" })).expect(204);
    let quota = json!({ "path": "auth/People/login/Bob", "rate": 2, "interval": "60s" });
    root.post("sys/quotas/rate-limit/bob", &quota).expect(204);
    let log_in = |name: &str| {
        let body = json!({ "password": "one" });
        root.anonymous().post(&format!("auth/People/login/{name}"), &body).status
    };
    assert_eq!(["bob", "BOB", "bOb", "Bob", "bob/"].map(log_in), [200, 200, 429, 429, 429]);
    // What names are not compared so is not counted so, and one path has one quota however it is written.
    let quota = json!({ "path": "aws/roles/r", "rate": 1, "interval": "60s" });
    root.post("sys/quotas/rate-limit/r", &quota).expect(204);
    assert_eq!(
        ["r", "R", "r"].map(|name| root.get(&format!("aws/roles/{name}")).status),
        [200, 404, 429]
    );
    let again = json!({ "path": "auth/People/login/bob", "rate": 9 });
    assert_eq!(
        root.post("sys/quotas/rate-limit/again", &again).expect(400).errors(),
        ["quota rule with similar properties exists under the name \"bob\""]
    );
    let some = json!({ "path": "auth/People/login/C*", "rate": 1, "interval": "60s" });
    root.post("sys/quotas/rate-limit/some", &some).expect(204);
    assert_eq!(["carol", "CARL"].map(log_in), [400, 429]);
    // The same of policies and entities by their names.
    let some = json!({ "path": "sys/policies/acl/ci", "rate": 1, "interval": "60s" });
    root.post("sys/quotas/rate-limit/policy", &some).expect(204);
    assert_eq!(
        ["CI", "ci"].map(|name| root.get(&format!("sys/policies/acl/{name}")).status),
        [404, 429]
    );
}
