//! Builds Go: the ordinary compiler for wasip1, as a library (`-buildmode=c-shared`). What Go's runtime asks of WASI is
//! answered inside the component ([`super::wasip1`]). The bindings are generated from the contract and travel with the
//! project.

use std::path::Path;
use std::process::Command;

use super::{Steps, tools, wasip1};
use crate::cli::Stopped;
use crate::project::Project;

const INSTALL: &str = "install Go 1.24 or later";

/// Runs go and makes what it leaves into a component.
pub(crate) fn component(project: &Project, steps: &mut Steps<'_>) -> Result<Vec<u8>, Stopped> {
    let tool = tools::need(project, "go", INSTALL)?;
    let left = tools::output(project, "core.wasm")?;
    steps.run(&mut command(&tool, &left), INSTALL)?;
    wasip1::component(project, &left)
}

fn command(tool: &Path, left: &Path) -> Command {
    let mut command = Command::new(tool);
    command
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .args(["build", "-buildmode=c-shared"])
        // No paths and no history of this machine: the same source gives the same bytes anywhere.
        .args(["-trimpath", "-buildvcs=false"])
        .args(["-ldflags", "-s -w", "-o"])
        .arg(left)
        .arg("./bindings");
    command
}
