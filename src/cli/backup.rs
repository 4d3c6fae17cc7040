//! `leasehold backup FILE`: one moment of the database in a file, taken beside a running server or without one,
//! checked before it has its name. The key that opens its secrets is never in it, and this says so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{EXIT_FAILURE, fail};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, ConfigError, Overrides};
use crate::store::sqlite::backup::{BackupFacts, back_up};

/// Where a server keeps its state.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The folder of the server's state.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    data_dir: Option<PathBuf>,
    /// The server's configuration file, which names that folder and the key file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The folder, and where the key file is.
pub(super) struct Found {
    pub(super) data_dir: PathBuf,
    pub(super) key_file: PathBuf,
}

impl Place {
    pub(super) fn find(&self) -> Result<Found, ConfigError> {
        let (data_dir, key_file) = match &self.config {
            Some(file) => {
                let flags = Overrides { data_dir: self.data_dir.clone(), ..Overrides::default() };
                let config = Config::load(Some(file), flags)?;
                (config.data_dir, config.seal.key_file().map(Path::to_owned))
            }
            None => (self.data_dir.clone(), None),
        };
        let data_dir = data_dir.unwrap_or_default();
        let key_file = key_file.unwrap_or_else(|| data_dir.join("seal.key"));
        Ok(Found { data_dir, key_file })
    }
}

/// Arguments of `leasehold backup`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct BackupArguments {
    /// The file to write; made with mode 0600.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
}

const AFTER_HELP: &str = "\
Run it on the machine of the server, as its user; the server may run. What is secret in the file is encrypted,
and what unseals is NOT in it: keep the shares, or a copy of the key file (`seal.key` in the data directory),
somewhere else.

Example:
  leasehold backup /backups/leasehold-$(date +%F).db --config /etc/leasehold.toml";

/// Makes the copy and says what is in it.
pub(super) fn run(
    arguments: &BackupArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let place = match arguments.place.find() {
        Ok(place) => place,
        Err(error) => return fail(err, &error, super::EXIT_CONFIG),
    };
    let now = SystemClock.now();
    match back_up(&place.data_dir, &arguments.file, arguments.force, now) {
        Ok(facts) => {
            let keep = if facts.key_file {
                format!("keep a copy of `{}` somewhere else", place.key_file.display())
            } else {
                "keep its shares, or the key of AWS KMS".to_owned()
            };
            let said = writeln!(
                out,
                "{}: {}, checked\nnote: what opens its secrets is not in it; {keep}",
                arguments.file.display(),
                shown(&facts),
            );
            said.map_or_else(|error| fail(err, &error, EXIT_FAILURE), |()| ExitCode::SUCCESS)
        }
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

/// What is in a copy, in a line.
pub(super) fn shown(facts: &BackupFacts) -> String {
    let BackupFacts { layout, leases, unfinished, mounts, bytes, made_at: _, key_file: _ } = facts;
    format!(
        "{leases} leases ({unfinished} not ended), {mounts} mounts, layout {layout}, {bytes} bytes"
    )
}
