//! Why a component is not a plugin, in sentences for its author: what was found, and what to do about it.
//! Decides nothing; [`crate::load`] and what it calls find the reasons.

use crate::compile::CompileError;
use crate::failure::Failure;
use crate::world::{CONTRACT_VERSION, EXPORT};

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
        "this is a WebAssembly core module, not a component\nhelp: `leasehold plugin build` and `scripts/plugins/build` make it into one, see plugins/README.md"
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
    /// It was built for a later version of the contract and uses what came with it.
    #[error(
        "the component uses {}, which this host does not have: it speaks version {CONTRACT_VERSION} of the contract\nhelp: run a release of Leasehold that has it, or build the component without it, against the contract that `leasehold plugin new` writes", .0.join(", ")
    )]
    Newer(Vec<String>),
    /// It was built for a version of the contract that has nothing to do with this one.
    #[error(
        "the component is built for {}, and this host speaks version {CONTRACT_VERSION} of the contract\nhelp: build it again, against the contract that `leasehold plugin new` writes", quoted(.0)
    )]
    OtherMajor(Vec<String>),
    /// It is a component of some other world.
    #[error(
        "the component does not export `{EXPORT}`\nhelp: implement the world `plugin` of plugins/wit/guardrail.wit"
    )]
    NoGuardrail,
    /// It has the export, and not all that belongs in it.
    #[error(
        "the component's `{EXPORT}` lacks {}\nhelp: implement the world `plugin` of plugins/wit/guardrail.wit whole", quoted(.0)
    )]
    Incomplete(Vec<String>),
    /// It was not compiled.
    #[error("the component cannot be compiled: {0}")]
    Compile(#[from] CompileError),
    /// An import or the export has another shape than the contract's.
    #[error("the component does not fit the contract: {}\nhelp: build it again, against the contract that `leasehold plugin new` writes", crate::compile::one_line(.0))]
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
    /// Its settings schema is not a JSON Schema.
    #[error("the component's settings schema cannot be used: {0}")]
    Schema(String),
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_a_newer_plugin_uses_is_named_with_what_to_do() {
        let error =
            LoadError::Newer(vec!["`services` of `leasehold:guardrail/catalogue@1.1.0`".into()]);
        assert_eq!(
            error.to_string(),
            "the component uses `services` of `leasehold:guardrail/catalogue@1.1.0`, which this host does not \
             have: it speaks version 1.0.0 of the contract\n\
             help: run a release of Leasehold that has it, or build the component without it, against the \
             contract that `leasehold plugin new` writes"
        );
    }
}
