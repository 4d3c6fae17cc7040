//! A guest that loops costs its own request its time, and no other's: the real binary on one processor, so with one
//! worker, answers everybody else while several writes are being judged by such a guest. And where the machine has no
//! address space for pooled guests, the log says so and the gate judges all the same.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::aws_server::AwsServer;
use crate::support::client::Client;
use crate::support::process::Process;
use crate::support::server::Server;
use crate::support::{NARROW, S3_STAR};

/// A guest that does what its settings say.
const HOSTILE: &[u8] = include_bytes!("../../plugins/fixtures/hostile/hostile.wasm");
/// Writes that are being judged at the same time. At the highest fuel one loop takes a quarter of a second of processor
/// time, so that all together are stopped by time, after two seconds.
const LOOPING: usize = 8;
/// The highest limits that there are.
const CONFIGURATION: &str =
    "[guardrails.limits]\nfuel = 2_000_000_000\nwall_time_ms = 2_000\ntotal_time_ms = 5_000\n";
/// What the log says where guests are not pooled.
const NO_POOL: &str =
    "no address space for pooled guardrail instances: each evaluation allocates its own";
/// 24 GiB: 72 times four memories of 4 GiB have no place there, a few have.
const LITTLE_ADDRESS_SPACE: &str = "ulimit -v 25165824 && exec \"$0\" \"$@\"";
/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary after a command that sets its bounds.
fn under(command: &[&str]) -> Command {
    let (program, arguments) = command.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(env!("CARGO_BIN_EXE_leasehold"));
    command
}

fn role(document: &str) -> Value {
    json!({ "credential_type": "iam_user", "policy_document": document })
}

/// Uploads the guest and binds it to the engine at `aws/`, where it will do that.
fn bind_hostile(root: &Client, does: &str) {
    root.raw("PUT", "sys/plugins/guardrails/hostile", HOSTILE).expect(200);
    let body = json!({
        "plugin": "hostile@1.0.0", "settings": { "does": does }, "mode": "enforce", "mounts": "aws",
    });
    root.post("sys/guardrails/hostile", &body).expect(200);
}

/// One processor that this process may run on.
fn one_processor() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    allowed.trim().split([',', '-']).next().unwrap().to_owned()
}

/// Threads of a process that answer requests.
fn workers(pid: u32) -> usize {
    let names = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().filter_map(|thread| {
        // One that has just ended has no name.
        std::fs::read_to_string(thread.unwrap().path().join("comm")).ok()
    });
    names.filter(|name| name.starts_with("actix-rt|system")).count()
}

/// Requests on such a path that a device of the audit has seen come in.
fn came_in(audit: &Path, path: &str) -> usize {
    let text = std::fs::read_to_string(audit).unwrap();
    let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let is_it = |entry: &Value| {
        let asked = entry["request"]["path"].as_str().unwrap_or_default();
        entry["type"] == "request" && asked.starts_with(path)
    };
    entries.filter(is_it).count()
}

#[test]
fn while_writes_are_judged_by_a_guest_that_loops_one_worker_answers_everybody_else() {
    let aws = AwsServer::start();
    let server = Server::start(&aws);
    server.add_engine("other", &aws);
    bind_hostile(&server.root(), "loop");
    assert!(!server.log().contains(NO_POOL), "there is room for the pool");
    server.stop();
    server.configure(CONFIGURATION);
    server.begin_as(under(&["taskset", "-c", &one_processor()]));
    let root = server.root();
    let audit = server.data().join("audit.log");
    let device = json!({ "type": "file", "options": { "file_path": audit } });
    root.put("sys/audit/f", &device).expect(204);
    // Now that one has answered, it runs.
    assert_eq!(workers(server.with_process(|process| process.pid())), 1, "one processor");

    let answered = Mutex::new(Vec::new());
    let note = |what: &'static str| answered.lock().unwrap().push(what);
    std::thread::scope(|scope| {
        for nth in 0..LOOPING {
            let (root, note) = (root.clone(), &note);
            scope.spawn(move || {
                let reply = root.post(&format!("aws/roles/slow-{nth}"), &role(NARROW));
                note("a write that loops");
                let told = reply.expect(400).errors().join("\n");
                assert!(told.contains("limit/fuel") || told.contains("limit/time"), "{told}");
            });
        }
        let since = Instant::now();
        while came_in(&audit, "aws/roles/slow-") < LOOPING {
            assert!(since.elapsed() < PATIENCE, "the writes do not come in");
            std::thread::yield_now();
        }
        root.get("sys/health").expect(200);
        note("health");
        root.get("aws/roles/r").expect(200);
        note("a read of the same engine");
        root.get("other/creds/r").expect(200);
        note("a credential of an engine out of its scope");
    });

    let answered = answered.into_inner().unwrap();
    let others =
        ["health", "a read of the same engine", "a credential of an engine out of its scope"];
    assert!(answered.starts_with(&others), "{answered:?}");
    assert_eq!(answered.len(), others.len() + LOOPING, "{answered:?}");
    // Nothing is left of them: no role is stored, and the next write is judged.
    root.get("aws/roles/slow-0").expect(404);
    root.post("sys/guardrails/hostile", &json!({ "settings": { "does": "nothing" } })).expect(200);
    root.post("aws/roles/slow-0", &role(NARROW)).expect(204);
}

#[test]
fn without_the_address_space_for_pooled_guests_the_log_says_so_and_writes_are_judged() {
    let aws = AwsServer::start();
    let server = Server::start(&aws);
    server.stop();
    server.begin_as(under(&["sh", "-c", LITTLE_ADDRESS_SPACE]));

    let logged = server.with_process(|process: &mut Process| process.log());
    assert_eq!(logged.matches(NO_POOL).count(), 1, "{logged}");
    let root = server.root();
    let denied = root.post("aws/roles/wide", &role(S3_STAR)).expect(400).errors().join("\n");
    assert!(denied.starts_with("least-privilege/service-wildcard"), "{denied}");
    root.get("aws/roles/wide").expect(404);
    root.post("aws/roles/narrow", &role(NARROW)).expect(204);
    root.get("aws/creds/narrow").expect(200);
    // And one that is uploaded: compiled within the same bounds, and stopped by its own.
    bind_hostile(&root, "allocate");
    let told = root.post("aws/roles/narrow", &role(NARROW)).expect(400).errors().join("\n");
    assert!(told.contains("limit/memory"), "{told}");
}

#[test]
fn without_the_address_space_for_a_single_guest_the_start_says_what_was_missing() {
    let aws = AwsServer::start();
    let server = Server::start(&aws);
    server.stop();
    let configuration = server.data().with_file_name("leasehold.toml");
    // 3 GiB: enough for the server, and a memory of a guest reserves 4.
    let output = under(&["sh", "-c", "ulimit -v 3145728 && exec \"$0\" \"$@\""])
        .args(["server", "--config", configuration.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.matches(NO_POOL).count(), 1, "{told}");
    assert!(told.contains("`describe` failed: the guardrail could not be started: mmap"), "{told}");
}
