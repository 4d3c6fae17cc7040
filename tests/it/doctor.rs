//! The doctor, over the wire and on the command line: a healthy broker, one that may not do its work, one with
//! things left behind. It must never change anything.

use std::time::Duration;

use embedded_aws::faults::Fault;
use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::aws_server::{Act, AwsServer};
use crate::support::broker::TestBroker;
use crate::support::process::{Process, binary};

fn diagnose(broker: &TestBroker) -> Value {
    broker.root().get("sys/doctor").expect(200).data().clone()
}

/// Status and detail of a check.
fn check(diagnosis: &Value, name: &str) -> (String, String) {
    let checks = diagnosis["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no check `{name}` in {diagnosis}"));
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("status"), text("detail"))
}

#[test]
fn a_healthy_broker_is_healthy_and_nothing_is_changed() {
    let broker = TestBroker::new().with_role();
    broker.issue().expect(200);
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200);
    broker.faults.clear_calls();
    let diagnosis = diagnose(&broker);
    assert_eq!(diagnosis["status"], "ok", "{diagnosis}");
    let (_, who) = check(&diagnosis, "sts aws/");
    assert_eq!(who, "account 123456789012 as arn:aws:iam::123456789012:user/account-admin");
    assert_eq!(check(&diagnosis, "clock aws/").1, "as AWS's");
    assert_eq!(check(&diagnosis, "clock iam aws/").1, "as AWS's");
    assert_eq!(check(&diagnosis, "permissions aws/").1, "all that the roles need");
    assert!(check(&diagnosis, "orphans").1.starts_with("0 orphans, 0 of them policies, 0 leases"));
    assert!(
        diagnosis["policy"].as_str().unwrap().contains("arn:aws:iam::123456789012:user/vault-*")
    );
    for action in broker.faults.actions() {
        let reads = ["Get", "List", "Simulate"].iter().any(|start| action.starts_with(start));
        assert!(reads, "{action}");
    }
}

#[test]
fn what_the_broker_may_not_do_is_named() {
    let broker = TestBroker::new().with_role();
    let most = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Deny","Action":"iam:DeleteUser","Resource":"*"}]}"#;
    as_the_broker(&broker, most);
    let put = |document: &str| {
        let put = [("UserName", "the-broker"), ("PolicyName", "p"), ("PolicyDocument", document)];
        broker.aws.call("PutUserPolicy", &put).unwrap();
    };
    let (status, detail) = check(&diagnose(&broker), "permissions aws/");
    assert_eq!((status.as_str(), detail.as_str()), ("fail", "not allowed: iam:DeleteUser"));

    // Without the simulator: what reads show, and that the rest is not known.
    put(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:List*","Resource":"*"}]}"#,
    );
    let (status, detail) = check(&diagnose(&broker), "permissions aws/");
    assert_eq!(status, "unknown", "{detail}");
    assert!(detail.starts_with("reads are allowed; the rest could not be asked about"));
    put(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "permissions aws/").0, "fail");
    assert_eq!(check(&diagnosis, "iam aws/").0, "warn");
    assert_eq!(diagnosis["status"], "fail");
}

#[test]
fn what_is_left_behind_is_told() {
    let broker = TestBroker::new().with_role();
    assert_eq!(check(&diagnose(&broker), "orphans").0, "unknown");
    let id = broker.root().get("sys/health").json["cluster_id"].as_str().unwrap().to_owned();
    let tags = [("leasehold:broker", id.as_str()), ("leasehold:lease", "abcdefghijklmnopqrstuvwx")];
    broker.aws.create_user("vault-left", "/", &tags).unwrap();
    let lease = broker.issue().expect(200).lease_id();
    broker.faults.fail_every("DeleteUser", Fault::refuse(403, "AccessDenied"));
    broker.revoke(&lease).expect(400);
    for _ in 0..8 {
        broker.advance(Duration::from_secs(600));
    }
    broker.root().post("sys/leases/reconcile", &json!({})).expect(200);
    let diagnosis = diagnose(&broker);
    let (status, detail) = check(&diagnosis, "orphans");
    assert_eq!(status, "warn");
    assert!(detail.starts_with("1 orphans"), "{detail}");
    let (status, detail) = check(&diagnosis, "teardowns");
    assert_eq!(status, "fail");
    assert!(detail.contains(&lease) && detail.contains("AccessDenied"), "{detail}");
    broker.faults.fail_every("*", Fault::LostBefore);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "iam aws/").0, "fail");
}

#[test]
fn the_command_line_shows_the_checks_and_the_policy() {
    let server = Process::dev(&["--dev-root-token-id", "root"]);
    server.root().post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
    server.root().post("aws/roles/r", &role).expect(204);
    let run = |arguments: &[&str], address: &str| {
        let mut command = binary();
        command.args(arguments).env("VAULT_ADDR", address).env("VAULT_TOKEN", "root");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, shown) = run(&["doctor"], &server.url);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("permissions aws/") && shown.contains("help: orphans: "), "{shown}");
    let (code, json) = run(&["doctor", "--format", "json"], &server.url);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["status"], "unknown");
    let (code, policy) = run(&["doctor", "--policy"], &server.url);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&policy).unwrap()["Version"], "2012-10-17");
    let (code, _) = run(&["doctor"], "http://127.0.0.1:1");
    assert_eq!(code, Some(3));
}

/// A user that may do what the document says, as `config/root` of `aws/`.
fn as_the_broker(broker: &TestBroker, document: &str) {
    broker.aws.create_user("the-broker", "/", &[]).unwrap();
    let put = [("UserName", "the-broker"), ("PolicyName", "p"), ("PolicyDocument", document)];
    broker.aws.call("PutUserPolicy", &put).unwrap();
    let keys = broker.aws.call("CreateAccessKey", &[("UserName", "the-broker")]).unwrap();
    let element = |name: &str| {
        let inside = keys.split(&format!("<{name}>")).nth(1).unwrap();
        inside.split('<').next().unwrap().to_owned()
    };
    let root = json!({ "access_key": element("AccessKeyId"), "secret_key": element("SecretAccessKey"), "max_retries": 0 });
    broker.root().post("aws/config/root", &root).expect(204);
}

fn asked(broker: &TestBroker) -> Vec<String> {
    let calls = broker.faults.calls();
    let questions = calls.iter().filter(|seen| seen.call.action == "SimulatePrincipalPolicy");
    let actions = questions.flat_map(|seen| {
        let parameters = seen.call.parameters.iter();
        let named = parameters.filter(|(name, _)| name.starts_with("ActionNames."));
        named.map(|(_, action)| action.clone()).collect::<Vec<_>>()
    });
    actions.collect()
}

#[test]
fn only_what_the_stored_roles_need_is_asked_and_printed() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let deploy = broker.aws.create_role("deploy", 3600).unwrap();
    let may = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": deploy },
        { "Effect": "Allow", "Resource": "*",
          "Action": ["iam:ListUsers", "iam:ListPolicies", "iam:SimulatePrincipalPolicy"] },
    ] });
    as_the_broker(&broker, &may.to_string());
    let none = diagnose(&broker);
    assert_eq!(check(&none, "permissions aws/").1, "there is no role that needs any");
    let usual: Value = serde_json::from_str(none["policy"].as_str().unwrap()).unwrap();
    assert_eq!(usual["Statement"][0]["Sid"], "GivesOnlyWhatTheBoundaryLetsThrough");

    let role = json!({ "credential_type": "assumed_role", "role_arns": [deploy] });
    root.post("aws/roles/a", &role).expect(204);
    broker.faults.clear_calls();
    let diagnosis = diagnose(&broker);
    let (status, detail) = check(&diagnosis, "permissions aws/");
    assert_eq!((status.as_str(), detail.as_str()), ("ok", "all that the roles need"));
    let questions = asked(&broker);
    assert!(questions.contains(&"sts:AssumeRole".to_owned()), "{questions:?}");
    assert!(!questions.iter().any(|action| action.contains("User") && action != "iam:ListUsers"));
    let printed = diagnosis["policy"].as_str().unwrap();
    assert!(printed.contains(&deploy) && !printed.contains("CreateUser"), "{printed}");
    assert!(printed.contains("arn:aws:iam::123456789012:user/the-broker"), "{printed}");

    // Another role, another need: it is asked for, missed, and printed.
    let federated = json!({ "credential_type": "federation_token", "policy_document": NARROW });
    root.post("aws/roles/f", &federated).expect(204);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "permissions aws/").1, "not allowed: sts:GetFederationToken");
    assert!(diagnosis["policy"].as_str().unwrap().contains("sts:GetFederationToken"));
    // What is printed is enough.
    let put = [
        ("UserName", "the-broker"),
        ("PolicyName", "p"),
        ("PolicyDocument", diagnosis["policy"].as_str().unwrap()),
    ];
    broker.aws.call("PutUserPolicy", &put).unwrap();
    assert_eq!(check(&diagnose(&broker), "permissions aws/").0, "ok");
    root.get("aws/sts/a").expect(200);
    root.get("aws/sts/f").expect(200);
}

#[test]
fn the_policy_that_is_printed_for_users_with_a_boundary_and_groups_is_enough() {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:Simulate*","Resource":"*"}]}"#;
    as_the_broker(&broker, nothing);
    let bound = broker.aws.create_managed_policy("bound", NARROW).unwrap();
    broker.aws.create_group("devs", &[("p", NARROW)], &[]).unwrap();
    let role = json!({
        "credential_type": "iam_user", "policy_document": NARROW, "user_path": "/apps/",
        "permissions_boundary_arn": bound, "iam_groups": ["devs"], "placement": "managed",
    });
    // In this mode it warns of what it may not read.
    root.post("aws/roles/r", &role).expect(200);
    let diagnosis = diagnose(&broker);
    let (status, detail) = check(&diagnosis, "permissions aws/");
    assert_eq!(status, "fail");
    for action in ["iam:CreateUser", "iam:AddUserToGroup", "iam:CreatePolicy", "iam:GetGroupPolicy"]
    {
        assert!(detail.contains(action), "{action}: {detail}");
    }
    let printed = diagnosis["policy"].as_str().unwrap().to_owned();
    assert!(printed.contains(&bound) && printed.contains("user/apps/vault-*"), "{printed}");
    broker
        .aws
        .call(
            "PutUserPolicy",
            &[("UserName", "the-broker"), ("PolicyName", "p"), ("PolicyDocument", &printed)],
        )
        .unwrap();
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "permissions aws/").1, "all that the roles need");
    // A group may stand under a path or not: to be allowed where it does is enough.
    let mut narrower: Value = serde_json::from_str(&printed).unwrap();
    for statement in narrower["Statement"].as_array_mut().unwrap() {
        if let Some(resources) = statement["Resource"].as_array_mut() {
            resources.retain(|resource| !resource.as_str().unwrap().contains("/*/"));
        }
    }
    let narrower = narrower.to_string();
    assert!(narrower.contains("group/devs") && !narrower.contains("group/*/devs"));
    let put =
        [("UserName", "the-broker"), ("PolicyName", "p"), ("PolicyDocument", narrower.as_str())];
    broker.aws.call("PutUserPolicy", &put).unwrap();
    assert_eq!(check(&diagnose(&broker), "permissions aws/").1, "all that the roles need");
    let lease = root.get("aws/creds/r").expect(200).lease_id();
    broker.revoke(&lease).expect(204);
    broker.settle();
    assert!(broker.unfinished().is_empty(), "{:?}", broker.row(&lease));
    assert_eq!(broker.users(), ["the-broker"]);
}

/// `config/root` of `aws/` with these endpoints of STS.
fn with_endpoints(broker: &TestBroker, iam: &str, sts: &[&str]) {
    let regions: Vec<&str> = sts.iter().map(|_| "eu-west-1").collect();
    let root = json!({
        "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0,
        "iam_endpoint": iam, "sts_endpoint": sts[0], "sts_region": "eu-west-1",
        "sts_fallback_endpoints": sts[1..], "sts_fallback_regions": regions[1..],
    });
    broker.root().post("aws/config/root", &root).expect(204);
}

#[test]
fn every_endpoint_of_a_mount_is_asked_and_the_clock_of_each_is_told() {
    let broker = TestBroker::new().with_role();
    let iam = AwsServer::over(&broker.aws);
    let (first, second) = (iam.beside(), iam.beside());
    let elsewhere = AwsServer::over(&broker.other_aws);
    with_endpoints(&broker, &iam.url, &[&first.url, &second.url, &elsewhere.url]);
    // The broker's clock says 20:26:40.
    iam.date("Thu, 28 May 2026 20:27:50 GMT");
    first.date("Thu, 28 May 2026 20:26:40 GMT");
    second.date("Thu, 28 May 2026 20:20:00 GMT");
    second.decide(|_| Act::Unknown);

    let diagnosis = diagnose(&broker);
    let at = |server: &AwsServer| format!("aws/ at {}", server.host());
    let seen = |name: String| check(&diagnosis, &name);
    assert_eq!(seen(format!("sts {}", at(&first))).0, "ok");
    assert_eq!(seen(format!("clock {}", at(&first))).1, "as AWS's");
    // It refuses, and its answer shows why.
    let (status, detail) = seen(format!("sts {}", at(&second)));
    assert_eq!(status, "warn", "another one stands in for it: {detail}");
    assert!(detail.contains("InvalidClientTokenId"), "{detail}");
    assert_eq!(
        seen(format!("clock {}", at(&second))),
        ("fail".to_owned(), "400 s ahead of AWS's".to_owned())
    );
    let (status, detail) = seen(format!("sts {}", at(&elsewhere)));
    assert_eq!((status.as_str(), detail.contains("account 210987654321")), ("fail", true));
    assert_eq!(seen(format!("clock {}", at(&elsewhere))).0, "unknown");
    assert_eq!(seen("iam aws/".to_owned()).1, "answers");
    assert_eq!(
        seen("clock iam aws/".to_owned()),
        ("warn".to_owned(), "70 s behind AWS's".to_owned())
    );

    // None answers: nobody is known, and IAM's trouble is told apart.
    first.decide(|_| Act::ResetBefore);
    elsewhere.decide(|_| Act::ResetBefore);
    iam.decide(|_| Act::ErrorBefore);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, &format!("sts {}", at(&first))).0, "fail");
    assert_eq!(check(&diagnosis, "iam aws/").0, "fail");
    assert_eq!(check(&diagnosis, "permissions aws/").0, "unknown");
}

#[test]
fn mounts_of_one_account_with_other_ways_to_sts_are_asked_each() {
    let broker = TestBroker::new().with_role();
    let iam = AwsServer::over(&broker.aws);
    let (first, second) = (iam.beside(), iam.beside());
    with_endpoints(&broker, &iam.url, &[&first.url]);
    broker.root().post("sys/mounts/second", &json!({ "type": "aws" })).expect(204);
    let root = json!({
        "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0,
        "iam_endpoint": iam.url, "sts_endpoint": second.url,
    });
    broker.root().post("second/config/root", &root).expect(204);
    second.decide(|_| Act::Refuse);
    let diagnosis = diagnose(&broker);
    assert_eq!(check(&diagnosis, "sts aws/").0, "ok");
    assert_eq!(check(&diagnosis, "sts second/").0, "fail");
    check(&diagnosis, "permissions aws/ second/");
}
