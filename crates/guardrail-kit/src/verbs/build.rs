//! `leasehold plugin build [DIR] [--out FILE]`: from source to a component that the server would take.
//! Prints what it runs, then what came out. How each language is built is in [`crate::build`].

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::build::{self, Options};
use crate::cli::{Exit, Stopped};
use crate::component::Setup;
use crate::project::Project;

/// What to build, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's folder, or one inside it.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Where the component goes; without it, to the place that `guardrail.toml` names, `NAME.wasm`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    setup: Setup,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let project = Project::find(&arguments.dir)?;
    let options =
        Options { component: arguments.out.clone(), loading: arguments.setup.loading.clone() };
    let path = build::build(&project, &options, out)?;
    let size = fs::metadata(&path)?.len();
    let plugin = arguments.setup.load(&path)?;
    // As the author would type it, from the project's folder.
    let shown = path.strip_prefix(&project.dir).unwrap_or(&path);
    writeln!(out, "component {}", shown.display())?;
    writeln!(out, "digest    sha256:{}", plugin.digest())?;
    writeln!(out, "size      {size} bytes")?;
    for import in plugin.imports() {
        writeln!(out, "imports   {import}")?;
    }
    let named = &plugin.manifest().name;
    if *named == project.name {
        return Ok(Exit::Good);
    }
    writeln!(out, "wrong     it calls itself `{named}`, and guardrail.toml `{}`", project.name)?;
    Ok(Exit::Bad)
}
