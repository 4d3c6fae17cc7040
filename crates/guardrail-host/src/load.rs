//! From bytes to a [`Plugin`], or a sentence that says why not and what to do.
//! Everything that can be known before the first evaluation is checked here: size, kind, imports, the manifest, the
//! schema of the settings. A plugin that does not load never judges. One call is in [`crate::evaluate`].

use std::fmt;
use std::sync::Arc;

use ring::digest;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::bindings::{PluginPre, blocking};
use crate::compile::{CompileError, compile, one_line};
use crate::engine::{Host, Shared};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::state::State;

/// What the contract offers; anything else is refused.
const OFFERED: [&str; 4] = [
    "leasehold:guardrail/types",
    "leasehold:guardrail/catalogue",
    "leasehold:guardrail/analysis",
    "leasehold:guardrail/log",
];
/// What every plugin must give.
const EXPORT: &str = "leasehold:guardrail/guardrail@1.0.0";
/// First eight bytes of a component: `\0asm`, version 13, layer 1.
const COMPONENT_HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
/// First eight bytes of a core module.
const MODULE_HEADER: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];
/// A schema for people to read; the largest that any plugin of ours has is 4 KiB.
const MAX_SCHEMA_BYTES: usize = 256 << 10;

/// Why a component is not a plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Too many bytes.
    #[error("the component has {bytes} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A WebAssembly module that was not made into a component.
    #[error(
        "this is a WebAssembly core module, not a component\nhelp: `scripts/plugins/build` makes it into one, see plugins/README.md"
    )]
    CoreModule,
    /// Not WebAssembly at all.
    #[error("this is not a WebAssembly component")]
    NotWasm,
    /// It wants what guardrails are not given.
    #[error(
        "the component imports {}, which is not given to guardrails\nhelp: build it for wasm32-unknown-unknown, or see plugins/README.md#no-wasi", quoted(.0)
    )]
    Imports(Vec<String>),
    /// It is a component of some other world.
    #[error(
        "the component does not export `{EXPORT}`\nhelp: implement the world `plugin` of plugins/wit/guardrail.wit"
    )]
    NoGuardrail,
    /// It was not compiled.
    #[error("the component cannot be compiled: {0}")]
    Compile(#[from] CompileError),
    /// An import or the export has another shape than the contract's.
    #[error("the component does not fit the contract: {}", one_line(.0))]
    Contract(#[source] wasmtime::Error),
    /// It failed while it described itself.
    #[error("`{call}` failed: {failure}")]
    Describe {
        /// Which call.
        call: &'static str,
        /// What happened.
        failure: Failure,
    },
    /// It described itself in a way that cannot be used.
    #[error("the component's manifest cannot be used: {0}")]
    Manifest(String),
    /// Its settings schema is not a JSON object.
    #[error("the component's settings schema cannot be used: {0}")]
    Schema(String),
}

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
        let imports = check_world(shared, &compiled)?;
        let entries = Entries::new(shared, &compiled).map_err(LoadError::Contract)?;
        let described = crate::evaluate::describe(shared, &entries)
            .map_err(|failure| LoadError::Describe { call: "describe", failure })?;
        let manifest = Manifest::accept(described).map_err(LoadError::Manifest)?;
        let settings_schema = crate::evaluate::settings_schema(shared, &entries)
            .map_err(|failure| LoadError::Describe { call: "settings-schema", failure })?;
        check_schema(&settings_schema)?;
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

    /// JSON Schema (2020-12) of its settings: an object or a boolean, not checked any further here.
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

/// The imports, if all are offered and the export is there.
fn check_world(shared: &Shared, component: &Component) -> Result<Vec<String>, LoadError> {
    let world = component.component_type();
    let imports: Vec<String> =
        world.imports(&shared.engine).map(|(name, _)| name.to_owned()).collect();
    let refused: Vec<String> = imports.iter().filter(|name| !is_offered(name)).cloned().collect();
    if !refused.is_empty() {
        return Err(LoadError::Imports(refused));
    }
    let exported = world.get_export(&shared.engine, EXPORT).map(|export| export.ty);
    if !matches!(exported, Some(ComponentItem::ComponentInstance(_))) {
        return Err(LoadError::NoGuardrail);
    }
    Ok(imports)
}

/// Versions within 1.x are left to the linker, which knows which functions they need.
fn is_offered(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    OFFERED.contains(&interface) && version.starts_with("1.")
}

fn check_schema(schema: &str) -> Result<(), LoadError> {
    if schema.len() > MAX_SCHEMA_BYTES {
        return Err(LoadError::Schema(format!("it has more than {MAX_SCHEMA_BYTES} bytes")));
    }
    match serde_json::from_str(schema) {
        Ok(serde_json::Value::Object(_) | serde_json::Value::Bool(_)) => Ok(()),
        Ok(_) => Err(LoadError::Schema("it is neither an object nor a boolean".into())),
        Err(error) => Err(LoadError::Schema(format!("it is not JSON: {error}"))),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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

    #[test]
    fn only_the_contracts_interfaces_are_offered() {
        assert!(is_offered("leasehold:guardrail/log@1.0.0"));
        assert!(is_offered("leasehold:guardrail/catalogue@1.3.0"));
        assert!(!is_offered("leasehold:guardrail/log@2.0.0"));
        assert!(!is_offered("leasehold:guardrail/secrets@1.0.0"));
        assert!(!is_offered("wasi:io/error@0.2.6"));
    }

    #[test]
    fn a_refused_import_is_named_with_the_way_out() {
        let error = LoadError::Imports(vec!["wasi:filesystem/types@0.2.6".into()]);
        assert_eq!(
            error.to_string(),
            "the component imports `wasi:filesystem/types@0.2.6`, which is not given to guardrails\n\
             help: build it for wasm32-unknown-unknown, or see plugins/README.md#no-wasi"
        );
    }

    #[test]
    fn a_schema_must_be_an_object_or_a_boolean() {
        assert!(check_schema("true").is_ok());
        assert!(check_schema(r#"{"type":"object"}"#).is_ok());
        assert!(check_schema("[]").is_err());
        assert!(check_schema("{").is_err());
    }
}
