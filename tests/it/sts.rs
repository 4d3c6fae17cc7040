//! Temporary credentials over the wire: each type end to end, what the gate sees of them, and what is left
//! when STS does not play along.

use std::time::Duration;

use embedded_aws::faults::Fault;
use leasehold::model::LeaseState;
use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::Reply;
use crate::support::{NARROW, S3_STAR, log};

const GROUP: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}}"#;

/// An engine at `aws/` and a role `deploy` in AWS; gives its ARN.
fn with_engine(broker: &TestBroker) -> String {
    broker.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    broker.aws.create_role("deploy", 43_200).unwrap()
}

fn write(broker: &TestBroker, role: &Value) -> Reply {
    broker.root().post("aws/roles/s", role)
}

/// An engine that repeats no call, and an `assumed_role` role.
fn assuming() -> TestBroker {
    let broker = TestBroker::new();
    let arn = with_engine(&broker);
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    broker.root().post("aws/config/root", &keys).expect(204);
    let role =
        json!({ "credential_type": "assumed_role", "role_arns": [arn], "policy_document": NARROW });
    write(&broker, &role).expect(204);
    broker
}

/// The parameters of the one call of that name.
fn sent(broker: &TestBroker, action: &str) -> std::collections::BTreeMap<String, String> {
    let calls = broker.faults.calls();
    let mut of_that_name = calls.iter().filter(|seen| seen.call.action == action);
    let only = of_that_name.next().unwrap_or_else(|| panic!("no {action}"));
    assert!(of_that_name.next().is_none(), "{action} was called twice");
    only.call.parameters.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Vault's members of an answer; ours are beside them.
fn keys(reply: &Reply) -> Vec<&str> {
    let ours = ["granted_ttl", "limited_by", "requested_ttl"];
    let mut keys: Vec<&str> =
        reply.data().as_object().unwrap().keys().map(String::as_str).collect();
    assert!(ours.iter().all(|key| keys.contains(key)), "{keys:?}");
    keys.retain(|key| !ours.contains(key));
    keys
}

#[test]
fn a_role_is_assumed_under_a_lease_that_ends_without_a_call() {
    let broker = assuming();
    let issued = broker.root().get("aws/sts/s?role_session_name=ci%20build%237").expect(200);

    assert_eq!(
        keys(&issued),
        ["access_key", "arn", "secret_key", "security_token", "session_token", "ttl"]
    );
    assert_eq!(issued.data()["security_token"], issued.data()["session_token"]);
    assert_eq!(issued.data()["ttl"], 3600);
    assert_eq!(
        (&issued.json["lease_duration"], &issued.json["renewable"]),
        (&json!(3600), &json!(false))
    );
    let arn = "arn:aws:sts::123456789012:assumed-role/deploy/ci_build_7";
    assert_eq!(issued.text_of("arn"), arn);
    let call = sent(&broker, "AssumeRole");
    assert_eq!(call["DurationSeconds"], "3600");
    assert_eq!(call["Policy"], NARROW);
    assert_eq!(broker.faults.actions(), ["GetCallerIdentity", "AssumeRole"]);

    let lease = issued.lease_id();
    assert!(lease.starts_with("aws/sts/s/"), "{lease}");
    let row = broker.row(&lease).unwrap();
    assert_eq!((row.user.as_ref(), row.credential_type.as_str()), (None, "assumed_role"));
    let seen = broker.lookup(&lease).expect(200);
    assert_eq!((&seen.data()["ttl"], &seen.data()["renewable"]), (&json!(3600), &json!(false)));
    let renewed = broker.root().put("sys/leases/renew", &json!({ "lease_id": lease })).expect(400);
    assert_eq!(renewed.errors(), ["lease is not renewable"]);

    broker.faults.clear_calls();
    let other = broker.root().put("aws/creds/s", &json!({})).expect(200).lease_id();
    assert_eq!(broker.faults.actions(), ["AssumeRole"], "the client is probed once");
    assert!(other.starts_with("aws/creds/s/"), "{other}");
    let name = sent(&broker, "AssumeRole")["RoleSessionName"].clone();
    assert!(name.starts_with("vault-root-s-"), "{name}");
    broker.faults.clear_calls();
    broker.revoke(&lease).expect(204);
    broker.lookup(&lease).expect(400);
    broker.advance(Duration::from_secs(3600));
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    assert!(broker.faults.calls().is_empty(), "no lease of a session needs AWS to end");
}

#[test]
fn a_federated_user_gets_the_groups_policies_with_the_roles_own_last() {
    let broker = TestBroker::new();
    with_engine(&broker);
    let own = broker.aws.create_managed_policy("own", NARROW).unwrap();
    let attached = broker.aws.create_managed_policy("attached", NARROW).unwrap();
    broker.aws.create_group("g1", &[], &[&attached]).unwrap();
    broker.aws.create_group("g2", &[("inline", GROUP)], &[]).unwrap();
    let role = json!({ "credential_type": "federation_token", "policy_document": NARROW,
        "policy_arns": [own], "iam_groups": ["g1", "g2"], "default_sts_ttl": "30m" });
    write(&broker, &role).expect(204);

    let issued = broker.root().post("aws/sts/s", &json!({})).expect(200);

    assert_eq!(
        keys(&issued),
        ["access_key", "secret_key", "security_token", "session_token", "ttl"]
    );
    let call = sent(&broker, "GetFederationToken");
    assert_eq!(call["DurationSeconds"], "1800");
    assert!(call["Name"].starts_with("vault-") && call["Name"].len() == 32, "{}", call["Name"]);
    let arns = ["PolicyArns.member.1.arn", "PolicyArns.member.2.arn"].map(|name| &call[name]);
    assert_eq!(arns, [&own, &attached]);
    let policy: Value = serde_json::from_str(&call["Policy"]).unwrap();
    let statement = |text: &str| serde_json::from_str::<Value>(text).unwrap()["Statement"].clone();
    assert_eq!(policy["Version"], "2012-10-17");
    assert_eq!(policy["Statement"], json!([statement(GROUP), statement(NARROW)[0]]));
}

#[test]
fn a_session_token_takes_a_second_factor() {
    let broker = TestBroker::new();
    with_engine(&broker);
    write(&broker, &json!({ "credential_type": "session_token" })).expect(204);
    let issued = broker.root().get("aws/creds/s?ttl=15m").expect(200);
    assert_eq!(
        keys(&issued),
        ["access_key", "secret_key", "security_token", "session_token", "ttl"]
    );
    assert_eq!(
        sent(&broker, "GetSessionToken").into_iter().collect::<Vec<_>>(),
        [("DurationSeconds".to_owned(), "900".to_owned())]
    );

    broker.faults.clear_calls();
    let serial = "arn:aws:iam::123456789012:mfa/nobodys";
    write(&broker, &json!({ "mfa_serial_number": serial })).expect(204);
    let refused = broker.root().get("aws/creds/s?mfa_code=123456").expect(400);
    assert!(
        refused.errors()[0].starts_with("Error generating STS keys: AccessDenied: MultiFactor")
    );
    let call = sent(&broker, "GetSessionToken");
    assert_eq!([call["SerialNumber"].as_str(), call["TokenCode"].as_str()], [serial, "123456"]);
    assert_eq!(broker.unfinished(), [issued.lease_id()]);
}

#[test]
fn what_cannot_be_chosen_is_told_before_sts_is_asked() {
    let broker = TestBroker::new();
    let arn = with_engine(&broker);
    let told = |path: &str| broker.root().get(path).expect(400).errors().remove(0);
    write(&broker, &json!({ "credential_type": "assumed_role", "role_arns": [arn, "arn:b"] }))
        .expect(204);
    let none = "did not supply a role_arn parameter and unable to determine one";
    assert_eq!(told("aws/creds/s"), none);
    assert_eq!(told("aws/creds/s?role_arn="), none);
    assert_eq!(
        told("aws/creds/s?role_arn=arn:evil"),
        r#"role_arn "arn:evil" not in allowed role arns for Vault role "s""#
    );
    broker.root().get(&format!("aws/creds/s?role_arn={arn}")).expect(200);
    broker
        .root()
        .post("aws/roles/f", &json!({ "credential_type": "federation_token" }))
        .expect(204);
    broker.faults.clear_calls();
    assert_eq!(
        told("aws/sts/f"),
        "must specify at least one of policy_arns or policy_document with federation_token credential_type"
    );
    let short = json!({ "default_sts_ttl": 899 });
    let refused = write(&broker, &short).expect(400).errors().remove(0);
    assert!(refused.starts_with("default_sts_ttl of 899 seconds is too short"), "{refused}");
    assert!(broker.faults.calls().is_empty());
}

#[test]
fn a_wide_session_policy_is_denied_in_whatever_way_it_comes() {
    let broker = TestBroker::enforcing();
    let arn = with_engine(&broker);
    broker.aws.create_group("wide", &[("all", S3_STAR)], &[]).unwrap();
    for kind in ["assumed_role", "federation_token"] {
        let arns = if kind == "assumed_role" { json!([arn]) } else { json!([]) };
        for grant in [
            json!({ "policy_document": S3_STAR }),
            json!({ "policy_arns": ["arn:aws:iam::aws:policy/AdministratorAccess"] }),
            json!({ "policy_document": NARROW, "iam_groups": ["wide"] }),
        ] {
            let mut role = json!({ "credential_type": kind, "role_arns": arns });
            role.as_object_mut().unwrap().extend(grant.as_object().unwrap().clone());
            let reply = write(&broker, &role).expect(400);
            assert_eq!(reply.data()["verdict"], "deny", "{kind} {grant}");
            broker.root().get("aws/roles/s").expect(404);
        }
    }
    // A group that grew after the role was written is judged at issue.
    broker.aws.create_group("g", &[("one", GROUP)], &[]).unwrap();
    let role = json!({ "credential_type": "federation_token", "iam_groups": ["g"] });
    write(&broker, &role).expect(204);
    let put = [("GroupName", "g"), ("PolicyName", "two"), ("PolicyDocument", S3_STAR)];
    broker.aws.call("PutGroupPolicy", &put).unwrap();
    broker.clock.advance(Duration::from_secs(301));
    broker.faults.clear_calls();
    assert_eq!(broker.root().get("aws/sts/s").expect(400).data()["verdict"], "deny");
    assert!(!broker.faults.actions().contains(&"GetFederationToken".to_owned()));
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

#[test]
fn a_group_that_cannot_be_read_is_never_left_out() {
    let broker = TestBroker::new();
    with_engine(&broker);
    let role = json!({ "credential_type": "federation_token", "policy_document": NARROW, "iam_groups": ["absent"] });
    write(&broker, &role).expect(200);
    let refused = broker.root().get("aws/sts/s").expect(400).errors().remove(0);
    assert!(refused.starts_with("NoSuchEntity: "), "{refused}");
    assert!(!broker.faults.actions().contains(&"GetFederationToken".to_owned()));
}

#[test]
fn whatever_sts_answers_no_row_stays_and_nothing_is_called_later() {
    for (fault, status, actions) in [
        (Fault::refuse(403, "AccessDenied"), 400, 1),
        (Fault::Throttle, 502, 1),
        (Fault::LostAfter, 400, 1),
        (Fault::TimeoutBefore, 400, 1),
        (Fault::ServerErrorAfter(500), 400, 1),
    ] {
        let broker = assuming();
        broker.root().get("aws/sts/s").expect(200);
        broker.settle();
        broker.faults.clear_calls();
        broker.faults.fail_next("AssumeRole", fault.clone());

        let reply = broker.root().get("aws/sts/s").expect(status);

        assert!(reply.errors()[0].starts_with("Error assuming role: "), "{:?}", reply.errors());
        broker.settle();
        assert_eq!(broker.unfinished(), Vec::<String>::new(), "{fault:?}");
        assert_eq!(broker.faults.actions(), vec!["AssumeRole".to_owned(); actions], "{fault:?}");
        broker.root().get("aws/sts/s").expect(200);
    }
}

#[test]
fn the_row_is_durable_before_sts_hears_of_anything() {
    let mut broker = assuming();
    broker.root().get("aws/sts/s").expect(200);
    let held = broker.faults.hold_next("AssumeRole");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/sts/s").status);
    broker.wait(held.arrived());
    let rows = broker.unfinished();
    assert_eq!(rows.len(), 2);
    let pending = |id: &&String| broker.row(id).unwrap().state == LeaseState::Pending;
    assert_eq!(rows.iter().filter(pending).count(), 1);
    held.release();
    assert_eq!(asking.join().unwrap(), 200);
    broker.lose_power();
    assert_eq!(broker.unfinished().len(), 2, "both were handed out");
}

#[test]
fn a_lease_is_no_longer_than_the_mount_allows_and_says_so() {
    let broker = assuming();
    write(&broker, &json!({ "max_sts_ttl": "4h" })).expect(204);
    let tuned = json!({ "default_lease_ttl": "30m", "max_lease_ttl": "1h" });
    broker.root().post("sys/mounts/aws/tune", &tuned).expect(204);
    let issued = broker.root().get("aws/sts/s?ttl=12h").expect(200);
    assert_eq!(sent(&broker, "AssumeRole")["DurationSeconds"], "14400");
    assert_eq!(
        (&issued.data()["ttl"], &issued.json["lease_duration"]),
        (&json!(14400), &json!(3600))
    );
    let cap =
        r#"TTL of "4h" exceeded the effective max_ttl of "1h"; TTL value is capped accordingly"#;
    assert_eq!(issued.warnings(), [cap]);
    write(&broker, &json!({ "max_sts_ttl": 0 })).expect(204);
    broker.faults.clear_calls();
    let cut = broker.root().get("aws/sts/s?ttl=12h").expect(200);
    assert_eq!(sent(&broker, "AssumeRole")["DurationSeconds"], "3600");
    assert_eq!(cut.warnings(), Vec::<String>::new());
}

#[test]
fn an_sts_that_does_not_know_the_broker_is_no_client_and_the_reason_is_in_the_log() {
    let broker = assuming();
    broker.faults.fail_every("GetCallerIdentity", Fault::refuse(403, "OddCodeOfTheProbe"));
    let reply = broker.root().get("aws/sts/s").expect(400);
    assert_eq!(reply.errors(), ["could not obtain sts client"]);
    assert!(!log::with("OddCodeOfTheProbe").is_empty());
    assert_eq!(broker.faults.actions(), ["GetCallerIdentity"]);
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    broker.faults.heal();
    broker.root().get("aws/sts/s").expect(200);
    let odd = json!({ "sts_endpoint": "http://127.0.0.1:1", "sts_fallback_endpoints": ["http://b"], "sts_fallback_regions": ["r"] });
    broker.root().post("aws/config/root", &odd).expect(204);
    let reply = broker.root().get("aws/sts/s").expect(400);
    assert_eq!(reply.errors(), ["number of regions does not match number of endpoints"]);
}
