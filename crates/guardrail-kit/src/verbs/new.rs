//! `leasehold plugin new NAME --lang LANGUAGE`: makes the folder NAME with a guardrail that works, its tests and all
//! that it needs. What goes into it is in [`crate::new`].

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, Stopped};
use crate::new;
use crate::project::Language;

/// What to make.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The guardrail's name: small letters, digits and `-`. The folder gets the same name.
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is written in.
    #[arg(long, value_name = "LANGUAGE")]
    lang: Language,
    /// The folder in which the new one is made.
    #[arg(long, value_name = "DIR", default_value = ".")]
    parent: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let Arguments { name, lang, parent } = arguments;
    let dir = if parent == Path::new(".") { PathBuf::from(name) } else { parent.join(name) };
    new::create(&dir, name, *lang)?;
    writeln!(out, "made {}; what each file is for is in its README.md", dir.display())?;
    let steps =
        lang.install().into_iter().chain(["leasehold plugin build", "leasehold plugin test"]);
    let steps: Vec<_> = steps.collect();
    writeln!(out, "next: cd {} && {}", dir.display(), steps.join(" && "))?;
    Ok(Exit::Good)
}
