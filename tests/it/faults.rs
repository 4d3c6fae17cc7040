//! Faults while the broker lives: each AWS call of each kind of credential fails in every way, the database
//! is held by somebody else, the disk is full. The caller is told what happened, and in the end nothing
//! is left. Deaths of the process are [`crate::fail_points`]' and [`crate::crash`]'s.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use embedded_aws::faults::{Fault, Times};
use leasehold::model::LeaseState;
use leasehold::store::faulty::{Fault as StoreFault, Moment};
use serde_json::json;

use crate::support::aws_server::AwsServer;
use crate::support::broker::TestBroker;
use crate::support::client::Reply;
use crate::support::process::binary;
use crate::support::server::Server;
use crate::support::{NARROW, log};

/// A way to fail, how a caller recognises it, and whether AWS may have acted.
struct Way {
    fault: fn() -> Fault,
    says: &'static str,
    status: u16,
}

const WAYS: &[Way] = &[
    Way { fault: || Fault::refuse(403, "AccessDenied"), says: "AccessDenied", status: 400 },
    Way { fault: || Fault::refuse(409, "LimitExceeded"), says: "LimitExceeded", status: 400 },
    Way { fault: || Fault::LostBefore, says: "no clear answer", status: 400 },
    Way { fault: || Fault::LostAfter, says: "no clear answer", status: 400 },
    Way { fault: || Fault::TimeoutBefore, says: "no clear answer", status: 400 },
    Way { fault: || Fault::TimeoutAfter, says: "no clear answer", status: 400 },
    Way { fault: || Fault::ServerErrorBefore(500), says: "no clear answer", status: 400 },
    Way { fault: || Fault::ServerErrorAfter(500), says: "no clear answer", status: 400 },
    Way { fault: || Fault::ServerErrorAfter(503), says: "no clear answer", status: 400 },
    // Last: it makes the account's pace slow, in real time.
    Way { fault: || Fault::Throttle, says: "Throttling", status: 502 },
];

/// Each call of an issue, and how the error about it begins (contract 1.11).
const CALLS: &[(&str, &[(&str, &str)])] = &[
    (
        "creds/r",
        &[
            ("CreateUser", "Error creating IAM user: "),
            ("AttachUserPolicy", "Error attaching user policy: "),
            ("PutUserPolicy", "Error putting user policy: "),
            ("AddUserToGroup", "Error adding user to group: "),
            ("CreateAccessKey", "Error creating access keys: "),
        ],
    ),
    ("sts/s", &[("AssumeRole", "Error assuming role: ")]),
    ("sts/f", &[("GetFederationToken", "Error generating STS keys: ")]),
    ("sts/o", &[("GetSessionToken", "Error generating STS keys: ")]),
];

/// A broker with a role of each kind, that sends no call twice.
fn broker() -> TestBroker {
    let broker = TestBroker::new();
    let root = broker.root();
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let keys = json!({ "access_key": "AKIATESTTESTTESTTEST", "secret_key": "s", "max_retries": 0 });
    root.post("aws/config/root", &keys).expect(204);
    let managed = broker.aws.create_managed_policy("extra", NARROW).unwrap();
    broker.aws.create_group("readers", &[], &[]).unwrap();
    let arn = broker.aws.create_role("deploy", 43_200).unwrap();
    let write = |name: &str, role: &serde_json::Value| {
        root.post(&format!("aws/roles/{name}"), role).expect(204);
    };
    write(
        "r",
        &json!({
            "credential_type": "iam_user", "policy_document": NARROW, "policy_arns": [managed], "iam_groups": ["readers"],
        }),
    );
    write(
        "s",
        &json!({ "credential_type": "assumed_role", "role_arns": [arn], "policy_document": NARROW }),
    );
    write("f", &json!({ "credential_type": "federation_token", "policy_document": NARROW }));
    write("o", &json!({ "credential_type": "session_token" }));
    broker
}

fn secrets(reply: &Reply) -> Vec<String> {
    let parts = ["secret_key", "session_token"].map(|part| reply.data()[part].as_str());
    parts.into_iter().flatten().map(str::to_owned).collect()
}

/// Nothing is left of anything, once all is revoked.
fn check_end(broker: &TestBroker, given: &[String]) {
    broker.root().put("sys/leases/revoke-prefix/aws", &json!({})).expect(204);
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
    for secret in given {
        assert_eq!(log::with(secret), Vec::<String>::new(), "a secret is in the log");
    }
}

#[test]
fn each_call_of_an_issue_fails_in_every_way_and_the_caller_is_told_which() {
    for (path, calls) in CALLS {
        let path = format!("aws/{path}");
        for (call, begins) in *calls {
            let broker = broker();
            let mut given = secrets(&broker.root().get(&path).expect(200));
            for way in WAYS {
                let place = format!("{path}, {call}, {:?}", (way.fault)());
                broker.faults.fail_every(call, (way.fault)());
                let told = broker.root().get(&path);
                broker.faults.heal();
                assert_eq!(told.status, way.status, "{place}: {}", told.text);
                let text = told.errors().join("\n");
                assert!(text.starts_with(begins), "{place}: {text}");
                assert!(text.contains(way.says), "{place}: {text}");
                let (_, help) = text.split_once("\nhelp: nothing was ").expect(&text);
                assert!(help.contains("; ask again") || help.contains("then ask again"), "{place}");
                let user_is_there = call != &"CreateUser" && path.ends_with("/r");
                assert_eq!(help.contains("is being removed"), user_is_there, "{place}: {text}");
                assert!(told.json["data"].is_null(), "{place}: half an answer: {}", told.text);
            }
            given.extend(secrets(&broker.root().get(&path).expect(200)));
            assert!(given.len() >= 2);
            check_end(&broker, &given);
        }
    }
}

/// The calls of a revocation.
const TEARDOWN: &[&str] = &[
    "UpdateAccessKey",
    "ListUserTags",
    "ListAccessKeys",
    "ListUserPolicies",
    "ListAttachedUserPolicies",
    "ListGroupsForUser",
    "DeleteAccessKey",
    "DeleteUserPolicy",
    "DetachUserPolicy",
    "RemoveUserFromGroup",
    "DeleteUser",
];

#[test]
fn each_call_of_a_revocation_fails_in_every_way_and_it_is_finished_all_the_same() {
    for call in TEARDOWN {
        let broker = broker();
        for way in WAYS {
            let place = format!("{call}, {:?}", (way.fault)());
            let lease = broker.root().get("aws/creds/r").expect(200).lease_id();
            broker.faults.inject(call, Times::First(3), (way.fault)());
            let told = broker.revoke(&lease);
            // Where the key cannot be made inactive everything is denied, and it goes on.
            let expected = if *call == "UpdateAccessKey" { 204 } else { 400 };
            assert_eq!(told.status, expected, "{place}: {}", told.text);
            if told.status == 400 {
                let text = told.errors().join("\n");
                assert!(text.contains("failed to revoke entry"), "{place}: {text}");
                assert!(text.contains(way.says), "{place}: {text}");
                // It is ending, and not called gone.
                let row = broker.row(&lease).unwrap();
                assert!(matches!(row.state, LeaseState::Revoking(_)), "{place}: {:?}", row.state);
            }
            broker.faults.heal();
            broker.advance(Duration::from_mins(15));
            assert_eq!(broker.users(), Vec::<String>::new(), "{place}");
        }
        check_end(&broker, &[]);
    }
}

#[test]
fn a_renewal_that_cannot_be_written_is_an_error_and_the_lease_stays() {
    let broker = TestBroker::new().with_role();
    let issued = broker.issue().expect(200);
    let lease = issued.lease_id();
    let ttl = || broker.lookup(&lease).expect(200).data()["ttl"].as_i64().unwrap();
    let before = ttl();
    broker.clock.advance(Duration::from_secs(100));
    for (moment, left) in [(Moment::BeforeCommit, before - 100), (Moment::AfterCommit, 5_000)] {
        broker.store().spoil(1, StoreFault::Once(moment));
        let body = json!({ "lease_id": lease, "increment": 5_000 });
        let told = broker.root().put("sys/leases/renew", &body).expect(500);
        assert!(told.text.contains("internal error\\nhelp: the lease is kept"), "{}", told.text);
        assert_eq!(ttl(), left, "{moment:?}");
    }
    assert_eq!(broker.users().len(), 1);
}

/// Somebody's `sqlite3` in the data directory.
fn intruder(data: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(data.join("leasehold.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    database
}

#[test]
fn while_somebody_else_holds_the_database_nothing_is_issued_and_nothing_is_forgotten() {
    let broker = TestBroker::new().with_role();
    let lease = broker.issue().expect(200).lease_id();
    broker.faults.clear_calls();
    let held = intruder(broker.data_dir());
    let (issue, revoke) = std::thread::scope(|threads| {
        let issue = threads.spawn(|| broker.root().get("aws/creds/r"));
        let revoke =
            threads.spawn(|| broker.root().put("sys/leases/revoke", &json!({ "lease_id": lease })));
        (issue.join().unwrap(), revoke.join().unwrap())
    });
    let told = issue.expect(500).errors().join("\n");
    assert!(told.contains("help: no credential was handed out"), "{told}");
    let told = revoke.expect(400).errors().join("\n");
    assert!(told.contains("help: the lease may not be ending yet: ask again"), "{told}");
    assert_eq!(broker.faults.actions(), Vec::<String>::new(), "AWS heard of nothing without a row");
    assert!(!log::with("another process holds the database").is_empty(), "the log says why");
    drop(held);

    broker.lookup(&lease).expect(200);
    broker.revoke(&lease).expect(204);
    broker.issue().expect(200);
}

#[test]
fn what_was_made_while_the_database_was_taken_away_is_torn_down() {
    let broker = TestBroker::new().with_role();
    let gate = broker.faults.hold_next("CreateAccessKey");
    let root = broker.root();
    let asking = std::thread::spawn(move || root.get("aws/creds/r"));
    broker.wait(gate.arrived());
    let held = intruder(broker.data_dir());
    gate.release();
    let told = asking.join().unwrap().expect(500);
    assert!(!told.text.contains("secret_key"), "{}", told.text);
    drop(held);
    assert_eq!(broker.users().len(), 1);
    broker.settle();
    assert_eq!(broker.users(), Vec::<String>::new());
    assert_eq!(broker.unfinished(), Vec::<String>::new());
}

/// A server whose data lie on a disk of 6 MiB; nothing where the system does not let us have one.
fn on_a_small_disk(aws: &AwsServer) -> Option<Server> {
    let server = Server::start(aws);
    server.stop();
    let (data, copy) = (server.data(), server.data().with_extension("copy"));
    std::fs::rename(&data, &copy).unwrap();
    std::fs::create_dir(&data).unwrap();
    let mounted = "mount -t tmpfs -o size=6m,mode=700 tmpfs \"$0\" && cp -a \"$1\"/. \"$0\"";
    let probe = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", mounted])
        .args([&data, &copy])
        .output();
    if !probe.as_ref().is_ok_and(|output| output.status.success()) {
        println!("skipped: no small disk can be mounted here: {probe:?}");
        return None;
    }
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg(format!("{mounted} && shift && exec \"$@\""))
        .args([&data, &copy])
        .arg(binary().get_program());
    server.begin_as(command);
    Some(server)
}

#[test]
fn a_full_disk_refuses_new_work_loses_nothing_and_is_over_when_there_is_space() {
    let aws = AwsServer::start();
    let Some(server) = on_a_small_disk(&aws) else { return };
    let lease = server.root().get("aws/creds/r").expect(200).lease_id();
    let pid = server.with_process(|process| process.pid());
    // The disk as the server sees it.
    let data = server.data();
    let disk =
        Path::new("/proc").join(pid.to_string()).join("root").join(data.strip_prefix("/").unwrap());
    let ballast = disk.join("ballast");
    fill(&ballast);

    let mut refused = None;
    let mut given = vec![lease.clone()];
    // Some writes still fit into pages that are there already.
    for _ in 0..200 {
        let reply = server.root().get("aws/creds/r");
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
        given.push(reply.lease_id());
    }
    let refused = refused.expect("the disk is never full").expect(500);
    assert!(refused.text.contains("help: no credential was handed out"), "{}", refused.text);
    let revoked = server.root().put("sys/leases/revoke", &json!({ "lease_id": lease }));
    let told = revoked.expect(400).errors().join("\n");
    assert!(told.contains("help: the lease may not be ending yet: ask again"), "{told}");
    let renewed = server.root().put("sys/leases/renew", &json!({ "lease_id": lease }));
    assert!(matches!(renewed.status, 200 | 500), "{} {}", renewed.status, renewed.text);
    server.root().get("sys/health").expect(200);
    for lease in &given {
        server.root().put("sys/leases/lookup", &json!({ "lease_id": lease })).expect(200);
    }
    let log = server.log();
    assert!(log.contains("the disk is full"), "{log}");
    assert!(log.contains("help: free space"), "{log}");
    assert!(!log.contains("secret-of-the-broker"));

    std::fs::remove_file(&ballast).unwrap();
    given.push(server.root().get("aws/creds/r").expect(200).lease_id());
    for lease in &given {
        server.revoke(lease);
    }
    assert_eq!(aws.empty_within(Duration::from_secs(60)), Vec::<String>::new());
}

/// Writes until there is no space.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).unwrap();
    let mut size = 65_536;
    while size > 0 {
        match file.write(&vec![0; size]) {
            Ok(written) if written > 0 => {}
            _ => size /= 16,
        }
    }
}
