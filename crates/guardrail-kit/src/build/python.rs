//! Builds Python: `guardrail.py` with CPython around it, by componentize-py, which gives a component without WASI.
//! The version of the tool is the project's own (`requirements.txt`); nothing is installed here.

use std::path::Path;
use std::process::Command;

use super::{Steps, tools};
use crate::cli::Stopped;
use crate::project::Project;

/// `guardrail.py`.
const MODULE: &str = "guardrail";
const INSTALL: &str =
    "`python3 -m venv .venv && .venv/bin/pip install -r requirements.txt` in the project's folder";

/// Runs componentize-py and takes what it leaves.
pub(crate) fn component(project: &Project, steps: &mut Steps<'_>) -> Result<Vec<u8>, Stopped> {
    let tool = tools::need(project, "componentize-py", INSTALL)?;
    let left = tools::output(project, "component.wasm")?;
    steps.run(&mut command(&tool, &left), INSTALL)?;
    tools::read(project, &left)
}

fn command(tool: &Path, left: &Path) -> Command {
    let mut command = Command::new(tool);
    command
        .args(["--wit-path", "wit", "--world", "plugin", "componentize"])
        .args(["--stub-wasi", MODULE, "--output"])
        .arg(left);
    command
}
