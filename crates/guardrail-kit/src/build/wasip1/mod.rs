//! From a core module for `wasip1` to a component without WASI: the contract's world is written into it, and
//! `adapter.wasm` answers what it asks of WASI. Any compiler for `wasip1` can go this way; C and Go do.
//! `adapter.wat` says what the answers are. Nothing of the machine that builds gets into the component.

use std::path::Path;

use componentize::{Adapter, EncodeError};

use super::tools;
use crate::cli::Stopped;
use crate::project::Project;

/// `adapter.wat`, assembled, with its world.
const ADAPTER: &[u8] = include_bytes!("../adapter.wasm");
/// The contract as the project has it, which its bindings were made from.
const CONTRACT: &str = "wit/guardrail.wit";
const WORLD: &str = "plugin";

/// Makes the core module that a compiler left into a component.
pub(super) fn component(project: &Project, core: &Path) -> Result<Vec<u8>, Stopped> {
    let contract = String::from_utf8(tools::read(project, Path::new(CONTRACT))?)?;
    let core = tools::read(project, core)?;
    Ok(without_wasi(&core, &contract)?)
}

fn without_wasi(core: &[u8], contract: &str) -> Result<Vec<u8>, EncodeError> {
    let core = componentize::embed_world(core, contract, WORLD)?;
    let adapter = Adapter { name: "wasi_snapshot_preview1", module: ADAPTER };
    componentize::encode(&core, Some(adapter))
}

#[cfg(test)]
mod tests;
