//! `leasehold audit verify`: whether the entries of an audit device are all there and as they were written. Reads files
//! alone, and where it is told the device's name also asks the server how far it wrote. The rules: [`crate::audit`].

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::remote::{Remote, RemoteArguments, RemoteError, escaped};
use super::{EXIT_FAILURE, EXIT_USAGE, fail};
use crate::audit::verify::{Line, Verified, Verifier};
use crate::model::ChainHead;

/// Problems that are printed; the rest is counted.
const SHOWN: u64 = 20;

/// What to do with audit files.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Say whether entries were changed, removed or cut off.
    Verify(VerifyArguments),
}

/// Arguments of `leasehold audit verify`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct VerifyArguments {
    /// The files of one device, the oldest first.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The device's name at the server, to find an end that was cut off.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
Each entry holds the hash of the one before it. Without --device an end that was cut off cannot be seen; with it
the server is asked for its last entry (VAULT_ADDR, VAULT_TOKEN; reads sys/audit-chain/<name>).

Exit codes: 0 all is there, 1 it is not, 2 it could not be read.";

/// Why it came to nothing.
#[derive(Debug, thiserror::Error)]
enum VerifyError {
    /// A file.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The terminal.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs the command.
pub(super) fn run(command: &AuditCommand, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let AuditCommand::Verify(arguments) = command;
    match verify(arguments, out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILURE),
        Err(error) => fail(err, &error, EXIT_USAGE),
    }
}

fn verify(arguments: &VerifyArguments, out: &mut dyn Write) -> Result<bool, VerifyError> {
    // Asked first: what is written meanwhile is no end that was cut off.
    let expected = match &arguments.device {
        Some(device) => head(&Remote::new(&arguments.remote)?, device)?,
        None => None,
    };
    let mut verifier = Verifier::new(expected);
    let mut problems: u64 = 0;
    for path in &arguments.files {
        let read = one(path, &mut verifier, &mut problems, out);
        read.map_err(|error| match error {
            VerifyError::Io(source) => VerifyError::File { path: path.clone(), source },
            other @ (VerifyError::File { .. } | VerifyError::Remote(_)) => other,
        })?;
    }
    let Verified { entries, first, head, problem } = verifier.end();
    if let Some(problem) = problem {
        problems = problems.saturating_add(1);
        writeln!(out, "{problem}")?;
    }
    if problems > SHOWN {
        writeln!(out, "… and {} more", problems.saturating_sub(SHOWN))?;
    }
    if let (Some(first), Some(head)) = (first, head) {
        writeln!(
            out,
            "{entries} entries, {first} to {}; the last has hash {}",
            head.seq, head.hash
        )?;
        if first > 0 {
            writeln!(out, "they begin with {first}: older files were not looked at")?;
        }
    } else {
        writeln!(out, "there is no entry")?;
    }
    writeln!(
        out,
        "{}",
        if problems == 0 { "all is there" } else { "it is NOT as it was written" }
    )?;
    Ok(problems == 0)
}

fn one(
    path: &Path,
    verifier: &mut Verifier,
    problems: &mut u64,
    out: &mut dyn Write,
) -> Result<(), VerifyError> {
    let mut lines = BufReader::new(File::open(path)?);
    let (mut number, mut line): (u64, _) = (0, Vec::new());
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number = number.saturating_add(1);
        let place = format!("{}:{number}", path.display());
        match verifier.line(&String::from_utf8_lossy(&line)) {
            Line::Good => {}
            Line::Torn => writeln!(
                out,
                "{place}: no whole entry; none is missing for it if nothing else is said"
            )?,
            Line::Bad(problem) => {
                *problems = problems.saturating_add(1);
                if *problems <= SHOWN {
                    writeln!(out, "{place}: {problem}")?;
                }
            }
        }
    }
}

fn head(remote: &Remote, device: &str) -> Result<Option<ChainHead>, RemoteError> {
    let answer = remote.read(&format!("sys/audit-chain/{}", escaped(device)))?.data;
    let seq = answer.get("seq").and_then(Value::as_u64);
    let hash = answer.get("hash").and_then(Value::as_str).map(str::to_owned);
    Ok(seq.zip(hash).map(|(seq, hash)| ChainHead { seq, hash }))
}
