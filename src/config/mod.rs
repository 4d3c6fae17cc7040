//! The configuration: one TOML file and a few flags, read and checked whole before anything binds,
//! opens or writes. Nothing else in the crate reads configuration or the environment; the result is
//! plain data for [`crate::app`]. The keys are Vault's where Vault has them. The file is `file`, what its values may
//! be `checks` and `guardrails`.

mod checks;
mod file;
mod guardrails;
mod limits;
mod listeners;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::gate::{Bounds, Mode, Trust};
use crate::model::Network;
use checks::{log, private_networks, reconcile_interval, runs_as, trust, ttls};
use file::{File, read};
use guardrails::guardrails;
pub use limits::Limits;
use listeners::listeners;
pub use listeners::{Address, ClientCertificates, Listener, Tls, TlsVersion, UnixSocket};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or type that is not known.
    #[error("`{}` is not a valid configuration: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What and where, as the TOML reader says it.
        detail: String,
    },
    /// A value that cannot be.
    #[error("`{key}`: {problem}")]
    Invalid {
        /// The key, dotted.
        key: String,
        /// What is wrong, and a `help:` line where there is something to do.
        problem: String,
    },
}

fn invalid(key: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError::Invalid { key: key.to_owned(), problem: problem.into() }
}

/// What the broker runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether this is `--dev`: embedded AWS, already initialised, nothing real.
    pub dev: Option<Dev>,
    /// Where state is kept; `None` (dev only) keeps nothing.
    pub data_dir: Option<PathBuf>,
    /// Where to listen: at least one.
    pub listeners: Vec<Listener>,
    /// Whom the process becomes when root starts it.
    pub runs_as: Option<RunsAs>,
    /// The file that this was read from, if any.
    pub file: Option<PathBuf>,
    /// Modes, settings and limits of the guardrails.
    pub guardrails: Guardrails,
    /// Whose signature on a plugin is believed.
    pub plugins: Trust,
    /// Where the key of the seal lies; `None` keeps it in memory (dev without a data directory).
    pub key_file: Option<PathBuf>,
    /// Networks that are not on the internet and where issuers of logins and Kubernetes clusters may be asked.
    pub private_networks: Vec<Network>,
    /// The server's default lease TTL.
    pub default_lease_ttl: Duration,
    /// The server's maximum lease TTL.
    pub max_lease_ttl: Duration,
    /// How often AWS is compared with the leases by itself; `None` = never.
    pub reconcile_interval: Option<Duration>,
    /// How it logs.
    pub log: Log,
    /// Where tests plan the end of this process; a release has none.
    #[cfg(debug_assertions)]
    pub fail_points: Option<PathBuf>,
}

/// Whom the process becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsAs {
    /// By name or number.
    pub user: String,
    /// By name or number; else the user's own.
    pub group: Option<String>,
}

/// What only `--dev` has.
#[derive(Debug, Clone, Default)]
pub struct Dev {
    /// The root token to use; `None` makes one up.
    pub root_token: Option<String>,
}

/// Which guardrail does what.
#[derive(Debug, Clone)]
pub struct Guardrails {
    /// For those without a mode of their own.
    pub mode: Mode,
    /// By name.
    pub modes: BTreeMap<String, Mode>,
    /// JSON objects as text, by name.
    pub settings: BTreeMap<String, String>,
    /// What they may use.
    pub bounds: Bounds,
}

/// How it logs.
#[derive(Debug, Clone)]
pub struct Log {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: tracing::Level,
    /// Lines of JSON instead of text.
    pub json: bool,
}

/// Flags of `leasehold server` that go before the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--dev`.
    pub dev: Option<Dev>,
    /// `--dev-listen-address`.
    pub address: Option<SocketAddr>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--log-level`.
    pub log_level: Option<String>,
    /// `--log-format`.
    pub log_format: Option<String>,
    /// `--fail-points`.
    #[cfg(debug_assertions)]
    pub fail_points: Option<PathBuf>,
}

impl Config {
    /// Reads `path`, if there is one, and puts the flags over it.
    pub fn load(path: Option<&Path>, flags: Overrides) -> Result<Self, ConfigError> {
        let file = path.map(read).transpose()?.unwrap_or_default();
        Ok(Self { file: path.map(Path::to_owned), ..Self::from_file(file, flags)? })
    }

    /// The same of a text.
    pub fn parse(text: &str, flags: Overrides) -> Result<Self, ConfigError> {
        Self::from_file(file::parse(text, Path::new("-"))?, flags)
    }

    fn from_file(file: File, flags: Overrides) -> Result<Self, ConfigError> {
        let dev = flags.dev.is_some();
        let data_dir = flags.data_dir.or(file.data_dir);
        if data_dir.as_ref().is_some_and(|dir| dir.as_os_str().is_empty())
            || data_dir.is_none() && !dev
        {
            return Err(invalid(
                "data_dir",
                "missing or empty\nhelp: name the folder that holds the state, e.g. data_dir = \"/var/lib/leasehold\"",
            ));
        }
        let key_file =
            file.seal.key_file.or_else(|| data_dir.as_ref().map(|dir| dir.join("seal.key")));
        let ttls = ttls(file.default_lease_ttl.as_deref(), file.max_lease_ttl.as_deref())?;
        Ok(Self {
            listeners: listeners(file.listener, flags.address, dev)?,
            runs_as: runs_as(file.user, file.group)?,
            file: None,
            guardrails: guardrails(file.guardrails, if dev { Mode::Warn } else { Mode::Enforce })?,
            plugins: trust(file.plugins)?,
            private_networks: private_networks(&file.logins.private_networks)?,
            key_file,
            data_dir,
            default_lease_ttl: ttls.0,
            max_lease_ttl: ttls.1,
            reconcile_interval: reconcile_interval(file.reconcile_interval.as_deref(), dev)?,
            log: log(
                flags.log_level.as_deref().or(file.log_level.as_deref()),
                flags.log_format.as_deref().or(file.log_format.as_deref()),
            )?,
            dev: flags.dev,
            #[cfg(debug_assertions)]
            fail_points: flags.fail_points,
        })
    }
}

impl Config {
    /// The configuration as it can be shown: it holds no secret, and paths of keys are not the keys. The names are
    /// those of the file.
    pub fn sanitized(&self) -> serde_json::Value {
        let listeners: Vec<_> = self.listeners.iter().map(Listener::sanitized).collect();
        serde_json::json!({
            "data_dir": self.data_dir,
            "default_lease_ttl": self.default_lease_ttl.as_secs(),
            "max_lease_ttl": self.max_lease_ttl.as_secs(),
            "reconcile_interval": self.reconcile_interval.map_or(0, |every| every.as_secs()),
            "log_level": self.log.level.as_str().to_ascii_lowercase(),
            "log_format": if self.log.json { "json" } else { "standard" },
            "listeners": listeners,
            "storage": {"type": "sqlite"},
            "seals": [{"type": "static", "disabled": false}],
            "require_signature": self.plugins.require_signature,
            "user": self.runs_as.as_ref().map(|runs_as| &runs_as.user),
        })
    }
}

impl Guardrails {
    /// What is bound without a configuration, where everything enforces.
    pub fn enforcing() -> Self {
        let (modes, settings) = (BTreeMap::new(), BTreeMap::new());
        Self { mode: Mode::Enforce, modes, settings, bounds: Bounds::default() }
    }

    /// What a configuration says of guardrails, for `leasehold check --config FILE`: they enforce
    /// unless it says otherwise.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        guardrails(read(path)?.guardrails, Mode::Enforce)
    }
}

#[cfg(test)]
mod tests;
