//! `leasehold plugin check [FILE]`: everything that can be said of a component without its vectors, and of every problem
//! what to do about it. What is looked at is in [`crate::inspection`]; what the host refuses stands here as a problem too.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use guardrail_host::{Host, Limits, Plugin};

use crate::cli::{Exit, Stopped};
use crate::component::{self, Setup};
use crate::figures;
use crate::inspection::{self, Level, Problem, Trial};
use crate::package::Artifact;
use crate::paint::Paint;
use crate::section;
use crate::show;
use crate::target::{Target, shown};
use crate::vector::severity_word;

/// Where the build of the shipped guardrails writes what a component was made from.
const SOURCE_DIGEST: &str = "leasehold:source-digest";

/// What to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, a package, or the project's folder [default: the folder that one is in]
    #[arg(value_name = "FILE")]
    target: Option<PathBuf>,
    #[command(flatten)]
    setup: Setup,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let target = Target::of(arguments.target.as_deref())?;
    target.must_be_built()?;
    let paint = arguments.setup.paint();
    let host = arguments.setup.host()?;
    let bytes = component::read(&target.component)?;
    let (artifact, plugin) = match load(&host, &bytes) {
        Ok(loaded) => loaded,
        Err(refused) => {
            let file = paint.strong(shown(&target.component));
            writeln!(out, "{file} {}", paint.bad("is refused"))?;
            writeln!(out, "{} {refused}", paint.bad("error:"))?;
            return Ok(Exit::Bad);
        }
    };
    let trials = Trial::all(&plugin)?;
    describe(&plugin, artifact.component(), paint, out)?;
    for trial in &trials {
        print_trial(trial, out)?;
    }
    let name = target.project.as_ref().map(|project| project.name.as_str());
    let readme = match artifact.package() {
        Some(package) => package.readme.clone(),
        None => fs::read_to_string(target.dir.join("README.md")).ok(),
    };
    let problems = inspection::problems(&plugin, name, readme.as_deref(), &trials);
    print_problems(&problems, paint, out)?;
    let errors = problems.iter().filter(|problem| problem.level == Level::Error).count();
    Ok(if errors == 0 { Exit::Good } else { Exit::Bad })
}

/// What a server does with an upload, before it looks at signatures.
fn load(host: &Host, bytes: &[u8]) -> Result<(Artifact, Plugin), Stopped> {
    let artifact = Artifact::read(bytes)?;
    let plugin = host.load(artifact.component())?;
    if let Some(package) = artifact.package() {
        package.fits(&plugin)?;
    }
    Ok((artifact, plugin))
}

fn describe(plugin: &Plugin, bytes: &[u8], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let manifest = plugin.manifest();
    let limits = Limits::default();
    let name = paint.strong(show::name_of(manifest));
    writeln!(out, "{name}: {}", show::plain(&manifest.summary))?;
    writeln!(out, "digest    sha256:{}", plugin.digest())?;
    let most = figures::bytes(limits.component_bytes);
    writeln!(out, "size      {} of {most}", figures::bytes(bytes.len()))?;
    writeln!(out, "imports   {}", imports(plugin))?;
    for rule in &manifest.rules {
        let severity = severity_word(rule.severity);
        writeln!(out, "rule      {:<32} {severity:<9} {}", rule.id, show::plain(&rule.title))?;
    }
    match section::custom(bytes, SOURCE_DIGEST).and_then(|digest| std::str::from_utf8(digest).ok())
    {
        Some(digest) => {
            let digest = digest.escape_debug();
            writeln!(out, "source    {digest}: the same source must give the same digest")
        }
        None => writeln!(out, "source    not named: build it twice and compare the digests"),
    }
}

/// What a guest may call is its whole capability list: types are none.
fn imports(plugin: &Plugin) -> String {
    let short = |import: &String| {
        let name = import.rsplit('/').next().unwrap_or(import);
        (!name.starts_with("types@")).then(|| name.to_owned())
    };
    let names: Vec<String> = plugin.imports().iter().filter_map(short).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

fn print_trial(trial: &Trial, out: &mut dyn Write) -> io::Result<()> {
    let limits = Limits::default();
    writeln!(
        out,
        "trial     {:>9}: {} fuel ({}), {} memory, {}",
        figures::bytes(trial.bytes),
        figures::count(trial.evaluation.fuel_used),
        figures::share(trial.evaluation.fuel_used, limits.fuel),
        figures::bytes(trial.evaluation.memory_bytes),
        match &trial.evaluation.result {
            Ok(report) => format!("{} findings", report.findings.len()),
            Err(failure) => failure.code().to_owned(),
        }
    )
}

fn print_problems(problems: &[Problem], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    for problem in problems {
        let level = match problem.level {
            Level::Error => paint.bad("error:"),
            Level::Warning => paint.warn("warning:"),
        };
        writeln!(out, "{level} {}", problem.what)?;
        writeln!(out, "help: {}", problem.help)?;
    }
    match problems.len() {
        0 => writeln!(out, "{}", paint.good("nothing is wrong with it")),
        1 => writeln!(out, "1 problem"),
        many => writeln!(out, "{many} problems"),
    }
}
