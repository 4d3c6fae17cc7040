//! `sys/metrics`: what a scraper gets, by Vault's names and ours, after things happened; who may read it;
//! and what it must never show.

use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::json;

use crate::support::broker::{ROOT, TestBroker};
use crate::support::client::Reply;
use crate::support::process::Process;

fn scrape(broker: &TestBroker) -> String {
    broker.root().get("sys/metrics?format=prometheus").expect(200).text
}

/// The value of the line that begins with `series`.
#[track_caller]
fn value<'a>(text: &'a str, series: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no `{series}` in\n{text}"))
}

/// The same, as a number.
#[track_caller]
fn number(text: &str, series: &str) -> f64 {
    value(text, series).parse().unwrap()
}

fn type_of(reply: &Reply) -> &str {
    reply.headers["content-type"].to_str().unwrap()
}

#[test]
fn the_content_types_are_vaults() {
    let broker = TestBroker::new();
    let text = broker.root().get("sys/metrics?format=prometheus").expect(200);
    assert_eq!(type_of(&text), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(text.headers["cache-control"], "no-store");
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let scraper = broker.root().with_header("Accept", accept);
    let unasked = scraper.get("sys/metrics").expect(200);
    assert_eq!(type_of(&unasked), type_of(&text));
    let json = broker.root().get("sys/metrics").expect(200);
    assert_eq!(type_of(&json), "application/json");
    assert!(json.json.get("request_id").is_none(), "no envelope");
    assert!(json.json["Gauges"].is_array() && json.json["Samples"].is_array());
    let wrong = broker.root().get("sys/metrics?format=xml").expect(400);
    assert_eq!(wrong.text, "metric response format \"xml\" unknown");
    assert_eq!(type_of(&wrong), "text/plain");
}

#[test]
fn a_scrape_needs_a_token_that_may() {
    let broker = TestBroker::new();
    broker.root().anonymous().get("sys/metrics").expect(403);
    broker.root().with_token("hvs.nobodys").get("sys/metrics").expect(403);
    broker.root().post("sys/metrics", &json!({})).expect(405);
    let token_with = |policy: &str| {
        let body = json!({ "policies": [policy] });
        let made = broker.root().post("auth/token/create", &body).expect(200);
        broker.root().with_token(made.json["auth"]["client_token"].as_str().unwrap())
    };
    token_with("default").get("sys/metrics").expect(403);
    let policy = r#"path "sys/metrics" { capabilities = ["read"] }"#;
    broker.root().put("sys/policies/acl/scraper", &json!({ "policy": policy })).expect(204);
    let scraper = token_with("scraper");
    scraper.get("sys/metrics?format=prometheus").expect(200);
    scraper.get("sys/mounts").expect(403);
}

#[test]
fn a_listener_may_open_the_metrics_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("leasehold.toml");
    let text = "[listener]\naddress = \"127.0.0.1:0\"\n[listener.telemetry]\nunauthenticated_metrics_access = true\n";
    std::fs::write(&config, text).unwrap();
    let server = Process::start(&["server", "--dev", "--config", config.to_str().unwrap()]);
    let anyone = server.root().anonymous();
    let text = anyone.get("sys/metrics?format=prometheus").expect(200).text;
    assert!(text.contains("vault_core_unsealed 1\n"));
    anyone.get("sys/mounts").expect(403);
    anyone.post("sys/metrics", &json!({})).expect(403);
}

#[test]
fn an_issue_and_its_end_are_counted_by_both_names() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    broker.issue().expect(200);
    broker.root().put("sys/leases/renew", &json!({ "lease_id": lease })).expect(200);
    let text = scrape(&broker);
    let issued = r#"leasehold_issues_total{mount="aws/",outcome="issued",type="iam_user"}"#;
    assert_eq!(value(&text, issued), "2");
    assert_eq!(value(&text, r#"leasehold_issue_duration_seconds_count{type="iam_user"}"#), "2");
    assert_eq!(value(&text, r#"leasehold_leases{state="active"}"#), "2");
    assert_eq!(value(&text, "vault_expire_num_leases"), "2");
    assert_eq!(value(&text, "vault_expire_register_count"), "2");
    assert_eq!(value(&text, "vault_expire_renew_count"), "1");
    let created = r#"vault_secret_lease_creation{creation_ttl="+Inf",mount_point="aws/",namespace="root",secret_engine="aws"}"#;
    assert_eq!(value(&text, created), "2");
    let call = r#"leasehold_aws_calls_total{operation="CreateUser",outcome="ok"}"#;
    assert_eq!(value(&text, call), "2");
    let route = r#"leasehold_http_requests_total{operation="read",route=":mount/creds/:name",status="200"}"#;
    assert_eq!(value(&text, route), "2");
    assert_eq!(value(&text, "vault_route_read_aws__count"), "2");
    assert!(number(&text, "vault_core_handle_request_count") >= 4.0);
    assert!(number(&text, "leasehold_store_commits_total") >= 5.0);
    assert!(text.contains("leasehold_build_info{version="));
    let by_hour: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("vault_expire_leases_by_expiration{"))
        .collect();
    assert!(by_hour.is_empty(), "32 days ahead is more than a week: {by_hour:?}");

    broker.revoke(&lease).expect(204);
    let text = scrape(&broker);
    assert_eq!(value(&text, r#"leasehold_leases{state="active"}"#), "1");
    assert_eq!(value(&text, r#"leasehold_leases{state="settling"}"#), "1");
    assert_eq!(value(&text, "vault_expire_num_leases"), "1");
    assert_eq!(value(&text, "vault_expire_revoke_count"), "1");
    assert_eq!(value(&text, "vault_expire_revoke_common_count"), "1");
    assert_eq!(value(&text, r#"leasehold_teardown_passes_total{outcome="removed"}"#), "1");
    assert_eq!(value(&text, "leasehold_removal_seconds_count"), "1");
    broker.settle();
    let text = scrape(&broker);
    assert_eq!(value(&text, r#"leasehold_leases{state="settling"}"#), "0");
}

#[test]
fn the_hours_in_which_leases_end_are_shown() {
    let broker = TestBroker::new().with_role();
    let lease = json!({ "lease": "90m", "lease_max": "24h" });
    broker.root().post("aws/config/lease", &lease).expect(204);
    broker.issue().expect(200);
    // The tests begin at 20:26:40.
    let hour = r#"vault_expire_leases_by_expiration{namespace="root",expiring="2026-05-28 21:00:00 +0000 UTC"}"#;
    assert_eq!(value(&scrape(&broker), hour), "1");
    let json = broker.root().get("sys/metrics").expect(200).json;
    let gauges = json["Gauges"].as_array().unwrap();
    let own = |gauge: &&serde_json::Value| gauge["Name"] == "vault.expire.leases.by_expiration";
    let shown = gauges.iter().find(own).unwrap();
    assert_eq!(shown["Labels"]["expiring"], "2026-05-28 21:00:00 +0000 UTC");
    broker.advance(Duration::from_secs(90 * 60 + 20));
    let text = scrape(&broker);
    assert_eq!(value(&text, "vault_expire_lease_expiration"), "1");
    assert_eq!(value(&text, "vault_expire_lease_expiration_time_in_queue_sum"), "20000");
    assert_eq!(value(&text, "vault_expire_num_leases"), "0");
}

#[test]
fn a_credential_that_cannot_be_taken_back_is_an_alert() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    for operation in ["UpdateAccessKey", "ListUserTags", "PutUserPolicy", "DeleteAccessKey"] {
        broker.faults.fail_every(operation, Fault::refuse(403, "AccessDenied"));
    }
    broker.revoke(&lease).expect(400);
    let text = scrape(&broker);
    assert_eq!(value(&text, "leasehold_leases_uncontained"), "1");
    assert_eq!(value(&text, "leasehold_leases_stuck"), "0");
    assert_eq!(value(&text, r#"leasehold_leases{state="ending"}"#), "1");
    assert_eq!(value(&text, "vault_expire_num_leases"), "1", "it is still ours to end");
    assert_eq!(value(&text, r#"leasehold_teardown_passes_total{outcome="access_denied"}"#), "1");
    broker.settle();
    let text = scrape(&broker);
    assert_eq!(value(&text, "leasehold_oldest_uncontained_seconds"), "3720");
    assert_eq!(value(&text, "leasehold_leases_stuck"), "1");
    assert_eq!(value(&text, "vault_expire_num_irrevocable_leases"), "0", "nothing is given up");
    broker.faults.heal();
    broker.settle();
    let text = scrape(&broker);
    assert_eq!(value(&text, "leasehold_leases_uncontained"), "0");
    assert_eq!(value(&text, "leasehold_oldest_uncontained_seconds"), "0");
    assert_eq!(value(&text, "leasehold_leases_stuck"), "0");
}

#[test]
fn throttling_and_failures_are_told_apart() {
    let broker = TestBroker::new().with_role();
    broker.faults.fail_every("CreateUser", Fault::refuse(400, "Throttling"));
    broker.issue();
    let text = scrape(&broker);
    let throttled = r#"leasehold_aws_calls_total{operation="CreateUser",outcome="throttled"}"#;
    assert!(number(&text, throttled) >= 1.0);
    assert_eq!(value(&text, "leasehold_aws_slowed_accounts"), "1");
    assert!(number(&text, "leasehold_aws_rate_limit") >= 1.0);
    let failed = r#"leasehold_issues_total{mount="aws/",outcome="aws_throttled",type="iam_user"}"#;
    assert_eq!(value(&text, failed), "1");
}

#[test]
fn the_counts_of_leases_survive_a_restart() {
    let mut broker = TestBroker::new().with_role();
    broker.issue().expect(200);
    broker.restart();
    let text = scrape(&broker);
    assert_eq!(value(&text, "vault_expire_num_leases"), "1");
    assert_eq!(value(&text, r#"leasehold_leases{state="active"}"#), "1");
}

#[test]
fn no_secret_no_caller_and_no_path_is_in_what_is_shown() {
    let broker = TestBroker::new().with_role();
    let issued = broker.issue().expect(200);
    broker.root().get("aws/roles/strange-name-of-a-role").expect(404);
    broker.root().get("sys/leases/nothing-like-it").expect(404);
    broker.root().get("strange-mount/x").expect(404);
    let json = broker.root().get("sys/metrics").expect(200).text;
    for shown in [scrape(&broker), json] {
        let (id, secret) = (issued.text_of("access_key"), issued.text_of("secret_key"));
        let lease = issued.lease_id();
        for hidden in [&id, &secret, &lease, ROOT, "strange", "nothing-like-it"] {
            assert!(!shown.contains(hidden), "`{hidden}` is in\n{shown}");
        }
    }
}

#[test]
fn docs_metrics_names_everything_that_is_shown() {
    let broker = TestBroker::new().with_role();
    broker.faults.fail_every("CreateUser", Fault::refuse(400, "Throttling"));
    broker.issue();
    let text = scrape(&broker);
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/METRICS.md"));
    let docs = docs.unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let own =
        types.filter_map(|line| line.split(' ').next()).filter(|n| n.starts_with("leasehold_"));
    let missing: Vec<_> = own.filter(|name| !docs.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/METRICS.md: {missing:?}");
}
