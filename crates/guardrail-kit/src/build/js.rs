//! Builds JavaScript: `guardrail.js` with QuickJS around it, by componentize-qjs, which gives a component without WASI.
//! The version of the tool is the project's own (`package.json`); nothing is installed here.

use std::path::Path;
use std::process::Command;

use super::{Steps, tools};
use crate::cli::Stopped;
use crate::project::Project;

const SOURCE: &str = "guardrail.js";
const INSTALL: &str = "`npm install` in the project's folder, with Node.js 20 or later";

/// Runs componentize-qjs and takes what it leaves.
pub(crate) fn component(project: &Project, steps: &mut Steps<'_>) -> Result<Vec<u8>, Stopped> {
    let tool = tools::need(project, "componentize-qjs", INSTALL)?;
    let left = tools::output(project, "component.wasm")?;
    steps.run(&mut command(&tool, &left), INSTALL)?;
    tools::read(project, &left)
}

fn command(tool: &Path, left: &Path) -> Command {
    let mut command = Command::new(tool);
    command
        .args(["--wit", "wit", "--world", "plugin", "--js", SOURCE])
        // Without the first the component would ask for asynchronous calls, without the second for WASI.
        .args(["--sync", "--stub-wasi", "--output"])
        .arg(left);
    command
}
