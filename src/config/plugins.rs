//! `[plugins]`: whose signature on a plugin is believed. Read here, judged by [`crate::gate::Trust`].

use guardrail_kit::package::PublicKey;
use serde::Deserialize;

use super::{ConfigError, invalid};
use crate::gate::{Trust, TrustedKey};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PluginsFile {
    #[serde(default)]
    require_signature: bool,
    #[serde(default)]
    trusted_keys: Vec<TrustedKeyFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct TrustedKeyFile {
    name: String,
    key: String,
    plugins: Vec<String>,
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
