//! The configuration: one TOML file and a few flags, read and checked whole before anything binds,
//! opens or writes. Nothing else in the crate reads configuration or the environment; the result is
//! plain data for [`crate::app`]. The keys are Vault's where Vault has them.

mod plugins;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::gate::{Mode, SHIPPED, Trust, shipped};
use crate::model::duration::parse_seconds;

/// Vault's default for both lease TTLs: 32 days (contract 1.6).
const DEFAULT_TTL: Duration = Duration::from_hours(768);

/// A day: five calls for the largest account (IAM's quota of 5,000 users, 1,000 a page), and a user that
/// nobody knows of is found before it is old.
const RECONCILE_INTERVAL: Duration = Duration::from_hours(24);

/// Where `leasehold server --dev` listens, as `vault server -dev` does.
const DEV_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8200);

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
    /// Where to listen.
    pub listener: Listener,
    /// Modes of the guardrails.
    pub guardrails: Guardrails,
    /// Whose signature on a plugin is believed.
    pub plugins: Trust,
    /// Where the key of the seal lies; `None` keeps it in memory (dev without a data directory).
    pub key_file: Option<PathBuf>,
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

/// What only `--dev` has.
#[derive(Debug, Clone, Default)]
pub struct Dev {
    /// The root token to use; `None` makes one up.
    pub root_token: Option<String>,
}

/// One listener.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// Certificate chain and key, PEM files; `None` serves plain HTTP.
    pub tls: Option<Tls>,
    /// Whether `sys/metrics` needs no token.
    pub open_metrics: bool,
}

/// The files of a TLS listener.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Certificate chain, PEM, leaf first.
    pub cert_file: PathBuf,
    /// Private key, PEM.
    pub key_file: PathBuf,
}

/// Which guardrail does what.
#[derive(Debug, Clone)]
pub struct Guardrails {
    /// For those without a mode of their own.
    pub mode: Mode,
    /// By name.
    pub modes: BTreeMap<String, Mode>,
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    data_dir: Option<PathBuf>,
    #[serde(default)]
    listener: ListenerFile,
    #[serde(default)]
    guardrails: GuardrailsFile,
    #[serde(default)]
    plugins: plugins::PluginsFile,
    #[serde(default)]
    seal: SealFile,
    default_lease_ttl: Option<String>,
    max_lease_ttl: Option<String>,
    reconcile_interval: Option<String>,
    log_level: Option<String>,
    log_format: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct ListenerFile {
    address: Option<String>,
    tls_cert_file: Option<PathBuf>,
    tls_key_file: Option<PathBuf>,
    #[serde(default)]
    tls_disable: bool,
    #[serde(default)]
    telemetry: TelemetryFile,
}

/// As in Vault's listener.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct TelemetryFile {
    #[serde(default)]
    unauthenticated_metrics_access: bool,
}

/// A mode for all, and one for each guardrail that ships with the broker and is named here.
#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a table")]
struct GuardrailsFile {
    mode: Option<Mode>,
    /// Looked at one by one, so that a misspelt name is named.
    #[serde(flatten)]
    named: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct GuardrailFile {
    mode: Mode,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct SealFile {
    key_file: Option<PathBuf>,
}

impl Config {
    /// Reads `path`, if there is one, and puts the flags over it.
    pub fn load(path: Option<&Path>, flags: Overrides) -> Result<Self, ConfigError> {
        let file = path.map(read).transpose()?.unwrap_or_default();
        Self::from_file(file, flags)
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
            listener: listener(file.listener, flags.address, dev)?,
            guardrails: guardrails(file.guardrails, if dev { Mode::Warn } else { Mode::Enforce })?,
            plugins: plugins::trust(file.plugins)?,
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

impl Guardrails {
    /// What a configuration says of guardrails, for `leasehold check --config FILE`: they enforce
    /// unless it says otherwise.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        guardrails(read(path)?.guardrails, Mode::Enforce)
    }
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| ConfigError::Malformed {
        path: path.to_owned(),
        detail: error.to_string().trim_end().to_owned(),
    })
}

fn listener(
    file: ListenerFile,
    flag: Option<SocketAddr>,
    dev: bool,
) -> Result<Listener, ConfigError> {
    let address = match (flag, file.address) {
        (Some(address), _) => address,
        (None, Some(text)) => {
            let Ok(address) = text.parse() else {
                return Err(invalid(
                    "listener.address",
                    format!(
                        "`{text}` is not an IP address and a port\nhelp: e.g. address = \"127.0.0.1:8200\""
                    ),
                ));
            };
            address
        }
        (None, None) if dev => DEV_ADDRESS,
        (None, None) => {
            return Err(invalid(
                "listener.address",
                "missing\nhelp: e.g. address = \"127.0.0.1:8200\"",
            ));
        }
    };
    let tls = match (file.tls_cert_file, file.tls_key_file) {
        _ if file.tls_disable => None,
        (Some(cert_file), Some(key_file)) => Some(Tls { cert_file, key_file }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(invalid("listener.tls_key_file", "missing, but tls_cert_file is set"));
        }
        (None, Some(_)) => {
            return Err(invalid("listener.tls_cert_file", "missing, but tls_key_file is set"));
        }
    };
    if tls.is_none() && !file.tls_disable && !address.ip().is_loopback() {
        return Err(invalid(
            "listener.address",
            format!(
                "`{address}` is not a loopback address, and there is no TLS\nhelp: set tls_cert_file and tls_key_file, or tls_disable = true where something in front does TLS"
            ),
        ));
    }
    let open_metrics = file.telemetry.unauthenticated_metrics_access;
    Ok(Listener { address, tls, open_metrics })
}

/// Those that ship with the broker alone: an uploaded one is bound by a write to `sys/guardrails`.
fn guardrails(file: GuardrailsFile, default: Mode) -> Result<Guardrails, ConfigError> {
    if let Some(unknown) = file.named.keys().find(|name| shipped(name).is_none()) {
        let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let help = format!("help: those that do: {}", names.join(", "));
        let problem = format!("no guardrail of this name ships with the broker\n{help}");
        return Err(invalid(&format!("guardrails.{unknown}"), problem));
    }
    let mode = |(name, section): (String, toml::Value)| match section.try_into() {
        Ok(GuardrailFile { mode }) => Ok((name, mode)),
        Err(error) => {
            Err(invalid(&format!("guardrails.{name}"), error.to_string().trim_end().to_owned()))
        }
    };
    let modes = file.named.into_iter().map(mode).collect::<Result<_, _>>()?;
    Ok(Guardrails { mode: file.mode.unwrap_or(default), modes })
}

/// A duration above zero, as Vault's configuration takes them.
fn duration(key: &str, text: &str) -> Result<Duration, ConfigError> {
    let seconds = parse_seconds(text).ok().and_then(|seconds| u64::try_from(seconds).ok());
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(|| {
        let help = "help: e.g. \"30m\", \"1h30m\", \"768h\" or \"7d\"";
        invalid(key, format!("`{text}` is not a duration\n{help}"))
    })
}

fn ttls(default: Option<&str>, max: Option<&str>) -> Result<(Duration, Duration), ConfigError> {
    let read = |key, text: Option<&str>| text.map(|text| duration(key, text)).transpose();
    let max = read("max_lease_ttl", max)?.unwrap_or(DEFAULT_TTL);
    let default = read("default_lease_ttl", default)?.unwrap_or(DEFAULT_TTL.min(max));
    if default > max {
        return Err(invalid("default_lease_ttl", "is greater than max_lease_ttl"));
    }
    Ok((default, max))
}

/// `0` = never. In development mode only where it is said: nobody else works in an embedded AWS.
fn reconcile_interval(text: Option<&str>, dev: bool) -> Result<Option<Duration>, ConfigError> {
    match text {
        None => Ok((!dev).then_some(RECONCILE_INTERVAL)),
        Some("0") => Ok(None),
        Some(text) => duration("reconcile_interval", text).map(Some),
    }
}

fn log(level: Option<&str>, format: Option<&str>) -> Result<Log, ConfigError> {
    let level = level.unwrap_or("info");
    let json = match format {
        None | Some("standard") => false,
        Some("json") => true,
        Some(other) => {
            return Err(invalid(
                "log_format",
                format!("`{other}` is neither `standard` nor `json`"),
            ));
        }
    };
    let Ok(level) = level.parse() else {
        return Err(invalid(
            "log_level",
            format!("`{level}` is none of `trace`, `debug`, `info`, `warn`, `error`"),
        ));
    };
    Ok(Log { level, json })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, flags: Overrides) -> Result<Config, String> {
        let file = toml::from_str(text).map_err(|error| error.to_string())?;
        Config::from_file(file, flags).map_err(|error| error.to_string())
    }

    fn dev() -> Overrides {
        Overrides { dev: Some(Dev::default()), ..Overrides::default() }
    }

    #[test]
    fn dev_needs_nothing_and_warns() {
        let config = read("", dev()).unwrap();
        assert_eq!(config.listener.address.to_string(), "127.0.0.1:8200");
        assert_eq!(config.guardrails.mode, Mode::Warn);
        assert_eq!((config.data_dir, config.key_file), (None, None));
        assert_eq!(config.reconcile_interval, None);
        let told = |text: &str| read(text, dev()).unwrap().reconcile_interval;
        assert_eq!(told("reconcile_interval = \"1h\""), Some(Duration::from_hours(1)));
        assert_eq!(told("reconcile_interval = \"0\""), None);
    }

    #[test]
    fn a_server_enforces_and_keeps_its_key_in_the_data_directory() {
        let config =
            read("data_dir = \"/d\"\n[listener]\naddress = \"127.0.0.1:1\"", Overrides::default())
                .unwrap();
        assert_eq!(config.guardrails.mode, Mode::Enforce);
        assert_eq!(config.key_file, Some(PathBuf::from("/d/seal.key")));
        assert_eq!(config.default_lease_ttl.as_secs(), 2_764_800);
        assert_eq!(config.reconcile_interval, Some(Duration::from_hours(24)));
    }

    #[test]
    fn a_guardrail_may_have_a_mode_of_its_own() {
        let text =
            "[guardrails]\nmode = \"enforce\"\n[guardrails.least-privilege]\nmode = \"audit\"";
        let config = read(text, dev()).unwrap();
        assert_eq!(config.guardrails.mode, Mode::Enforce);
        assert_eq!(config.guardrails.modes.get("least-privilege"), Some(&Mode::Audit));
        let misspelt = text.replace("least-privilege", "least-privileg");
        let told = read(&misspelt, dev()).unwrap_err();
        assert!(
            told.starts_with("`guardrails.least-privileg`: no guardrail of this name"),
            "{told}"
        );
        assert!(read(&text.replace("audit", "loud"), dev()).is_err());
    }

    #[test]
    fn trusted_keys_are_read_and_must_be_told_apart() {
        let key = |name: &str, key: &str| {
            format!(
                "[[plugins.trusted_keys]]\nname = \"{name}\"\nkey = \"{key}\"\nplugins = [\"deny-*\"]\n"
            )
        };
        // The key of RFC 8410, section 10.1.
        let good = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let text = format!("[plugins]\nrequire_signature = true\n{}", key("ci", good));
        let plugins = read(&text, dev()).unwrap().plugins;
        assert!(plugins.require_signature);
        assert_eq!((plugins.keys[0].name.as_str(), plugins.keys[0].plugins.len()), ("ci", 1));
        for (text, part) in [
            (key("ci", "x"), "`plugins.trusted_keys`: `ci`: this is not an Ed25519 public key"),
            (key("ci", good) + &key("ci", other), "there twice"),
            (key("ci", good) + &key("cd", good), "there twice"),
            ("[plugins]\nrequire_signature = true".to_owned(), "no key is trusted"),
            (key("ci", good).replace("\"deny-*\"", ""), "may sign no plugin"),
            ("[plugins]\nsigned = true".to_owned(), "signed"),
        ] {
            let told = read(&text, dev()).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn an_open_address_needs_tls_or_a_word() {
        let text = "data_dir = \"/d\"\n[listener]\naddress = \"0.0.0.0:8200\"";
        assert!(read(text, Overrides::default()).unwrap_err().contains("not a loopback address"));
        let plain = read(&format!("{text}\ntls_disable = true"), Overrides::default()).unwrap();
        assert!(plain.listener.tls.is_none());
        let tls = read(
            &format!("{text}\ntls_cert_file = \"c\"\ntls_key_file = \"k\""),
            Overrides::default(),
        )
        .unwrap();
        assert!(tls.listener.tls.is_some());
        assert!(
            read(&format!("{text}\ntls_cert_file = \"c\""), Overrides::default())
                .unwrap_err()
                .contains("tls_key_file")
        );
    }

    #[test]
    fn what_is_misspelt_is_named() {
        assert!(read("datadir = \"/d\"", dev()).unwrap_err().contains("datadir"));
        assert!(
            read("[guardrails.least-privlege]\nmode = \"warn\"", dev())
                .unwrap_err()
                .contains("least-privlege")
        );
        for text in
            ["[guardrails]\nmod = \"warn\"", "listener = 5", "guardrails.least-privilege = 1"]
        {
            let told = read(text, dev()).unwrap_err();
            assert!(!told.contains("struct") && !told.contains("File"), "{told}");
        }
        assert!(read("[guardrails]\nmod = \"warn\"", dev()).unwrap_err().contains("mod"));
        assert!(read("max_lease_ttl = \"1 hour\"", dev()).unwrap_err().contains("not a duration"));
        assert!(read("log_level = \"loud\"", dev()).unwrap_err().contains("loud"));
        assert!(
            read("[listener]\naddress = \"localhost\"", dev()).unwrap_err().contains("localhost")
        );
    }

    #[test]
    fn durations_are_vaults() {
        for (text, seconds) in
            [("60", 60), ("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)]
        {
            assert_eq!(duration("k", text).unwrap().as_secs(), seconds, "{text}");
        }
        assert_eq!(duration("k", "1h30m").unwrap().as_secs(), 5400);
        for text in ["", "h", "-1h", "0", "1w", "5mm", "18446744073709551615d", "200000d"] {
            assert!(duration("k", text).is_err(), "{text}");
        }
    }
}
