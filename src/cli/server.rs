//! `leasehold server`: reads the configuration, starts [`crate::app::App`], says where it listens, and
//! stops it gracefully on SIGINT or SIGTERM. What `--dev` prints for people is here; what runs is not.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{EXIT_CONFIG, EXIT_FAILURE, EXIT_USAGE, fail};
use crate::app::{self, Started};
use crate::config::{Config, Dev, Overrides};
use crate::model::ClientToken;
use crate::system::{SystemError, files, process};
use crate::telemetry;

/// Arguments of `leasehold server`; the names are Vault's.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ServerArguments {
    /// Development mode: an embedded AWS, a root token printed, nothing real. Listens on loopback.
    #[arg(long)]
    dev: bool,
    /// Where development mode listens; else where the configuration says, else 127.0.0.1:8200.
    #[arg(long, value_name = "ADDRESS", env = "VAULT_DEV_LISTEN_ADDRESS")]
    dev_listen_address: Option<SocketAddr>,
    /// The root token of development mode, instead of a random one.
    #[arg(long, value_name = "TOKEN", env = "VAULT_DEV_ROOT_TOKEN_ID", hide_env_values = true)]
    dev_root_token_id: Option<String>,
    /// Keep state in this folder, which may exist. Without it development mode keeps nothing.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The configuration file (TOML); see docs/CONFIGURATION.md.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How much to log: trace, debug, info, warn or error.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// `standard` for people, `json` for machines.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Where tests plan the end of this process.
    #[cfg(debug_assertions)]
    #[arg(long, env = "LEASEHOLD_FAIL_POINTS", value_name = "FOLDER", hide = true)]
    fail_points: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  leasehold server --dev
  leasehold server --dev --data-dir ./state --dev-root-token-id root
  leasehold server --config /etc/leasehold.toml

A configuration, whole:
  data_dir = \"/var/lib/leasehold\"
  [listener]
  address = \"127.0.0.1:8200\"
  tls_cert_file = \"/etc/leasehold/cert.pem\"
  tls_key_file = \"/etc/leasehold/key.pem\"
  [guardrails]
  mode = \"enforce\"

A server that was never initialised answers 501 on sys/health; `vault operator init` does that.";

/// Runs until it is told to stop.
pub(super) fn run(
    arguments: &ServerArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    if !arguments.dev && arguments.config.is_none() {
        let message = "name a configuration file with --config FILE, or use --dev\nhelp: `leasehold server --help` shows both";
        return fail(err, &message, EXIT_USAGE);
    }
    if !arguments.dev
        && (arguments.dev_listen_address.is_some() || arguments.dev_root_token_id.is_some())
    {
        // As Vault does it: their variables may be set for everybody on a machine.
        drop(writeln!(err, "note: what is said of development mode is ignored without --dev"));
    }
    let config = match Config::load(arguments.config.as_deref(), arguments.overrides()) {
        Ok(config) => config,
        Err(error) => return fail(err, &error, EXIT_CONFIG),
    };
    telemetry::init(&config.log);
    if let Err(error) = settled(&config) {
        return fail(err, &error, EXIT_FAILURE);
    }
    let announce = |started: &Started<'_>| announce(out, &config, started);
    match app::run(&config, announce) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

/// What the process is and what its files are, before anything is opened.
fn settled(config: &Config) -> Result<(), SystemError> {
    for warning in process::settle(config)? {
        tracing::warn!("{warning}");
    }
    for finding in files::check(config)? {
        let path = finding.path.display();
        tracing::warn!(%path, "{} `{path}`: {}", finding.what, finding.problem);
    }
    Ok(())
}

impl ServerArguments {
    fn overrides(&self) -> Overrides {
        // An empty token opens nothing: a variable that is set to nothing is not set.
        let root_token = self.dev_root_token_id.clone().filter(|token| !token.is_empty());
        Overrides {
            dev: self.dev.then_some(Dev { root_token }),
            address: self.dev_listen_address.filter(|_| self.dev),
            data_dir: self.data_dir.clone(),
            log_level: self.log_level.clone(),
            log_format: self.log_format.clone(),
            #[cfg(debug_assertions)]
            fail_points: self.fail_points.clone(),
        }
    }
}

/// Says where it listens. In development mode loudly, with what to type next.
fn announce(out: &mut dyn Write, config: &Config, started: &Started<'_>) -> std::io::Result<()> {
    let url = started.url();
    // The one place beside the three of `model::secret` that shows a secret: the token of a broker that is
    // not real, to the one who started it.
    let Some(token) = started.root_token.map(ClientToken::expose) else {
        writeln!(out, "leasehold {} listens on {url}", env!("CARGO_PKG_VERSION"))?;
        return out.flush();
    };
    let state = match &config.data_dir {
        Some(dir) => format!("kept in {}", dir.display()),
        None => "in memory; gone when this stops".to_owned(),
    };
    writeln!(
        out,
        "==> Leasehold {version} in DEVELOPMENT MODE. Nothing here is real.

    AWS:         embedded in this process; the keys it hands out open nothing
    Guardrails:  {mode}
    State:       {state}
    Api Address: {url}
    Root Token:  {token}

    export VAULT_ADDR={url} VAULT_TOKEN={token}

==> Do not put this in production. Press Ctrl-C to stop. The log follows.
",
        version = env!("CARGO_PKG_VERSION"),
        mode = config.guardrails.mode,
    )?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        server: ServerArguments,
    }

    fn overrides(arguments: &[&str]) -> Overrides {
        let line = [&["leasehold"], arguments].concat();
        Line::try_parse_from(line).unwrap().server.overrides()
    }

    #[test]
    fn an_address_goes_before_the_file_exactly_when_it_is_given() {
        let given = ["--dev", "--config", "f", "--dev-listen-address", "127.0.0.1:8200"];
        assert_eq!(overrides(&given).address, Some("127.0.0.1:8200".parse().unwrap()));
        assert_eq!(overrides(&["--dev", "--config", "f"]).address, None);
        assert_eq!(overrides(&["--dev-listen-address", "127.0.0.1:1"]).address, None);
    }

    #[test]
    fn an_empty_root_token_is_none() {
        let token =
            |text| overrides(&["--dev", "--dev-root-token-id", text]).dev.unwrap().root_token;
        assert_eq!((token("").as_deref(), token("t").as_deref()), (None, Some("t")));
    }
}
