//! `leasehold reconcile`: asks a running server to compare AWS with its leases, and shows what it found. With
//! `--remove` it has each orphan removed, one by one, by the server's own rules: users first, since a user takes its
//! policy along.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::output::{self, Format};
use super::remote::{Remote, RemoteArguments, RemoteError, escaped};
use super::{EXIT_FAILURE, fail};

/// Arguments of `leasehold reconcile`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ReconcileArguments {
    /// Only the account of the engine at this path.
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
    /// Remove the orphans that are found, ignored ones left out.
    #[arg(long)]
    remove: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
An orphan is an IAM user, or a managed policy of a lease's own, that carries this installation's tag while no lease
knows of it. What has not that tag is never touched. `vault write sys/leases/orphans/<user> action=adopt ttl=8h` keeps
a user as a lease, `action=ignore until=30d` says nothing of a user or a policy for a while.

Exit codes: 0 nothing to decide, 1 orphans, missing users, leases that were not looked for, or an account that could
not be read.";

/// Compares, and removes what it is told to.
pub(super) fn run(
    arguments: &ReconcileArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match compare(arguments, out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILURE),
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

/// Why it came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShowError {
    /// The server.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The terminal.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn compare(arguments: &ReconcileArguments, out: &mut dyn Write) -> Result<bool, ShowError> {
    let remote = Remote::new(&arguments.remote)?;
    let body = match &arguments.mount {
        Some(mount) => json!({ "mount": mount }),
        None => json!({}),
    };
    let report = remote.write("sys/leases/reconcile", &body)?.data;
    match arguments.format {
        Format::Json => output::json(out, &report)?,
        Format::Table => show(out, &report)?,
    }
    let left = if arguments.remove {
        remove(&remote, &report, out)?
    } else {
        count(&report, "orphans").saturating_add(count(&report, "orphan_policies"))
    };
    let open = ["missing", "not_looked", "failed"];
    Ok(left == 0 && open.into_iter().all(|name| count(&report, name) == 0))
}

/// Has each orphan removed; how many are left.
fn remove(remote: &Remote, report: &Value, out: &mut dyn Write) -> Result<u64, ShowError> {
    let mut left: u64 = 0;
    let users = items(report, "orphans").map(|one| (one, "user", "user_id"));
    let policies = items(report, "orphan_policies").map(|one| (one, "arn", "policy_id"));
    for (orphan, name, id) in users.chain(policies) {
        if !text(orphan, "ignored_until").is_empty() {
            continue;
        }
        let name = output::printable(&text(orphan, name));
        let path = format!("sys/leases/orphans/{}", escaped(&text(orphan, id)));
        match remote.write(&path, &json!({ "action": "remove" })) {
            Ok(answer) => {
                let lease = text(&answer.data, "lease_id");
                let by = if lease.is_empty() { lease } else { format!(" (lease {lease})") };
                writeln!(out, "removed {name}{by}")?;
            }
            Err(error) => {
                left = left.saturating_add(1);
                writeln!(out, "not removed {name}: {error}")?;
            }
        }
    }
    Ok(left)
}

/// A comparison for people.
pub(super) fn show(out: &mut dyn Write, report: &Value) -> io::Result<()> {
    let mut rows = Vec::new();
    for account in list(report, "accounts") {
        let mounts: Vec<&str> = list(account, "mounts").filter_map(Value::as_str).collect();
        for (place, what) in [("/error", ""), ("/policies_error", "policies of ")] {
            let why = account.pointer(&format!("{place}/message")).and_then(Value::as_str);
            rows.extend(why.map(|why| {
                let what = format!("{what}{}", mounts.join(" "));
                vec!["not compared".to_owned(), what, why.replace('\n', "; ")]
            }));
        }
        for (name, kind, what, detail) in [
            ("orphans", "orphan", "user", "created"),
            ("orphan_policies", "orphan policy", "arn", "created"),
            ("missing", "missing", "lease", "detail"),
            ("not_looked", "not looked", "lease", "detail"),
            ("overdue", "ends at lift", "lease", "ended"),
            ("of_another_broker", "another's", "user", "broker"),
        ] {
            let found = list(account, name);
            rows.extend(found.map(|one| vec![kind.to_owned(), text(one, what), text(one, detail)]));
        }
    }
    if rows.is_empty() {
        return writeln!(out, "AWS and the leases agree");
    }
    output::table(out, &["finding", "what", "detail"], &rows)
}

fn items<'a>(report: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    list(report, "accounts").flat_map(move |account| list(account, name))
}

fn count(report: &Value, name: &str) -> u64 {
    let totals = report.get("totals");
    totals.and_then(|totals| totals.get(name)).and_then(Value::as_u64).unwrap_or(0)
}

/// A member that is a list; nothing where it is not.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A member that is a text; empty where it is not.
pub(super) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
