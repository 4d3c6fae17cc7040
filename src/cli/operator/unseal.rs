//! `leasehold operator unseal` and `seal`: one share at a time, each from another person and perhaps another machine.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::{Result, key, print};
use crate::cli::output::{self, Format};
use crate::cli::remote::{Remote, RemoteArguments};

/// Arguments of `leasehold operator unseal`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct UnsealArguments {
    /// The share; - reads it from standard input. Without it the terminal is asked, and does not show it.
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// Give up the shares that were given so far.
    #[arg(long, conflicts_with = "key")]
    reset: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
A share that is an argument can be seen by everybody on the machine, and stays in the shell's history.";

pub(super) fn run(
    arguments: &UnsealArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<()> {
    let remote = Remote::new(&arguments.remote)?;
    let body = if arguments.reset {
        json!({ "reset": true })
    } else {
        let share = key::read(arguments.key.as_deref(), "Unseal Key", err)?;
        json!({ "key": share.as_str() })
    };
    let status = remote.write("sys/unseal", &body)?.data;
    match arguments.format {
        Format::Json => output::json(out, &status)?,
        Format::Table => print::seal(out, &status)?,
    }
    Ok(())
}

pub(super) fn seal(remote: &RemoteArguments, out: &mut dyn Write) -> Result<()> {
    Remote::new(remote)?.write("sys/seal", &json!({}))?;
    writeln!(out, "Success! Leasehold is sealed.")?;
    Ok(())
}
