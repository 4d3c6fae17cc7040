//! `leasehold guardrail`: what judges on a running server. Its words are those of `sys/guardrails`, in the same order.
//! It decides nothing: what is refused, the server refuses. How answers are printed is in `print`.

mod print;
mod write;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::{self, Format};
use super::reconcile::ShowError;
use super::remote::{Answer, Remote, RemoteArguments, escaped};
use super::{EXIT_FAILURE, fail};
use write::BindingArguments;

/// Arguments of `leasehold guardrail`.
#[derive(Debug, Args)]
pub(super) struct GuardrailArguments {
    #[command(subcommand)]
    verb: Verb,
    /// How to print.
    #[arg(long, value_enum, default_value = "table", global = true)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the guardrails of a server.
    List {
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Show a guardrail.
    Read {
        /// Its name.
        name: String,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Make a guardrail or change it; what is not said stays as it is.
    Write {
        /// Its name.
        name: String,
        #[command(flatten)]
        binding: Box<BindingArguments>,
        /// Only if this is its version; 0: only if nothing was written of it.
        #[arg(long, value_name = "VERSION")]
        cas: Option<u64>,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Remove a guardrail; one that the configuration has goes back to what that says.
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Break the glass: do not ask a guardrail for a while.
    Suspend {
        /// Its name.
        name: String,
        /// For how long, like 30m; a day at most.
        #[arg(long = "for", value_name = "DURATION", required_unless_present = "until")]
        duration: Option<String>,
        /// Until when, like 2030-01-31T00:00:00Z.
        #[arg(long, value_name = "MOMENT", conflicts_with = "duration")]
        until: Option<String>,
        /// Why: it stands in the log and in every warning.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// End a suspension before its time.
    Resume {
        /// Its name.
        name: String,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Show what would flip for the stored roles; exit 1 where a role would be stopped.
    WhatIf {
        /// A guardrail that is there, or none for a new one.
        name: Option<String>,
        #[command(flatten)]
        binding: Box<BindingArguments>,
        /// Only the roles of the engine at this path.
        #[arg(long, value_name = "PATH")]
        mount: Option<String>,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Reach a kept verdict again; exit 1 where other bytes come out.
    Replay {
        /// Its digest, from a denial, a lease or the log.
        digest: String,
        #[command(flatten)]
        remote: RemoteArguments,
    },
}

/// Does what is asked.
pub(super) fn run(
    arguments: &GuardrailArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match act(&arguments.verb, arguments.format, out, err) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILURE),
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

fn path(name: &str) -> String {
    format!("sys/guardrails/{}", escaped(name))
}

/// Tells whether all is well.
fn act(
    verb: &Verb,
    format: Format,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, ShowError> {
    match verb {
        Verb::List { remote } => {
            let all = Remote::new(remote)?.read("sys/guardrails")?.data;
            shown(out, format, &all, print::list)?;
        }
        Verb::Read { name, remote } => {
            let one = Remote::new(remote)?.read(&path(name))?.data;
            shown(out, format, &one, print::one)?;
        }
        Verb::Write { name, binding, cas, remote } => {
            let body = with(binding.body()?, "cas", cas.map(Value::from));
            let answer = Remote::new(remote)?.write(&path(name), &body)?;
            warn(err, &answer);
            writeln!(out, "guardrail {} is written", output::printable(name))?;
        }
        Verb::Delete { name, remote } => {
            Remote::new(remote)?.delete(&path(name))?;
            writeln!(out, "guardrail {} is removed", output::printable(name))?;
        }
        Verb::Suspend { name, duration, until, reason, remote } => {
            let body = with(json!({ "reason": reason }), "for", duration.clone().map(Value::from));
            let body = with(body, "until", until.clone().map(Value::from));
            let answer = Remote::new(remote)?.write(&format!("{}/suspend", path(name)), &body)?;
            let until = answer.data.get("until").and_then(Value::as_str).unwrap_or_default();
            let (name, until) = (output::printable(name), output::printable(until));
            writeln!(out, "guardrail {name} is not asked until {until}")?;
        }
        Verb::Resume { name, remote } => {
            Remote::new(remote)?.write(&format!("{}/resume", path(name)), &json!({}))?;
            writeln!(out, "guardrail {} judges again", output::printable(name))?;
        }
        Verb::WhatIf { name, binding, mount, remote } => {
            let body = with(binding.body()?, "mount", mount.clone().map(Value::from));
            return tried(name.as_deref(), &body, format, remote, out);
        }
        Verb::Replay { digest, remote } => {
            let path = format!("sys/guardrails/verdicts/{}/replay", escaped(digest));
            let replayed = Remote::new(remote)?.write(&path, &json!({}))?.data;
            shown(out, format, &replayed, print::replay)?;
            return Ok(replayed.get("same") == Some(&Value::Bool(true)));
        }
    }
    Ok(true)
}

/// Tells whether no role would be stopped.
fn tried(
    name: Option<&str>,
    body: &Value,
    format: Format,
    remote: &RemoteArguments,
    out: &mut dyn Write,
) -> Result<bool, ShowError> {
    let path = match name {
        Some(name) => format!("{}/what-if", path(name)),
        None => "sys/guardrails/what-if".to_owned(),
    };
    let report = Remote::new(remote)?.write(&path, body)?.data;
    shown(out, format, &report, print::what_if)?;
    Ok(report.get("allow_to_deny").and_then(Value::as_u64) == Some(0))
}

/// The body with one more member, if there is one.
fn with(mut body: Value, name: &str, value: Option<Value>) -> Value {
    if let (Some(value), Some(members)) = (value, body.as_object_mut()) {
        members.insert(name.to_owned(), value);
    }
    body
}

fn shown(
    out: &mut dyn Write,
    format: Format,
    value: &Value,
    table: impl Fn(&mut dyn Write, &Value) -> std::io::Result<()>,
) -> Result<(), ShowError> {
    match format {
        Format::Json => output::json(out, value)?,
        Format::Table => table(out, value)?,
    }
    Ok(())
}

fn warn(err: &mut dyn Write, answer: &Answer) {
    for warning in &answer.warnings {
        // Nobody is left to tell when standard error is closed.
        drop(writeln!(err, "warning: {}", output::printable(warning)));
    }
}
