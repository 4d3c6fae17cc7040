//! Both forms over the same numbers.

use std::time::Duration;

use super::*;

fn standing() -> Standing {
    // 2026-05-28 20:26:40 UTC; hours begin at 20:00.
    Standing {
        now: 1_780_000_000,
        pending: 1,
        active: vec![(1_779_991_200, 2), (1_779_998_400, 3), (1_780_002_000, 4)],
        ending: 5,
        uncontained: 2,
        oldest_uncontained_seconds: 61.5,
        stuck: 1,
        settling: 6,
        store_writes: 40,
        store_commits: 10,
        pace: Pace { slowed: 1, slowest: Some(2.5) },
        work: Work {
            compared: Some(Compared {
                finished: 1_779_999_000,
                orphans: 1,
                missing: 2,
                ..Compared::default()
            }),
            quarantined: true,
            jobs: Jobs { marking: 1, paused: 2, left: 7, ..Jobs::default() },
            overdue_root: 1,
            overdue_static: 0,
            last_backup: Some(1_779_996_400),
        },
    }
}

fn counted() -> Counted {
    let counted = Counted::default();
    let ms = Duration::from_millis;
    counted.issues.issued("iam_user", "aws/", Duration::from_hours(1), ms(200));
    counted.issues.failed("assumed_role", "a\"b\\c/", "denied");
    counted.leases.took(LeaseAct::Register, ms(2));
    counted.leases.took(LeaseAct::Register, ms(4));
    counted.leases.passed("removed");
    counted.leases.expired(Duration::from_secs(3));
    counted.leases.expiration_failed();
    counted.aws.answered("CreateUser", "ok", ms(50));
    counted.aws.answered("CreateUser", "throttled", ms(10));
    counted.verdicts.known(true);
    counted.verdicts.judged(false, ms(3));
    counted.verdicts.found("least-privilege", true);
    counted.verdicts.failed("own", "limit/fuel", "deny");
    counted.verdicts.suspended(1);
    counted.deliveries.looked("wait", false, ms(10_000));
    counted.deliveries.not_looked();
    counted.deliveries.placed("managed");
    counted.deliveries.repeated(Repeated::Replayed);
    counted.rotations.done(RotatedKey::Root);
    counted.rotations.failed(RotatedKey::Static);
    counted.leases.cut_off("tag", true);
    let line = counted.requests.line(":mount/creds/:name".to_owned(), "read");
    line.answered(200, ms(8));
    line.answered(418, ms(8));
    counted.requests.of_mount("team/aws/", "read", ms(8));
    counted.requests.of_mount("team/aws/", "read", ms(8));
    counted
}

fn metrics() -> Metrics {
    Metrics::new(counted(), "0.1.0", "1.21.0")
}

#[test]
fn the_text_has_our_names_and_vaults() {
    let text = metrics().text(&standing()).unwrap();
    for line in [
        r#"leasehold_build_info{version="0.1.0",api_version="1.21.0"} 1"#,
        r#"leasehold_issues_total{mount="aws/",outcome="issued",type="iam_user"} 1"#,
        r#"leasehold_issues_total{mount="a\"b\\c/",outcome="denied",type="assumed_role"} 1"#,
        r#"leasehold_aws_calls_total{operation="CreateUser",outcome="throttled"} 1"#,
        r#"leasehold_gate_verdicts_total{decision="deny",source="judged"} 1"#,
        r#"leasehold_guardrail_findings_total{guardrail="least-privilege"} 1"#,
        r#"leasehold_guardrail_denials_total{guardrail="least-privilege"} 1"#,
        r#"leasehold_guardrail_failures_total{guardrail="own",kind="limit/fuel",led_to="deny"} 1"#,
        "leasehold_guardrails_suspended 1",
        r#"leasehold_readiness_total{mode="wait",outcome="unproven"} 1"#,
        r#"leasehold_readiness_total{mode="wait",outcome="proven"} 0"#,
        r#"leasehold_readiness_total{mode="off",outcome="not_asked"} 1"#,
        r#"leasehold_readiness_wait_seconds_sum{mode="wait"} 10"#,
        r#"leasehold_placements_total{placement="managed"} 1"#,
        r#"leasehold_idempotency_total{outcome="replayed"} 1"#,
        r#"leasehold_idempotency_total{outcome="too_late"} 0"#,
        r#"leasehold_rotations_total{key="root",outcome="done"} 1"#,
        r#"leasehold_rotations_total{key="static",outcome="failed"} 1"#,
        r#"leasehold_session_revocations_total{by="tag",outcome="cut"} 1"#,
        "leasehold_quarantined 1",
        "leasehold_reconcile_age_seconds 1000",
        r#"leasehold_reconcile_found{kind="missing"} 2"#,
        r#"leasehold_revocation_jobs{state="paused"} 2"#,
        "leasehold_revocation_job_leases_left 7",
        r#"leasehold_rotations_overdue{key="root"} 1"#,
        "leasehold_last_backup_age_seconds 3600",
        r#"leasehold_http_requests_total{operation="read",route=":mount/creds/:name",status="other"} 1"#,
        r#"leasehold_http_request_duration_seconds_count{route=":mount/creds/:name"} 2"#,
        r#"leasehold_leases{state="active"} 9"#,
        r#"leasehold_leases{state="settling"} 6"#,
        "leasehold_oldest_uncontained_seconds 61.5",
        "leasehold_leases_stuck 1",
        "leasehold_aws_rate_limit 2.5",
        "leasehold_store_commits_total 10",
        "# TYPE vault_expire_num_leases gauge",
        "vault_expire_num_leases 14",
        "vault_expire_num_irrevocable_leases 0",
        r#"vault_expire_leases_by_expiration{namespace="root",expiring="2026-05-28 20:00:00 +0000 UTC"} 3"#,
        "# TYPE vault_expire_register summary",
        "vault_expire_register_sum 6",
        "vault_expire_register_count 2",
        "vault_expire_revoke_common_count 0",
        "vault_expire_lease_expiration 1",
        "vault_expire_lease_expiration_error 1",
        "vault_expire_lease_expiration_time_in_queue_sum 3000",
        "vault_core_handle_request_count 2",
        "vault_route_read_team_aws__count 2",
        r#"vault_secret_lease_creation{creation_ttl="1h",mount_point="aws/",namespace="root",secret_engine="aws"} 1"#,
    ] {
        assert!(text.lines().any(|own| own == line), "no `{line}` in\n{text}");
    }
    assert!(!text.contains("18:00:00"), "hours that are over are not coming");
    let mut names: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "each family stands once");
}

#[test]
fn the_json_is_shaped_as_vaults() {
    let json = metrics().json(&standing());
    assert_eq!(json["Timestamp"], "2026-05-28 20:26:40 +0000 UTC");
    let find = |list: &str, name: &str| {
        let items = json[list].as_array().unwrap();
        items.iter().find(|item| item["Name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let leases = find("Gauges", "vault.expire.num_leases");
    assert_eq!(leases["Value"], 14.0);
    assert_eq!(leases["Labels"], serde_json::json!({}));
    let created = find("Counters", "vault.secret.lease.creation");
    assert_eq!(created["Labels"]["mount_point"], "aws/");
    let register = find("Samples", "vault.expire.register");
    assert_eq!((register["Count"].to_string().as_str(), &register["Mean"]), ("2", &3.0.into()));
    find("Samples", "vault.route.read.team-aws-");
    find("Samples", "vault.expire.revoke-common");
    find("Counters", "leasehold_issues_total");
    find("Counters", "leasehold_readiness_total");
    assert_eq!(find("Gauges", "leasehold_quarantined")["Value"], 1.0);
    assert_eq!(json["Points"], serde_json::json!([]));
}

#[test]
fn nothing_counted_is_shown_all_the_same() {
    let metrics = Metrics::new(Counted::default(), "0.1.0", "1.21.0");
    let text = metrics.text(&Standing::default()).unwrap();
    assert!(text.contains("vault_expire_num_leases 0\n"), "{text}");
    assert!(!text.contains("leasehold_aws_rate_limit "), "all accounts are free");
    assert!(text.contains("leasehold_quarantined 0\n"), "{text}");
    assert!(!text.contains("leasehold_last_backup"), "none is known of");
    assert!(!text.contains("leasehold_reconcile"), "there was none");
}
