//! `leasehold plugin inspect [FILE]`: what the server would learn of a component or a package when it is stored. Runs no
//! test and judges nothing.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{Exit, Stopped};
use crate::component::Loading;
use crate::files;
use crate::package::{Package, PublicKey};
use crate::target::Target;
use crate::vector::severity_word;

/// Which component.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, a package, or the project's folder [default: the folder that one is in]
    #[arg(value_name = "FILE")]
    target: Option<PathBuf>,
    /// A public key (PEM file) that must have signed it; may be given several times.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    loading: Loading,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let mut keys = Vec::new();
    for file in &arguments.key {
        let key = PublicKey::parse(&files::read_text(file)?)
            .map_err(|error| format!("`{}`: {error}", file.display()))?;
        keys.push(key);
    }
    let target = Target::of(arguments.target.as_deref())?;
    target.must_be_built()?;
    let (plugin, artifact) = arguments.loading.open(&target.component)?;
    let manifest = plugin.manifest();
    writeln!(out, "{} {}: {}", manifest.name, manifest.version, manifest.summary)?;
    writeln!(out, "digest   sha256:{}", plugin.digest())?;
    writeln!(out, "size     {} bytes", artifact.component().len())?;
    for import in plugin.imports() {
        writeln!(out, "import   {import}")?;
    }
    for rule in &manifest.rules {
        let severity = severity_word(rule.severity);
        writeln!(out, "rule     {:<32} {severity:<9} {}", rule.id, rule.title)?;
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
