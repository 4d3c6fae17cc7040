//! The real binary dies at every step: before and after each write of the store, and before and after AWS
//! acts on each call, for every kind of credential and every way to end one. Each time it is started again
//! on the same data: no user without a lease, no credential without one, no half of an answer. Writes
//! are killed by fail points, which only a debug build has; calls by the AWS, from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::NARROW;
use crate::support::aws_server::{Act, AwsServer};
use crate::support::client::Reply;
use crate::support::process::Process;
use crate::support::server::Server;

/// A server, its AWS, and what is done with them.
struct Walk {
    aws: AwsServer,
    server: Server,
    flow: Flow,
}

/// Something that a client does; it begins with what it needs, e.g. a lease.
#[derive(Clone, Copy)]
struct Flow {
    name: &'static str,
    /// Makes what is needed; gives the lease that it is about.
    prepare: fn(&Server) -> Option<String>,
    /// The request that the process dies in.
    ask: fn(&Server, &str) -> Result<Reply, String>,
    /// The statuses of a whole answer, the process having survived or died after it was sent.
    answers: &'static [u16],
    /// Whether the lease of `prepare` may live on afterwards.
    keeps_the_lease: bool,
    /// What must become so after each restart, beside what holds for every flow.
    becomes: fn(&Walk) -> bool,
}

/// How a walk breaks things.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    /// At a write of the store, by a fail point.
    Write,
    /// When a call arrives: AWS never acts on it.
    CallBefore,
    /// When AWS has acted on a call, before it answers.
    CallAfter,
}

fn nothing(_: &Server) -> Option<String> {
    None
}

#[expect(clippy::unnecessary_wraps, reason = "as `Flow::prepare` wants it")]
fn lease_of_r(server: &Server) -> Option<String> {
    let issued = server.ask("GET", "aws/creds/r", &Value::Null).unwrap().expect(200);
    Some(issued.lease_id())
}

const ISSUE: Flow = Flow {
    name: "issue iam_user",
    prepare: nothing,
    ask: |server, _| server.ask("GET", "aws/creds/r", &Value::Null),
    answers: &[200],
    keeps_the_lease: true,
    becomes: |_| true,
};
const RENEW: Flow = Flow {
    name: "renew",
    prepare: lease_of_r,
    ask: |server, lease| {
        server.ask("PUT", "sys/leases/renew", &json!({ "lease_id": lease, "increment": 7200 }))
    },
    answers: &[200],
    keeps_the_lease: true,
    becomes: |_| true,
};
const REVOKE: Flow = Flow {
    name: "revoke",
    prepare: lease_of_r,
    ask: |server, lease| server.ask("PUT", "sys/leases/revoke", &json!({ "lease_id": lease })),
    answers: &[204],
    keeps_the_lease: false,
    becomes: |_| true,
};
const REVOKE_PREFIX: Flow = Flow {
    name: "revoke-prefix",
    // A role of its own each time: what was killed while it was deleted is not believed to be gone before
    // it is five minutes old, and would be counted again and again.
    prepare: |server| {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("p{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let role = json!({ "credential_type": "iam_user", "policy_document": NARROW });
        server.write_role(&name, &role);
        let issue = || server.root().get(&format!("aws/creds/{name}")).expect(200).lease_id();
        drop(issue());
        Some(issue())
    },
    ask: |server, lease| {
        let prefix = lease.rsplit_once('/').unwrap().0;
        server.ask("PUT", &format!("sys/leases/revoke-prefix/{prefix}"), &json!({}))
    },
    answers: &[204],
    keeps_the_lease: false,
    becomes: |_| true,
};
const ASSUME: Flow = Flow {
    name: "issue assumed_role",
    prepare: nothing,
    ask: |server, _| server.ask("GET", "aws/sts/s", &Value::Null),
    ..ISSUE
};
const FEDERATE: Flow = Flow {
    name: "issue federation_token",
    prepare: nothing,
    ask: |server, _| server.ask("GET", "aws/sts/f", &Value::Null),
    ..ISSUE
};
const SESSION: Flow = Flow {
    name: "issue session_token",
    prepare: nothing,
    ask: |server, _| server.ask("GET", "aws/sts/o", &Value::Null),
    ..ISSUE
};
const REVOKE_SESSION: Flow = Flow {
    name: "revoke assumed_role",
    prepare: |server| {
        let issued = server.ask("GET", "aws/sts/s", &Value::Null).unwrap().expect(200);
        Some(issued.lease_id())
    },
    ..REVOKE
};
const END_TOKEN: Flow = Flow {
    name: "revoke the token that holds the lease",
    prepare: |server| {
        let root = server.root();
        let reply = root.post("auth/token/create", &json!({ "policies": ["root"] })).expect(200);
        let token = reply.json["auth"]["client_token"].as_str().unwrap().to_owned();
        let issued = root.with_token(&token).get("aws/creds/r").expect(200);
        Some(format!("{} {token}", issued.lease_id()))
    },
    ask: |server, both| {
        let token = both.split_once(' ').unwrap().1;
        server.ask("PUT", "auth/token/revoke", &json!({ "token": token }))
    },
    answers: &[204],
    keeps_the_lease: false,
    becomes: |_| true,
};

const ROTATE_ROOT: Flow = Flow {
    name: "rotate-root",
    // The first key is nobody's in the account; from the second on the broker made it.
    prepare: |server| {
        server.root().post("aws/config/rotate-root", &json!({})).expect(200);
        None
    },
    ask: |server, _| server.ask("PUT", "aws/config/rotate-root", &json!({})),
    becomes: |walk| {
        let root = walk.server.root();
        let stored = root.get("aws/config/root").expect(200).text_of("access_key");
        // That a key was made which does not show yet is thought for five minutes, and hinders nothing: `prepare`
        // rotates again.
        walk.keys("account-admin") == [stored]
    },
    ..ISSUE
};
const ROTATE_STATIC: Flow = Flow {
    name: "rotate a static role",
    prepare: |server| {
        let role = json!({ "username": JANE, "rotation_period": "1d" });
        server.root().post("aws/static-roles/jane", &role).expect(200);
        None
    },
    ask: |server, _| server.ask("PUT", "aws/static-roles/jane/rotate", &json!({})),
    becomes: |walk| {
        let given = walk.server.root().get("aws/static-creds/jane").expect(200);
        walk.keys(JANE) == [given.text_of("access_key")]
    },
    ..ISSUE
};
/// A user that others made, whose keys a static role rotates.
const JANE: &str = "jane";

impl Walk {
    fn new(flow: Flow) -> Self {
        let aws = AwsServer::start();
        let server = Server::start(&aws);
        let managed = aws.aws.create_managed_policy("extra", NARROW).unwrap();
        aws.aws.call("CreateGroup", &[("GroupName", "readers")]).unwrap();
        let role = aws.aws.create_role("deploy", 43_200).unwrap();
        aws.aws.create_user(JANE, "/", &[]).unwrap();
        server.write_role("r", &json!({
            "credential_type": "iam_user", "policy_document": NARROW, "policy_arns": [managed], "iam_groups": ["readers"],
        }));
        server.write_role(
            "s",
            &json!({
                "credential_type": "assumed_role", "role_arns": [role], "policy_document": NARROW,
            }),
        );
        server.write_role(
            "f",
            &json!({
                "credential_type": "federation_token", "policy_document": NARROW,
            }),
        );
        server.write_role("o", &json!({ "credential_type": "session_token" }));
        Self { aws, server, flow }
    }

    /// Dies at the first step, the second, … until the flow comes through; gives how often it died.
    fn walk(&self, at: At) -> usize {
        for step in 1.. {
            if !self.step(at, step) {
                return step - 1;
            }
            assert!(step < 60, "{}: it dies for ever", self.flow.name);
        }
        0
    }

    /// Whether it died.
    fn step(&self, at: At, step: usize) -> bool {
        let subject = (self.flow.prepare)(&self.server).unwrap_or_default();
        let place = format!("{}, {at:?} {step}", self.flow.name);
        let killed = self.arm(at, step);
        let reply = (self.flow.ask)(&self.server, &subject);
        self.aws.heal();
        let passed = self.server.die_nowhere();
        let is_dead = match at {
            // The point may lie in work that the answer does not wait for.
            At::Write => passed.len() >= step,
            At::CallBefore | At::CallAfter => killed.load(Ordering::SeqCst),
        };
        if is_dead {
            assert!(
                self.server.with_process(Process::was_killed),
                "{place}: it fell over by itself"
            );
            self.server.kill_and_begin();
        } else {
            assert!(reply.is_ok(), "{place}: it lives and did not answer: {reply:?}");
        }
        let lease = subject.split(' ').next().unwrap_or_default();
        self.check(&place, &reply, lease);
        is_dead
    }

    /// Gives what will say whether a call killed it.
    fn arm(&self, at: At, step: usize) -> Arc<AtomicBool> {
        let killed = Arc::new(AtomicBool::new(false));
        if at == At::Write {
            self.server.die_at(step);
            return killed;
        }
        let pid = self.server.with_process(|process| process.pid());
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let is_it = move || count.fetch_add(1, Ordering::SeqCst) + 1 == step;
        // Not yet reaped, so that the number is no other's.
        let done = Arc::clone(&killed);
        let kill = move || {
            done.store(true, Ordering::SeqCst);
            kill_process(pid, Signal::KILL).unwrap();
        };
        if at == At::CallBefore {
            self.aws.decide(move |_| {
                if is_it() {
                    kill();
                    return Act::ResetBefore;
                }
                Act::Answer
            });
        } else {
            self.aws.tell(move |_| {
                if is_it() {
                    kill();
                }
            });
        }
        killed
    }

    /// What must hold after every death and restart.
    fn check(&self, place: &str, reply: &Result<Reply, String>, lease: &str) {
        let mut leases = vec![lease.to_owned()];
        if let Ok(reply) = reply {
            assert!(
                self.flow.answers.contains(&reply.status),
                "{place}: {} {}",
                reply.status,
                reply.text
            );
            if self.flow.name.starts_with("rotate") {
                assert!(!reply.text_of("access_key").is_empty(), "{place}: {}", reply.text);
            }
            if self.flow.name.starts_with("issue") {
                for part in ["access_key", "secret_key"] {
                    assert!(
                        !reply.text_of(part).is_empty(),
                        "{place}: half an answer: {}",
                        reply.text
                    );
                }
                self.look_up(place, &reply.lease_id());
                leases.push(reply.lease_id());
            }
        }
        if self.flow.keeps_the_lease && !lease.is_empty() {
            self.look_up(place, lease);
        }
        if reply.is_ok() && !self.flow.keeps_the_lease && self.flow.name.starts_with("revoke") {
            // Ends in the background where the token ended; else before the answer.
            let left = self.empty_within(Duration::from_secs(30));
            assert_eq!(left, Vec::<String>::new(), "{place}: it was called gone");
        }
        for lease in leases.iter().filter(|lease| !lease.is_empty()) {
            self.server.revoke(lease);
        }
        if self.flow.name == REVOKE_PREFIX.name {
            let again = (self.flow.ask)(&self.server, lease).unwrap();
            assert!(matches!(again.status, 204 | 400), "{place}: {}", again.text);
        }
        if reply.is_err() && self.flow.name.starts_with("issue") {
            // It may have died after the lease began: then it is one, and the server knows it.
            self.server.revoke_all();
        }
        let left = self.empty_within(Duration::from_secs(60));
        assert_eq!(left, Vec::<String>::new(), "{place}: nobody takes this user away");
        self.becomes_so(place);
    }

    /// The keys of a user.
    fn keys(&self, user: &str) -> Vec<String> {
        let keys = self.aws.aws.user(user).unwrap().keys.into_iter();
        // One that does not work shows, and is no key that is wanted.
        keys.map(|key| if key.active { key.access_key_id } else { "inactive".to_owned() }).collect()
    }

    /// Waits until AWS holds no user of ours; gives those that are left when patience ends.
    fn empty_within(&self, patience: Duration) -> Vec<String> {
        self.aws.only_within(&[JANE], patience)
    }

    fn becomes_so(&self, place: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !(self.flow.becomes)(self) {
            let keys = ["account-admin", JANE].map(|user| self.keys(user));
            assert!(Instant::now() < deadline, "{place}: it does not end well: {keys:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn look_up(&self, place: &str, lease: &str) {
        let seen =
            self.server.ask("PUT", "sys/leases/lookup", &json!({ "lease_id": lease })).unwrap();
        assert_eq!(seen.status, 200, "{place}: the lease is lost: {}", seen.text);
    }
}

/// Walks a flow in all three ways, or at its writes only where no `calls` are expected; `writes` and
/// `calls` are the fewest deaths that it must die.
fn walk(flow: Flow, writes: usize, calls: usize) {
    let walk = Walk::new(flow);
    let ways = [At::CallBefore, At::CallAfter];
    let died = ways.map(|at| if calls > 0 { walk.walk(at) } else { 0 });
    assert!(died.iter().all(|deaths| *deaths >= calls), "{}: only {died:?} calls", flow.name);
    let mut at_writes = 0;
    if cfg!(debug_assertions) {
        at_writes = walk.walk(At::Write);
        assert!(at_writes >= writes, "{}: only {at_writes} edges of writes", flow.name);
    }
    println!(
        "{}: killed at {} calls and {at_writes} edges of writes",
        flow.name,
        died[0] + died[1]
    );
    let log = walk.server.log();
    assert!(!log.contains("secret-of-the-broker"), "the broker's own secret is in the log");
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(walk.server.rows_left_in_the_end(), Vec::<String>::new(), "{}", flow.name);
    assert_eq!(walk.aws.users(), [JANE], "{}", flow.name);
}

#[test]
fn an_issue_of_a_user_that_dies_anywhere_leaves_nobody_behind() {
    walk(ISSUE, 4, 5);
}

#[test]
fn a_renewal_that_dies_anywhere_leaves_the_lease() {
    walk(RENEW, 2, 0);
}

#[test]
fn a_revocation_that_dies_anywhere_is_finished_after_the_restart() {
    walk(REVOKE, 4, 8);
}

#[test]
fn a_prefix_whose_revocation_dies_at_any_write_is_finished_after_the_restart() {
    walk(REVOKE_PREFIX, 8, 0);
}

#[test]
fn temporary_credentials_whose_issue_or_end_dies_anywhere_leave_no_row_open() {
    walk(ASSUME, 4, 1);
    walk(FEDERATE, 4, 1);
    walk(SESSION, 4, 1);
    walk(REVOKE_SESSION, 2, 0);
}

#[test]
fn a_token_whose_end_dies_anywhere_takes_its_leases_with_it() {
    walk(END_TOKEN, 2, 0);
}

#[test]
fn a_root_key_whose_rotation_dies_anywhere_is_one_that_works_and_the_only_one() {
    walk(ROTATE_ROOT, 4, 5);
}

#[test]
fn a_static_role_whose_rotation_dies_anywhere_hands_out_the_only_key_that_works() {
    walk(ROTATE_STATIC, 4, 4);
}

#[test]
fn a_release_has_no_fail_points() {
    let hidden = crate::support::process::binary()
        .args(["server", "--fail-points", "/nowhere"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&hidden.stderr).into_owned();
    assert_eq!(told.contains("unexpected argument"), !cfg!(debug_assertions), "{told}");
}
