//! From a project to its component: the language's own compiler, then `wit-component` inside this binary.
//! It prints every command that it runs, writes the component and nothing else beside the compilers' own folders,
//! and judges nothing: whether the server would take the component is for [`crate::component`].
//!
//! | file | builds |
//! |---|---|
//! | `rust` | Rust, for wasm32-unknown-unknown |
//! | `js` | JavaScript, by componentize-qjs |
//! | `python` | Python, by componentize-py |
//! | `go` | Go, by its own compiler for wasip1 |
//! | `c` | C, by zig for wasip1 |
//! | `rego` | Rego, by putting the policy into the component `rego` |
//! | `command` | anything, by the command that `guardrail.toml` names |
//! | `steps`, `tools` | (how commands are run and printed, and where they are found) |
//! | `wasip1` | (makes what is built for wasip1 into a component without WASI) |
//!
//! A language is one file with `component(project, steps) -> Result<Vec<u8>, Stopped>`, and one arm below.

mod c;
mod command;
mod go;
mod js;
mod python;
mod rego;
mod rust;
mod steps;
mod tools;
mod wasip1;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::Stopped;
use crate::component::Loading;
use crate::project::{Language, Project};

pub use rego::REGO;
pub(crate) use steps::{Missing, Steps};

/// What can be chosen for one build.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Where the component goes, if not to [`Project::component_path`].
    pub(crate) component: Option<PathBuf>,
    /// How a component is loaded that takes part in the build.
    pub(crate) loading: Loading,
}

/// Builds a project. Commands and what they print go to `out`; the answer is the path of the component.
pub(crate) fn build(
    project: &Project,
    options: &Options,
    out: &mut dyn Write,
) -> Result<PathBuf, Stopped> {
    let mut steps = Steps::new(&project.dir, out);
    let component = match (&project.command, project.language) {
        (Some(own), _) => command::component(project, own, &mut steps)?,
        (None, Language::Rust) => rust::component(project, &mut steps)?,
        (None, Language::Js) => js::component(project, &mut steps)?,
        (None, Language::Python) => python::component(project, &mut steps)?,
        (None, Language::Go) => go::component(project, &mut steps)?,
        (None, Language::C) => c::component(project, &mut steps)?,
        (None, Language::Rego) => rego::component(project, &options.loading, &mut steps)?,
    };
    let path = options.component.clone().unwrap_or_else(|| project.component_path());
    write_whole(&path, &component)?;
    Ok(path)
}

/// Under another name first, so that a build that is interrupted leaves the old component.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Stopped> {
    let failed = |error| format!("`{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let temporary = path.with_extension("wasm.tmp");
    fs::write(&temporary, bytes).map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)?;
    Ok(())
}
