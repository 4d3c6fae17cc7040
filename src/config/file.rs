//! The configuration file as it is written: TOML, with no key that is not known. What its values may be, and what
//! stands where there is none, is in [`super::checks`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::ConfigError;
use crate::gate::Mode;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct File {
    pub(super) data_dir: Option<PathBuf>,
    #[serde(default)]
    pub(super) listener: Tables,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) guardrails: GuardrailsFile,
    #[serde(default)]
    pub(super) plugins: PluginsFile,
    #[serde(default)]
    pub(super) seal: SealFile,
    #[serde(default)]
    pub(super) logins: LoginsFile,
    pub(super) default_lease_ttl: Option<String>,
    pub(super) max_lease_ttl: Option<String>,
    pub(super) reconcile_interval: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) log_format: Option<String>,
}

/// One table of a listener, or a list of them.
#[derive(Debug, Default)]
pub(super) struct Tables(pub(super) Vec<ListenerFile>);

impl<'de> Deserialize<'de> for Tables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TablesVisitor)
    }
}

struct TablesVisitor;

impl<'de> Visitor<'de> for TablesVisitor {
    type Value = Tables;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, or a list of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Tables, A::Error> {
        let table = ListenerFile::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Tables(vec![table]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tables, A::Error> {
        let mut tables = Vec::new();
        while let Some(table) = list.next_element()? {
            tables.push(table);
        }
        Ok(Tables(tables))
    }
}

/// The keys of a listener; Vault's where Vault has them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct ListenerFile {
    pub(super) address: Option<String>,
    pub(super) socket_mode: Option<String>,
    pub(super) socket_user: Option<String>,
    pub(super) socket_group: Option<String>,
    pub(super) tls_cert_file: Option<PathBuf>,
    pub(super) tls_key_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) tls_disable: bool,
    pub(super) tls_min_version: Option<String>,
    pub(super) tls_client_ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) tls_require_and_verify_client_cert: bool,
    #[serde(default)]
    pub(super) tls_disable_client_certs: bool,
    pub(super) max_request_size: Option<usize>,
    pub(super) max_header_size: Option<usize>,
    pub(super) max_headers: Option<usize>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_request_duration: Option<String>,
    pub(super) http_read_header_timeout: Option<String>,
    pub(super) http_read_timeout: Option<String>,
    pub(super) http_idle_timeout: Option<String>,
    #[serde(default)]
    pub(super) telemetry: TelemetryFile,
}

/// As in Vault's listener.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct TelemetryFile {
    #[serde(default)]
    pub(super) unauthenticated_metrics_access: bool,
}

/// A mode and limits for all, and a section for each guardrail that ships with the broker and is named here.
#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a table")]
pub(super) struct GuardrailsFile {
    pub(super) mode: Option<Mode>,
    #[serde(default)]
    pub(super) limits: LimitsFile,
    /// Looked at one by one, so that a misspelt name is named.
    #[serde(flatten)]
    pub(super) named: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct GuardrailFile {
    pub(super) mode: Option<Mode>,
    pub(super) settings: Option<toml::Table>,
}

/// As in `guardrail_host::Limits`, each with its unit in its name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct LimitsFile {
    pub(super) fuel: Option<u64>,
    pub(super) wall_time_ms: Option<u64>,
    pub(super) total_time_ms: Option<u64>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) stack_bytes: Option<u64>,
    pub(super) output_bytes: Option<u64>,
    pub(super) findings: Option<u64>,
    pub(super) message_bytes: Option<u64>,
    pub(super) patch_bytes: Option<u64>,
    pub(super) log_lines: Option<u64>,
    pub(super) log_line_bytes: Option<u64>,
    pub(super) host_calls: Option<u64>,
    pub(super) expand_names: Option<u64>,
    pub(super) concurrent_evaluations: Option<u64>,
    pub(super) waiting_evaluations: Option<u64>,
    pub(super) component_bytes: Option<u64>,
    pub(super) compile_time_ms: Option<u64>,
    pub(super) compile_memory_bytes: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PluginsFile {
    #[serde(default)]
    pub(super) require_signature: bool,
    #[serde(default)]
    pub(super) trusted_keys: Vec<TrustedKeyFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct TrustedKeyFile {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) plugins: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct SealFile {
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct LoginsFile {
    #[serde(default)]
    pub(super) private_networks: Vec<String>,
}

pub(super) fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse(&text, path)
}

/// Reads a text; `path` is where it came from.
pub(super) fn parse(text: &str, path: &Path) -> Result<File, ConfigError> {
    toml::from_str(text).map_err(|error| ConfigError::Malformed {
        path: path.to_owned(),
        detail: error.to_string().trim_end().to_owned(),
    })
}
