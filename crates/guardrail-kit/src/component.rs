//! A component from a file, loaded with the limits of the server. Compiles in this process and keeps nothing.

use std::fs;
use std::path::Path;

use guardrail_host::{Host, HostConfig, Plugin};

use crate::cli::Stopped;

/// Reads and loads a component.
pub(crate) fn load(path: &Path) -> Result<Plugin, Stopped> {
    let bytes = fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let host = Host::new(HostConfig::default())?;
    host.load(&bytes).map_err(|error| format!("`{}`: {error}", path.display()).into())
}
