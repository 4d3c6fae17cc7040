//! What the values of a configuration may be, and what stands where there is none. Each function reads one thing and
//! names its key where it cannot be; nothing here opens or binds. The file itself: [`super::file`].

use std::time::Duration;

use guardrail_kit::package::PublicKey;

use super::file::{PluginsFile, TrustedKeyFile};
use super::{ConfigError, Log, RunsAs, invalid};
use crate::gate::{Trust, TrustedKey};
use crate::model::Network;
use crate::model::duration::parse_seconds;

/// Vault's default for both lease TTLs: 32 days (contract 1.6).
const DEFAULT_TTL: Duration = Duration::from_hours(768);

/// A day: five calls for the largest account (IAM's quota of 5,000 users, 1,000 a page), and a user that
/// nobody knows of is found before it is old.
const RECONCILE_INTERVAL: Duration = Duration::from_hours(24);

/// Networks of `logins.private_networks`.
pub(super) fn private_networks(sent: &[String]) -> Result<Vec<Network>, ConfigError> {
    let read = |text: &String| {
        let problem =
            format!("`{text}` is no address or network\nhelp: write it like 10.96.0.0/12");
        text.trim().parse().map_err(|_none| invalid("logins.private_networks", problem))
    };
    sent.iter().map(read).collect()
}

/// Which keys are trusted. A list in which two could be meant by one name or one id is refused.
pub(super) fn trust(file: PluginsFile) -> Result<Trust, ConfigError> {
    const KEYS: &str = "plugins.trusted_keys";
    let mut keys: Vec<TrustedKey> = Vec::new();
    for TrustedKeyFile { name, key, plugins } in file.trusted_keys {
        let wrong = |problem: &dyn std::fmt::Display| invalid(KEYS, format!("`{name}`: {problem}"));
        let key = PublicKey::parse(&key).map_err(|error| wrong(&error))?;
        if keys.iter().any(|known| known.name == name || known.key == key) {
            return Err(wrong(&"this name or this key is there twice"));
        }
        if plugins.is_empty() {
            let help = "may sign no plugin\nhelp: e.g. plugins = [\"*\"] for all";
            return Err(wrong(&help));
        }
        keys.push(TrustedKey { name, key, plugins });
    }
    if file.require_signature && keys.is_empty() {
        let problem = "no key is trusted, so that no plugin could be used\nhelp: add one to plugins.trusted_keys; `leasehold plugin keygen` makes one";
        return Err(invalid("plugins.require_signature", problem));
    }
    Ok(Trust { require_signature: file.require_signature, keys })
}

/// A duration above zero, as Vault's configuration takes them.
pub(super) fn duration(key: &str, text: &str) -> Result<Duration, ConfigError> {
    let seconds = parse_seconds(text).ok().and_then(|seconds| u64::try_from(seconds).ok());
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(|| {
        let help = "help: e.g. \"30m\", \"1h30m\", \"768h\" or \"7d\"";
        invalid(key, format!("`{text}` is not a duration\n{help}"))
    })
}

pub(super) fn ttls(
    default: Option<&str>,
    max: Option<&str>,
) -> Result<(Duration, Duration), ConfigError> {
    let read = |key, text: Option<&str>| text.map(|text| duration(key, text)).transpose();
    let max = read("max_lease_ttl", max)?.unwrap_or(DEFAULT_TTL);
    let default = read("default_lease_ttl", default)?.unwrap_or(DEFAULT_TTL.min(max));
    if default > max {
        return Err(invalid("default_lease_ttl", "is greater than max_lease_ttl"));
    }
    Ok((default, max))
}

/// `0` = never. In development mode only where it is said: nobody else works in an embedded AWS.
pub(super) fn reconcile_interval(
    text: Option<&str>,
    dev: bool,
) -> Result<Option<Duration>, ConfigError> {
    match text {
        None => Ok((!dev).then_some(RECONCILE_INTERVAL)),
        Some("0") => Ok(None),
        Some(text) => duration("reconcile_interval", text).map(Some),
    }
}

pub(super) fn log(level: Option<&str>, format: Option<&str>) -> Result<Log, ConfigError> {
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

/// A group alone says nobody.
pub(super) fn runs_as(
    user: Option<String>,
    group: Option<String>,
) -> Result<Option<RunsAs>, ConfigError> {
    match (user, group) {
        (Some(user), group) => Ok(Some(RunsAs { user, group })),
        (None, Some(_)) => Err(invalid("user", "missing, but group is set")),
        (None, None) => Ok(None),
    }
}
