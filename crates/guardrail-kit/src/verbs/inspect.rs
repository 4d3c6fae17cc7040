//! `leasehold plugin inspect FILE`: what the server would learn of a component or a package when it is stored. Runs no
//! test and judges nothing.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Exit, Stopped};
use crate::package::{Package, PublicKey};
use crate::{component, files};

/// Which component.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component or package.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A public key (PEM file) to check signatures with; may be given several times.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let mut keys = Vec::new();
    for file in &arguments.key {
        let key = PublicKey::parse(&files::read_text(file)?)
            .map_err(|error| format!("`{}`: {error}", file.display()))?;
        keys.push(key);
    }
    let (plugin, artifact) = component::open(&arguments.file)?;
    let manifest = plugin.manifest();
    writeln!(out, "{} {}: {}", manifest.name, manifest.version, manifest.summary)?;
    writeln!(out, "digest   sha256:{}", plugin.digest())?;
    writeln!(out, "size     {} bytes", artifact.component().len())?;
    for import in plugin.imports() {
        writeln!(out, "import   {import}")?;
    }
    for rule in &manifest.rules {
        writeln!(out, "rule     {:<32} {:?}  {}", rule.id, rule.severity, rule.title)?;
    }
    writeln!(out, "settings {}", plugin.settings_schema())?;
    let Some(package) = artifact.package() else {
        return Ok(Exit::Good);
    };
    writeln!(out, "package  by {}, {} tests", package.about.created_by, package.tests.len())?;
    signatures(package, &keys, out)
}

/// One line a signature; bad where one does not hold for a key that was given.
fn signatures(package: &Package, keys: &[PublicKey], out: &mut dyn Write) -> Result<Exit, Stopped> {
    let mut exit = Exit::Good;
    if package.signatures.is_empty() {
        writeln!(out, "signed   by nobody")?;
    }
    for signature in &package.signatures {
        let verdict = match keys.iter().find(|key| signature.is_by(key)) {
            None => "not checked",
            Some(key) if signature.verifies(key, &package.statement()) => "good",
            Some(_) => {
                exit = Exit::Bad;
                "FORGED: not over this component"
            }
        };
        writeln!(out, "signed   by {} ({verdict})", signature.key_id.escape_debug())?;
    }
    Ok(exit)
}
