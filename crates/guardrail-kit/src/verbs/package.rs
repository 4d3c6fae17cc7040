//! `leasehold plugin package`: a component, its tests and its README as one file that can be signed and uploaded. The
//! tests are run first: what the server would refuse is not packed.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, Stopped};
use crate::package::{Artifact, Package, TestFile, trial};
use crate::project::Project;
use crate::{component, files};

/// What is packed, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The plugin's folder, or a component.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Folder of the tests [default: `tests` of the plugin's folder]
    #[arg(long, value_name = "DIR")]
    tests: Option<PathBuf>,
    /// Text for people [default: README.md of the plugin's folder]
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
    /// The package [default: NAME-VERSION.guardrail in this folder]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Where the parts of a package are.
struct Parts {
    component: PathBuf,
    tests: Option<PathBuf>,
    readme: Option<PathBuf>,
}

impl Parts {
    fn of(arguments: &Arguments) -> Result<Self, Stopped> {
        let Arguments { path, tests, readme, out: _ } = arguments;
        if !path.is_dir() {
            return Ok(Self {
                component: path.clone(),
                tests: tests.clone(),
                readme: readme.clone(),
            });
        }
        let project = Project::find(path)?;
        let own = |path: PathBuf| path.exists().then_some(path);
        Ok(Self {
            component: project.component_path(),
            tests: tests.clone().or_else(|| own(project.vectors_dir())),
            readme: readme.clone().or_else(|| own(project.dir.join("README.md"))),
        })
    }
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let parts = Parts::of(arguments)?;
    let (plugin, artifact) = component::open(&parts.component)?;
    let Artifact::Component(component) = artifact else {
        return Err(format!("`{}` is a package already", parts.component.display()).into());
    };
    let tests = parts.tests.as_deref().map(tests_in).transpose()?.unwrap_or_default();
    let readme = parts.readme.as_deref().map(files::read_text).transpose()?;
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
    let named = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(named)? {
        let path = entry.map_err(named)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            tests.push(TestFile { name, bytes: files::read(&path)? });
        }
    }
    Ok(tests)
}
