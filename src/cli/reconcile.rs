//! `leasehold reconcile`: asks a running server to compare AWS with its leases, and shows what it found. With
//! `--remove` it has each orphan torn down, one by one, by the server's own rules.

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
An orphan is an IAM user that carries this installation's tag while no lease knows of it. Users without that tag
are never touched. `vault write sys/leases/orphans/<user> action=adopt ttl=8h` keeps one as a lease,
`action=ignore until=30d` says nothing of it for a while.

Exit codes: 0 nothing to decide, 1 orphans, missing users or an account that could not be read.";

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
    let left =
        if arguments.remove { remove(&remote, &report, out)? } else { count(&report, "orphans") };
    Ok(left == 0 && count(&report, "missing") == 0 && count(&report, "failed") == 0)
}

/// Has each orphan removed; how many are left.
fn remove(remote: &Remote, report: &Value, out: &mut dyn Write) -> Result<u64, ShowError> {
    let mut left: u64 = 0;
    for orphan in items(report, "orphans").filter(|orphan| text(orphan, "ignored_until").is_empty())
    {
        let (user, id) = (text(orphan, "user"), text(orphan, "user_id"));
        let path = format!("sys/leases/orphans/{}", escaped(&id));
        match remote.write(&path, &json!({ "action": "remove" })) {
            Ok(answer) => {
                let lease = text(&answer.data, "lease_id");
                writeln!(out, "removed {} (lease {lease})", output::printable(&user))?;
            }
            Err(error) => {
                left = left.saturating_add(1);
                writeln!(out, "not removed {}: {error}", output::printable(&user))?;
            }
        }
    }
    Ok(left)
}

/// A comparison for people.
pub(super) fn show(out: &mut dyn Write, report: &Value) -> io::Result<()> {
    let mut rows = Vec::new();
    for account in list(report, "accounts") {
        if let Some(why) = account.pointer("/error/message").and_then(Value::as_str) {
            let mounts: Vec<&str> = list(account, "mounts").filter_map(Value::as_str).collect();
            let why = why.replace('\n', "; ");
            rows.push(vec!["not compared".to_owned(), mounts.join(" "), why]);
        }
        for (name, kind, what, detail) in [
            ("orphans", "orphan", "user", "created"),
            ("missing", "missing", "lease", "detail"),
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
