//! `leasehold server`: reads the configuration, starts [`crate::app::App`], says where it listens, and
//! stops it gracefully on SIGINT or SIGTERM. What `--dev` prints for people is here; what runs is not.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{EXIT_CONFIG, EXIT_FAILURE, fail};
use crate::app::{self, Started};
use crate::config::{Config, Dev, Overrides};
use crate::model::ClientToken;
use crate::telemetry;

/// Arguments of `leasehold server`; the names are Vault's.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ServerArguments {
    /// Development mode: an embedded AWS, a root token printed, nothing real. Listens on loopback.
    #[arg(long)]
    dev: bool,
    /// Where development mode listens.
    #[arg(long, value_name = "ADDRESS", requires = "dev", default_value = crate::config::DEV_ADDRESS,
          default_value_if("dev", "false", None), env = "VAULT_DEV_LISTEN_ADDRESS")]
    dev_listen_address: Option<SocketAddr>,
    /// The root token of development mode, instead of a random one.
    #[arg(
        long,
        value_name = "TOKEN",
        requires = "dev",
        env = "VAULT_DEV_ROOT_TOKEN_ID",
        hide_env_values = true
    )]
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
        return fail(err, &message, 2);
    }
    let config = match Config::load(arguments.config.as_deref(), arguments.overrides()) {
        Ok(config) => config,
        Err(error) => return fail(err, &error, EXIT_CONFIG),
    };
    telemetry::init(&config.log);
    let announce = |started: &Started<'_>| announce(out, &config, started);
    match app::run(&config, announce) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(err, &error, EXIT_FAILURE),
    }
}

impl ServerArguments {
    fn overrides(&self) -> Overrides {
        let dev = self.dev.then(|| Dev { root_token: self.dev_root_token_id.clone() });
        // A file's own address goes before the default of a flag that nobody gave.
        let from_file = self.config.is_some()
            && self.dev_listen_address.map(|a| a.to_string()).as_deref()
                == Some(crate::config::DEV_ADDRESS);
        Overrides {
            address: if self.dev && !from_file { self.dev_listen_address } else { None },
            dev,
            data_dir: self.data_dir.clone(),
            log_level: self.log_level.clone(),
            log_format: self.log_format.clone(),
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
