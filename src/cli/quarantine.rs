//! `leasehold quarantine`: what a server on a restored backup waits for, and the word that ends the wait.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::{self, Format};
use super::reconcile::{ShowError, show, text};
use super::remote::{Remote, RemoteArguments};
use super::{EXIT_FAILURE, fail};

/// Arguments of `leasehold quarantine`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct QuarantineArguments {
    #[command(subcommand)]
    word: Option<Word>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// End it: leases are issued and torn down again. Overdue leases end at once.
    Lift {
        #[command(flatten)]
        remote: RemoteArguments,
    },
}

/// Shows the difference, or ends the wait.
pub(super) fn run(
    arguments: &QuarantineArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match act(arguments, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

fn act(arguments: &QuarantineArguments, out: &mut dyn Write) -> Result<(), ShowError> {
    if let Some(Word::Lift { remote }) = &arguments.word {
        Remote::new(remote)?.write("sys/leases/quarantine", &json!({ "action": "lift" }))?;
        writeln!(out, "the quarantine is lifted")?;
        return Ok(());
    }
    let state = Remote::new(&arguments.remote)?.read("sys/leases/quarantine")?.data;
    if arguments.format == Format::Json {
        return Ok(output::json(out, &state)?);
    }
    if state.get("active") != Some(&Value::Bool(true)) {
        writeln!(out, "there is no quarantine")?;
        return Ok(());
    }
    let difference = state.get("difference").filter(|report| !report.is_null());
    let pairs = [
        ("in quarantine since", text(&state, "restored")),
        ("backup made", text(&state, "backup_made")),
        ("AWS compared", difference.map(|report| text(report, "finished")).unwrap_or_default()),
    ];
    output::pairs(out, &pairs)?;
    match difference {
        Some(report) => {
            writeln!(out)?;
            show(out, report)?;
        }
        None => {
            writeln!(out, "\nthe difference is not known yet: run `leasehold reconcile`")?;
        }
    }
    Ok(())
}
