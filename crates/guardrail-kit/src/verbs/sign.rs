//! `leasehold plugin sign FILE --key KEY`: adds a signature to a package, in the place of an older one by the same key.
//! The component is loaded first, so that nobody signs a name that is not the component's own.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use crate::cli::{Exit, Stopped};
use crate::component::Loading;
use crate::files;
use crate::package::{Artifact, Signature, SigningKey};

/// What is signed, and by whom.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The package.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The private key, a PEM file.
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    /// Write the signed package here [default: in the place of FILE]
    #[arg(long, short, value_name = "OUT")]
    out: Option<PathBuf>,
    #[command(flatten)]
    loading: Loading,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let key = Zeroizing::new(files::read_text(&arguments.key)?);
    let key = SigningKey::parse(&key)
        .map_err(|error| format!("`{}`: {error}", arguments.key.display()))?;
    let (_plugin, artifact) = arguments.loading.open(&arguments.file)?;
    let Artifact::Package(mut package) = artifact else {
        return Err(format!(
            "`{}` is a component, and a signature travels in a package\nhelp: `leasehold plugin package` makes one of it",
            arguments.file.display()
        )
        .into());
    };
    let signature = Signature::make(&key, &package.statement());
    package.signatures.retain(|known| known.key_id != signature.key_id);
    package.signatures.push(signature);
    package.signatures.sort();
    let target = arguments.out.as_ref().unwrap_or(&arguments.file);
    files::replace(target, &package.write()?)?;
    let about = &package.about;
    writeln!(out, "signed {} {} {}", about.name, about.version, about.digest)?;
    writeln!(out, "by     {}", key.public().id())?;
    Ok(Exit::Good)
}
