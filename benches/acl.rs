//! One decision of the ACL with 500 rules in a token's policies: by an exact rule, by globs, by `+`, with parameters, by
//! none; and what compiling the set takes (`cargo bench --bench acl`). It asserts nothing about time: two shared
//! cores are no place for that. Budget: 2 µs a decision (`docs/PERFORMANCE.md`).

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use leasehold::auth::acl::{Access, Acl, Operation, Policy, Question};
use serde_json::{Map, Value, json};

/// Decisions that are timed together; the first round warms up.
const DECISIONS: u32 = 1_000_000;
/// Rules of each of five kinds.
const EACH: usize = 100;

fn main() {
    let text = policy();
    let started = Instant::now();
    let acl = Acl::compile([Policy::read(&text).unwrap()]);
    println!("{} rules read and compiled: {:.1?}", acl.rules().count(), started.elapsed());
    let none = Map::new();
    let ttl = parameters(&json!({ "ttl": "30m", "role_arn": "arn:aws:iam::1:role/x" }));
    for (what, path, operation, data, granted) in [
        ("exact", "team42/aws/creds/deploy", Operation::Read, &none, true),
        ("glob", "team42/aws/roles/app-7", Operation::Read, &none, true),
        ("plus", "team42/anything/config/root", Operation::Read, &none, true),
        ("plus and glob", "team42/x/static-creds/y/z", Operation::Read, &none, true),
        ("parameters", "team42/aws/sts/deploy", Operation::Update, &ttl, true),
        ("denied", "team42/aws/creds/other", Operation::Read, &none, false),
        ("no rule", "elsewhere/aws/creds/deploy", Operation::Read, &none, false),
        ("a list", "team42/aws/roles/app-/", Operation::List, &none, true),
    ] {
        let question = Question {
            path,
            operation,
            creates: false,
            data,
            wrap_seconds: None,
            needs_sudo: false,
        };
        assert_eq!(acl.decide(&question) == Access::Granted, granted, "{what}");
        let per_decision = timed(&acl, &question);
        println!("{what}: {per_decision:.0} ns a decision (budget 2000)");
    }
}

fn parameters(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// Five kinds of rules for each of a hundred teams.
fn policy() -> String {
    let mut text = String::new();
    for team in 0..EACH {
        writeln!(
            text,
            r#"path "team{team}/aws/creds/deploy" {{ capabilities = ["read"] }}
            path "team{team}/aws/roles/app-*" {{ capabilities = ["read", "list"] }}
            path "team{team}/+/config/root" {{ capabilities = ["read"] }}
            path "team{team}/+/static-creds/*" {{ capabilities = ["read"] }}
            path "team{team}/aws/sts/deploy" {{
                capabilities = ["update"]
                allowed_parameters = {{ "ttl" = ["*m"], "role_arn" = ["arn:aws:iam::1:*"] }}
            }}"#
        )
        .unwrap();
    }
    text
}

/// Nanoseconds a decision.
fn timed(acl: &Acl, question: &Question<'_>) -> f64 {
    let mut last = 0.0;
    for _round in 0..2 {
        let started = Instant::now();
        for _ in 0..DECISIONS {
            black_box(acl.decide(black_box(question)));
        }
        last = started.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS);
    }
    last
}
