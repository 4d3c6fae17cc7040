//! `leasehold plugin package`: a component, its tests and its README as one file that can be signed and uploaded. The
//! tests are run first: what the server would refuse is not packed.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, Stopped};
use crate::component::Loading;
use crate::files;
use crate::package::{Artifact, Package, TestFile, trial};
use crate::target::{Target, json_files};

/// What is packed, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The plugin's folder, or a component.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Folder of the tests [default: `tests` or `vectors` beside the component]
    #[arg(long, value_name = "DIR")]
    tests: Option<PathBuf>,
    /// Text for people [default: README.md beside the component]
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// The package [default: NAME-VERSION.guardrail in this folder]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    loading: Loading,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let target = Target::of(Some(&arguments.path))?;
    target.must_be_built()?;
    let (plugin, artifact) = arguments.loading.open(&target.component)?;
    let Artifact::Component(component) = artifact else {
        return Err(format!("`{}` is a package already", target.component.display()).into());
    };
    // What was named must be there, and what every guardrail may have need not be.
    let own = |path: PathBuf| path.exists().then_some(path);
    let tests = arguments.tests.clone().or_else(|| own(target.vectors));
    let tests = tests.as_deref().map(tests_in).transpose()?.unwrap_or_default();
    let readme = arguments.readme.clone().or_else(|| own(target.dir.join("README.md")));
    let readme = readme.as_deref().map(files::read_text).transpose()?;
    let package = Package::of(&plugin, component, readme, tests);
    let trial = trial::run(&plugin, &package.tests, || true);
    if !trial.is_good() {
        for case in &trial.failed {
            writeln!(out, "failed {}: {}", case.name, case.why.join("; "))?;
        }
        writeln!(out, "not packed: {} of {} tests failed", trial.failed.len(), trial.cases)?;
        return Ok(Exit::Bad);
    }
    let bytes = package.write()?;
    let target = arguments.out.clone().unwrap_or_else(|| PathBuf::from(package.file_name()));
    files::replace(&target, &bytes)?;
    writeln!(out, "{} ({} bytes, {} tests)", target.display(), bytes.len(), trial.cases)?;
    writeln!(out, "digest {}", package.about.digest)?;
    Ok(Exit::Good)
}

/// The vectors of a folder: every `*.json` in it.
fn tests_in(folder: &Path) -> Result<Vec<TestFile>, Stopped> {
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(TestFile { name, bytes: files::read(&path)? })
    };
    json_files(folder)?.into_iter().map(read).collect()
}
