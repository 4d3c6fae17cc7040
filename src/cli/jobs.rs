//! `leasehold jobs`: the jobs that revoke many leases, as a running server tells them, and the words that stop one and
//! let it go on. What a job does is the server's; only its shape on a terminal is here, which `revoke` uses too.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::{self, Format};
use super::reconcile::{ShowError, list, text};
use super::remote::{Remote, RemoteArguments, escaped};
use super::{EXIT_FAILURE, fail};

/// Arguments of `leasehold jobs`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct JobsArguments {
    #[command(subcommand)]
    word: Word,
}

const AFTER_HELP: &str = "\
A job goes on whatever becomes of whoever began it, also over a restart of the server. One that is paused marks no
further lease; what it has in hand is ended all the same.
The token needs `sudo` on sys/leases/jobs.";

#[derive(Debug, Subcommand)]
enum Word {
    /// Show all jobs, the newest first.
    List(Asked),
    /// Show one job, and how far it is.
    Read(Named),
    /// Let a job begin no further lease.
    Pause(Named),
    /// Let a paused job go on.
    Resume(Named),
}

#[derive(Debug, Args)]
struct Asked {
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, Args)]
struct Named {
    /// The job, as `leasehold jobs list` shows it.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    asked: Asked,
}

/// Shows, pauses or resumes.
pub(super) fn run(arguments: &JobsArguments, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let done = match &arguments.word {
        Word::List(asked) => show_all(asked, out),
        Word::Read(named) => show(named, out),
        Word::Pause(named) => change(named, "pause", "paused", out),
        Word::Resume(named) => change(named, "resume", "goes on", out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

fn show_all(asked: &Asked, out: &mut dyn Write) -> Result<(), ShowError> {
    let answer = Remote::new(&asked.remote)?.read("sys/leases/jobs")?.data;
    if asked.format == Format::Json {
        let jobs = answer.get("jobs").cloned().unwrap_or_else(|| json!([]));
        return Ok(output::json(out, &jobs)?);
    }
    let row = |job: &Value| {
        let (id, state) = (text(job, "id"), text(job, "state"));
        vec![
            id,
            text(job, "kind"),
            state,
            number(job, "total"),
            text(job, "started_at"),
            scope(job),
        ]
    };
    let rows: Vec<Vec<String>> = list(&answer, "jobs").map(row).collect();
    if rows.is_empty() {
        writeln!(out, "there are no jobs")?;
        return Ok(());
    }
    Ok(output::table(out, &["id", "kind", "state", "leases", "started", "of"], &rows)?)
}

fn show(named: &Named, out: &mut dyn Write) -> Result<(), ShowError> {
    let job = read(&Remote::new(&named.asked.remote)?, &named.id)?;
    match named.asked.format {
        Format::Json => output::json(out, &job)?,
        Format::Table => print(out, &job)?,
    }
    Ok(())
}

fn change(named: &Named, word: &str, told: &str, out: &mut dyn Write) -> Result<(), ShowError> {
    let remote = Remote::new(&named.asked.remote)?;
    remote.write(&format!("sys/leases/jobs/{}/{word}", escaped(&named.id)), &json!({}))?;
    match named.asked.format {
        Format::Json => output::json(out, &read(&remote, &named.id)?)?,
        Format::Table => writeln!(out, "job {} {told}", output::printable(&named.id))?,
    }
    Ok(())
}

/// One job, whole.
pub(super) fn read(remote: &Remote, id: &str) -> Result<Value, ShowError> {
    Ok(remote.read(&format!("sys/leases/jobs/{}", escaped(id)))?.data)
}

/// One job for people.
fn print(out: &mut dyn Write, job: &Value) -> io::Result<()> {
    let current: Vec<&str> = list(job, "current").filter_map(Value::as_str).collect();
    let found =
        if job.get("all_marked") == Some(&Value::Bool(true)) { "all" } else { "not all yet" };
    output::pairs(
        out,
        &[
            ("job", text(job, "id")),
            ("kind", text(job, "kind")),
            ("of", scope(job)),
            ("state", text(job, "state")),
            ("started", text(job, "started_at")),
            ("finished", text(job, "finished_at")),
            ("leases", number(job, "total")),
            ("found", found.to_owned()),
            ("contained", number(job, "contained")),
            ("gone", number(job, "done")),
            ("waiting", number(job, "waiting")),
            ("failing", number(job, "failed")),
            ("because", errors(job)),
            ("at work on", current.join(" ")),
        ],
    )
}

/// What the last passes of failing leases met, e.g. `Throttled 3, AccessDenied 1`.
pub(super) fn errors(job: &Value) -> String {
    let errors = job.get("errors").and_then(Value::as_object).into_iter().flatten();
    errors.map(|(class, number)| format!("{class} {number}")).collect::<Vec<_>>().join(", ")
}

/// Which leases a job is of: `aws/creds/r/`, `role=r caller=ci`, or the mount's id.
fn scope(job: &Value) -> String {
    let Some((kind, value)) =
        job.get("scope").and_then(Value::as_object).and_then(|scope| scope.iter().next())
    else {
        return String::new();
    };
    match value {
        Value::String(text) if kind == "prefix" && text.is_empty() => "every lease".to_owned(),
        Value::String(text) if kind == "prefix" => text.clone(),
        Value::String(text) => format!("{kind} {text}"),
        Value::Object(terms) => {
            let term = |(name, value): (&String, &Value)| match value.as_str() {
                Some(text) => format!("{name}={text}"),
                None => format!("{name}={value}"),
            };
            terms.iter().map(term).collect::<Vec<_>>().join(" ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

fn number(job: &Value, name: &str) -> String {
    job.get(name).and_then(Value::as_u64).map(|number| number.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_is_of_is_said_in_the_words_it_was_asked_in() {
        for (scope_of, told) in [
            (json!({ "prefix": "aws/creds/r/" }), "aws/creds/r/"),
            (json!({ "prefix": "" }), "every lease"),
            (json!({ "mount": "m-1" }), "mount m-1"),
            (
                json!({ "filter": { "caller": "ci", "role_version": 3 } }),
                "caller=ci role_version=3",
            ),
            (json!(null), ""),
        ] {
            assert_eq!(scope(&json!({ "scope": scope_of })), told);
        }
    }

    #[test]
    fn a_job_is_shown_with_what_stands_in_its_way() {
        let job = json!({
            "id": "j", "kind": "revoke", "scope": { "prefix": "aws/" }, "state": "running", "all_marked": true,
            "total": 12, "done": 9, "waiting": 0, "failed": 3, "errors": { "AccessDenied": 1, "Throttled": 2 },
            "current": [], "finished_at": null,
        });
        let mut out = Vec::new();
        print(&mut out, &job).unwrap();
        let text = String::from_utf8(out).unwrap();
        let shows = |name: &str, value: &str| {
            let has = |line: &str| {
                line.split_once(' ').map(|(n, v)| (n, v.trim())) == Some((name, value))
            };
            text.lines().any(has)
        };
        assert!(shows("leases", "12") && shows("gone", "9"), "{text}");
        assert!(shows("because", "AccessDenied 1, Throttled 2"), "{text}");
        assert!(!text.contains("finished") && !text.contains("at work on"), "{text}");
    }
}
