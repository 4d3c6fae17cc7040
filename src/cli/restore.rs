//! `leasehold restore FILE`: puts a backup into the data directory of a server that does not run. The next
//! start is in quarantine, since nobody knows yet what was done after the backup was made.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::backup::{Place, shown};
use super::{EXIT_FAILURE, fail};
use crate::clock::{Clock as _, SystemClock};
use crate::store::sqlite::backup::restore;

/// Arguments of `leasehold restore`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct RestoreArguments {
    /// A file that `leasehold backup` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Put a database that is there aside, and take this one.
    #[arg(long)]
    force: bool,
}

const AFTER_HELP: &str = "\
Stop the server first. Put the key file back as well, if one unseals: without it the secrets in the backup stay closed.
The next start issues nothing and removes nothing by itself. `leasehold quarantine` shows what is different in
AWS, `leasehold quarantine lift` ends the wait.";

/// Puts it back and says what comes next.
pub(super) fn run(
    arguments: &RestoreArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let place = match arguments.place.find() {
        Ok(place) => place,
        Err(error) => return fail(err, &error, super::EXIT_CONFIG),
    };
    let now = SystemClock.now();
    let restored = match restore(&arguments.file, &place.data_dir, arguments.force, now) {
        Ok(restored) => restored,
        Err(error) => return fail(err, &error, EXIT_FAILURE),
    };
    let made = restored.facts.made_at.map(|at| format!(", made {}", at.rfc3339()));
    let mut lines = vec![
        format!(
            "{}: {}{}",
            place.data_dir.display(),
            shown(&restored.facts),
            made.unwrap_or_default()
        ),
        "the next start is in quarantine: look with `leasehold quarantine`, end it with `leasehold quarantine lift`".to_owned(),
    ];
    if let Some(aside) = restored.put_aside {
        lines.push(format!("note: the database that was there is now `{}`", aside.display()));
    }
    if restored.facts.key_file && !place.key_file.exists() {
        lines.push(format!(
            "note: the key file `{}` is missing: put it back before the start",
            place.key_file.display()
        ));
    }
    match writeln!(out, "{}", lines.join("\n")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}
