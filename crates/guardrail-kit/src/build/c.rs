//! Builds C: `zig cc` for wasm32-wasi, which brings a compiler, a linker and a C library in one package. What the C
//! library asks of WASI is answered inside the component ([`super::wasip1`]). The bindings in `bindings/` are generated
//! from the contract and travel with the project.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Missing, Steps, tools, wasip1};
use crate::cli::Stopped;
use crate::project::Project;

/// Folders whose `.c` files are compiled; `bindings` is also where headers are looked for.
const SOURCES: [&str; 2] = ["bindings", "src"];
const INSTALL: &str = "`python3 -m venv .venv && .venv/bin/pip install -r requirements.txt` in the project's folder, \
                       or zig 0.15 or later on the path";

/// Runs zig and makes what it leaves into a component.
pub(crate) fn component(project: &Project, steps: &mut Steps<'_>) -> Result<Vec<u8>, Stopped> {
    let left = tools::output(project, "core.wasm")?;
    let mut zig = zig(project)?;
    zig.args(["cc", "-target", "wasm32-wasi"])
        // A library with functions to call, not a program with a `main`.
        .arg("-mexec-model=reactor")
        .args(["-O2", "-s", "-I", "bindings", "-o"])
        .arg(&left)
        .args(sources(&project.dir)?);
    steps.run(&mut zig, INSTALL)?;
    wasip1::component(project, &left)
}

/// Zig of the path, or of the package `ziglang`, which is a module for Python.
fn zig(project: &Project) -> Result<Command, Missing> {
    if let Some(program) = tools::find(project, "python-zig") {
        return Ok(Command::new(program));
    }
    tools::need(project, "zig", INSTALL).map(Command::new)
}

/// The `.c` files, from the project's folder, in one order everywhere.
fn sources(dir: &Path) -> Result<Vec<OsString>, Stopped> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in SOURCES {
        let path = dir.join(folder);
        let failed = |error| format!("`{}`: {error}", path.display());
        for entry in fs::read_dir(&path).map_err(failed)? {
            let file = Path::new(folder).join(entry.map_err(failed)?.file_name());
            if file.extension().is_some_and(|extension| extension == "c") {
                found.push(file);
            }
        }
    }
    found.sort();
    Ok(found.into_iter().map(PathBuf::into_os_string).collect())
}
