//! `leasehold who WHAT`: who holds a key, a user, a lease, or held it while its row is kept. Asks a running server
//! (`sys/leases/query`) and changes nothing. What an answer holds is the server's; only its shape on a
//! terminal is here.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::output::{self, Format};
use super::remote::{Remote, RemoteArguments, RemoteError, escaped};
use super::terms::{self, Term, Terms};
use super::{EXIT_FAILURE, EXIT_NOTHING, EXIT_USAGE, fail};

/// Arguments of `leasehold who`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct WhoArguments {
    /// An access key (AKIA…, ASIA…), AWS's id of a user (AIDA…), an IAM user's name or ARN, or a lease id.
    #[arg(value_name = "WHAT", required_unless_present = "terms")]
    what: Option<String>,
    #[command(flatten)]
    terms: Terms,
    /// The most leases to show.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    limit: usize,
    /// How to print them.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
Exit codes: 0 found, 1 failed, 2 wrong usage, 4 nothing found.

Ended leases are found as long as their rows are kept, 30 days after the last trace of them was gone.
The token needs `read` and `sudo` on sys/leases/query.

Examples:
  leasehold who AKIAIOSFODNN7EXAMPLE
  leasehold who arn:aws:iam::123456789012:user/vault-token-ci-deploy-1700000000-abc
  leasehold who --where caller=token-ci --where state=active";

/// Asks and prints.
pub(super) fn run(arguments: &WhoArguments, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let terms = match arguments.terms.with(arguments.what.as_deref()) {
        Ok(terms) => terms,
        Err(why) => return fail(err, &why, EXIT_USAGE),
    };
    let found =
        Remote::new(&arguments.remote).and_then(|remote| ask(&remote, &terms, arguments.limit));
    let Found { leases, is_cut, warnings } = match found {
        Ok(found) => found,
        Err(error) => return fail(err, &error, EXIT_FAILURE),
    };
    for warning in warnings {
        // Nobody is left to tell when standard error is closed.
        drop(writeln!(err, "warning: {}", output::printable(&warning)));
    }
    let printed = match arguments.format {
        Format::Json => output::json(out, &Value::Array(leases.clone())),
        Format::Table => print(out, &leases),
    };
    if let Err(error) = printed {
        return fail(err, &error, EXIT_FAILURE);
    }
    if is_cut {
        drop(writeln!(err, "note: there may be more\nhelp: raise --limit"));
    }
    if leases.is_empty() {
        drop(writeln!(err, "nothing found: no lease that is kept here has it"));
        return ExitCode::from(EXIT_NOTHING);
    }
    ExitCode::SUCCESS
}

/// What the server knows.
pub(super) struct Found {
    pub(super) leases: Vec<Value>,
    /// Whether there may be more.
    pub(super) is_cut: bool,
    warnings: Vec<String>,
}

/// The leases in one answer (`sys/leases/query` gives no more).
const PAGE: usize = 1_000;

/// The leases that have all of the terms, at most about `limit`.
pub(super) fn ask(remote: &Remote, terms: &[Term], limit: usize) -> Result<Found, RemoteError> {
    let mut found = Found { leases: Vec::new(), is_cut: false, warnings: Vec::new() };
    let terms = terms::query(terms);
    let mut after = String::new();
    loop {
        let left = limit.saturating_sub(found.leases.len());
        let limit_now = left.clamp(1, PAGE);
        let answer = remote.read(&format!("sys/leases/query?limit={limit_now}{terms}{after}"))?;
        let page = answer.data.get("leases").and_then(Value::as_array);
        found.leases.extend(page.cloned().unwrap_or_default());
        found.warnings = answer.warnings;
        let Some(next) = answer.data.get("next").and_then(Value::as_str) else {
            return Ok(found);
        };
        if found.leases.len() >= limit {
            found.is_cut = true;
            return Ok(found);
        }
        after = format!("&after={}", escaped(next));
    }
}

/// One lease with all that is known of it, several as a table.
fn print(out: &mut dyn Write, leases: &[Value]) -> io::Result<()> {
    match leases {
        [] => Ok(()),
        [lease] => {
            let pairs: Vec<_> =
                SHOWN.iter().map(|&(label, name)| (label, shown(lease, name))).collect();
            output::pairs(out, &pairs)
        }
        several => {
            let columns =
                ["issue_time", "state", "caller", "role", "access_key", "user", "lease_id"];
            let row = |lease: &Value| columns.iter().map(|name| shown(lease, name)).collect();
            let rows: Vec<Vec<String>> = several.iter().map(row).collect();
            output::table(
                out,
                &["since", "state", "caller", "role", "access key", "user", "lease"],
                &rows,
            )
        }
    }
}

/// What a person asks first comes first.
const SHOWN: [(&str, &str); 28] = [
    ("held by", "caller"),
    ("token accessor", "accessor"),
    ("asked from", "source"),
    ("state", "state"),
    ("since", "issue_time"),
    ("until", "expire_time"),
    ("renewed", "last_renewal"),
    ("ended", "end_time"),
    ("because", "end_reason"),
    ("contained", "contained_time"),
    ("removed", "removed_time"),
    ("gone", "gone_time"),
    ("failed passes", "attempts"),
    ("next pass", "next_attempt_time"),
    ("last failure", "failure"),
    ("out of sight", "forced"),
    ("role", "role"),
    ("role version", "role_version"),
    ("credential type", "credential_type"),
    ("access key", "access_key"),
    ("user", "user"),
    ("user id", "user_id"),
    ("account", "account"),
    ("seen to work", "proven_time"),
    ("mount", "mount"),
    ("lease", "lease_id"),
    ("policy digest", "policy_digest"),
    ("verdict", "verdict"),
];

fn shown(lease: &Value, name: &str) -> String {
    match lease.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_lease_is_told_whole_and_several_as_a_table() {
        let lease = json!({
            "caller": "token-ci", "role": "r", "role_version": 3, "lease_id": "l", "expire_time": null,
            "state": "active",
        });
        let text = |leases: &[Value]| {
            let mut out = Vec::new();
            print(&mut out, leases).unwrap();
            String::from_utf8(out).unwrap()
        };
        let one = text(std::slice::from_ref(&lease));
        assert!(one.starts_with("held by       token-ci\n"), "{one}");
        assert!(one.contains("role version  3\n") && !one.contains("until"), "{one}");
        let two = text(&[lease.clone(), lease]);
        assert_eq!(two.lines().count(), 3, "{two}");
        assert!(two.starts_with("since  state   caller    role"), "{two}");
    }
}
