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
    /// A public key (PEM file) that must have signed it; may be given several times.
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
    // A component alone carries no signature.
    let Some(package) = artifact.package() else {
        return missing(&keys, out);
    };
    writeln!(out, "package  by {}, {} tests", package.about.created_by, package.tests.len())?;
    signatures(package, &keys, out)
}

/// One line a signature; bad unless each key that was given has one that holds, and none that does not.
fn signatures(package: &Package, keys: &[PublicKey], out: &mut dyn Write) -> Result<Exit, Stopped> {
    let mut forged = false;
    let mut absent = keys.to_vec();
    if package.signatures.is_empty() {
        writeln!(out, "signed   by nobody")?;
    }
    for signature in &package.signatures {
        let verdict = match keys.iter().find(|key| signature.is_by(key)) {
            None => "not checked",
            Some(key) if signature.verifies(key, &package.statement()) => {
                absent.retain(|other| other != key);
                "good"
            }
            Some(_) => {
                forged = true;
                "FORGED: not over this component"
            }
        };
        writeln!(out, "signed   by {} ({verdict})", signature.key_id.escape_debug())?;
    }
    let exit = missing(&absent, out)?;
    Ok(if forged { Exit::Bad } else { exit })
}

/// One line for each key that did not sign; bad if there is one.
fn missing(keys: &[PublicKey], out: &mut dyn Write) -> Result<Exit, Stopped> {
    for key in keys {
        writeln!(out, "missing  a good signature by {}", key.id())?;
    }
    Ok(if keys.is_empty() { Exit::Good } else { Exit::Bad })
}
