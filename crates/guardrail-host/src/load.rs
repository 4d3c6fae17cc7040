//! From bytes to a [`Plugin`], or a sentence that says why not and what to do.
//! Everything that can be known before the first evaluation is checked here: size, kind, then by others the code, the
//! world, the manifest and the schema. A plugin that does not load never judges. Calls are in [`crate::evaluate`], the
//! sentences in [`crate::refusal`].

use std::fmt;
use std::sync::Arc;

use ring::digest;
use wasmtime::component::Component;

use crate::bindings::{PluginPre, blocking};
use crate::compile::compile;
use crate::engine::{Host, Shared};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::state::State;
use crate::{schema, world};

pub use crate::refusal::LoadError;

/// First eight bytes of a component: `\0asm`, version 13, layer 1.
const COMPONENT_HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
/// First eight bytes of a core module.
const MODULE_HEADER: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];
/// A guardrail's code, ready to judge. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) loaded: Arc<Loaded>,
    // INVARIANT: none above the host's.
    pub(crate) limits: Limits,
}

pub(crate) struct Loaded {
    pub(crate) host: Arc<Shared>,
    pub(crate) entries: Entries,
    pub(crate) manifest: Manifest,
    digest: String,
    imports: Vec<String>,
    settings_schema: String,
}

/// A component linked and ready to be instantiated, both ways.
pub(crate) struct Entries {
    /// For calls that give way to other tasks.
    pub(crate) yielding: PluginPre<State>,
    /// For calls that keep their thread.
    pub(crate) blocking: blocking::PluginPre<State>,
}

impl Entries {
    fn new(shared: &Shared, component: &Component) -> wasmtime::Result<Self> {
        let linked = shared.linker.instantiate_pre(component)?;
        Ok(Self {
            yielding: PluginPre::new(linked.clone())?,
            blocking: blocking::PluginPre::new(linked)?,
        })
    }
}

impl Host {
    /// Checks and compiles a component, or takes its compiled code from the cache.
    pub fn load(&self, component: &[u8]) -> Result<Plugin, LoadError> {
        let shared = &self.0;
        check_kind(component, shared.limits.component_bytes)?;
        let digest = hex(digest::digest(&digest::SHA256, component).as_ref());
        let compiled = compile(shared, component, &digest)?;
        let imports = world::check(&shared.engine, &compiled)?;
        let entries = Entries::new(shared, &compiled).map_err(LoadError::Contract)?;
        let described = crate::evaluate::describe(shared, &entries)?;
        let manifest = Manifest::accept(described).map_err(LoadError::Manifest)?;
        let settings_schema = crate::evaluate::settings_schema(shared, &entries)?;
        schema::check(&settings_schema).map_err(LoadError::Schema)?;
        let host = Arc::clone(shared);
        let loaded = Loaded { host, entries, manifest, digest, imports, settings_schema };
        Ok(Plugin { loaded: Arc::new(loaded), limits: shared.limits })
    }
}

impl Plugin {
    /// The same plugin with lower limits. What `limits` has above the host's stays as the host has it, and so does what
    /// belongs to the host as a whole: the stack, what a component may hold, the turns of evaluations.
    #[must_use]
    pub fn with_limits(mut self, limits: &Limits) -> Self {
        self.limits = self.loaded.host.limits.at_most(limits);
        self
    }

    /// What one call of it may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// SHA-256 of the component as given, in hex.
    pub fn digest(&self) -> &str {
        &self.loaded.digest
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.loaded.manifest
    }

    /// What it may call: its true capabilities, read from the component.
    pub fn imports(&self) -> &[String] {
        &self.loaded.imports
    }

    /// JSON Schema (2020-12) of its settings; it is one, and refers to nothing outside itself.
    pub fn settings_schema(&self) -> &str {
        &self.loaded.settings_schema
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.loaded.manifest.name)
            .field("version", &self.loaded.manifest.version)
            .field("digest", &self.loaded.digest)
            .finish_non_exhaustive()
    }
}

fn check_kind(component: &[u8], limit: usize) -> Result<(), LoadError> {
    if component.len() > limit {
        return Err(LoadError::TooLarge { bytes: component.len(), limit });
    }
    if component.starts_with(&COMPONENT_HEADER) {
        Ok(())
    } else if component.starts_with(&MODULE_HEADER) {
        Err(LoadError::CoreModule)
    } else {
        Err(LoadError::NotWasm)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_bytes_is_told_apart() {
        assert!(check_kind(&COMPONENT_HEADER, 8).is_ok());
        assert!(matches!(check_kind(&MODULE_HEADER, 8), Err(LoadError::CoreModule)));
        assert!(matches!(check_kind(b"{}", 8), Err(LoadError::NotWasm)));
        assert!(matches!(
            check_kind(&COMPONENT_HEADER, 7),
            Err(LoadError::TooLarge { bytes: 8, limit: 7 })
        ));
    }
}
