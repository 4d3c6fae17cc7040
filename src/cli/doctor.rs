//! `leasehold doctor`: asks a running server whether it could do its work, and shows each check with what to do.
//! The checks are the server's.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::fail;
use super::output::{self, Format};
use super::reconcile::{ShowError, list, text};
use super::remote::{Remote, RemoteArguments};

/// Arguments of `leasehold doctor`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DoctorArguments {
    /// Print the IAM policy that the broker needs for the stored roles, one for each account, and nothing else.
    #[arg(long)]
    policy: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    remote: RemoteArguments,
}

const AFTER_HELP: &str = "\
It only asks: nothing is changed in AWS or in the server. What cannot be found out is `unknown`.

Exit codes: 0 nothing to do, 1 something to look at, 2 something does not work, 3 the server could not be asked.";

/// The server could not be asked.
const EXIT_UNASKED: u8 = 3;

/// Asks and shows.
pub(super) fn run(
    arguments: &DoctorArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    match ask(arguments, out) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(err, &error, EXIT_UNASKED),
    }
}

fn ask(arguments: &DoctorArguments, out: &mut dyn Write) -> Result<u8, ShowError> {
    let diagnosis = Remote::new(&arguments.remote)?.read("sys/doctor")?.data;
    if arguments.policy {
        write!(out, "{}", text(&diagnosis, "policy"))?;
        return Ok(0);
    }
    match arguments.format {
        Format::Json => output::json(out, &diagnosis)?,
        Format::Table => show(out, &diagnosis)?,
    }
    Ok(match text(&diagnosis, "status").as_str() {
        "ok" | "unknown" => 0,
        "warn" => 1,
        _ => 2,
    })
}

fn show(out: &mut dyn Write, diagnosis: &Value) -> Result<(), ShowError> {
    let checks = || list(diagnosis, "checks");
    let rows: Vec<Vec<String>> = checks()
        .map(|check| vec![text(check, "status"), text(check, "name"), text(check, "detail")])
        .collect();
    output::table(out, &["status", "check", "detail"], &rows)?;
    for check in checks().filter(|check| !text(check, "help").is_empty()) {
        let (name, help) = (text(check, "name"), text(check, "help"));
        writeln!(out, "help: {}: {}", output::printable(&name), output::printable(&help))?;
    }
    Ok(())
}
