//! `leasehold plugin inspect FILE`: what the server would learn of a component when it is stored. Judges nothing.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Exit, Stopped};
use crate::component;

/// Which component.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let plugin = component::load(&arguments.file)?;
    let manifest = plugin.manifest();
    writeln!(out, "{} {}: {}", manifest.name, manifest.version, manifest.summary)?;
    writeln!(out, "digest   sha256:{}", plugin.digest())?;
    for rule in &manifest.rules {
        writeln!(out, "rule     {:<32} {:?}  {}", rule.id, rule.severity, rule.title)?;
    }
    writeln!(out, "settings {}", plugin.settings_schema())?;
    Ok(Exit::Good)
}
