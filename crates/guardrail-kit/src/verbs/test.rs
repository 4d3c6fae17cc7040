//! `leasehold plugin test [DIR]`: runs the vectors of a guardrail on its component, and says what differs, where, and what
//! they do not show. It builds nothing, and changes a vector only when told to. The cases are in [`crate::suite`].

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use guardrail_host::Plugin;

use crate::cli::{Exit, Stopped};
use crate::component::Setup;
use crate::sarif::{self, RuleText};
use crate::suite::{Case, Ran, Run};
use crate::target::{Target, write};

/// What to test, and where the answer goes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's folder, or a component [default: the folder that one is in]
    #[arg(value_name = "DIR")]
    target: Option<PathBuf>,
    /// Folder of the vectors [default: `tests` or `vectors` beside the component]
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
    /// Run only the vectors whose name holds this
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Write what came into the vectors that differ, as what is expected from now on
    #[arg(long)]
    update: bool,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "FILE", help = "Also write JUnit XML there")]
    junit: Option<PathBuf>,
    /// Also write what differs as SARIF 2.1.0 there
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    #[command(flatten)]
    setup: Setup,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let target = Target::of(arguments.target.as_deref())?;
    let plugin = target.load(&arguments.setup)?;
    let mut run = arguments.run_all(&target, &plugin)?;
    if arguments.update {
        let updated = update(&run)?;
        if !updated.is_empty() {
            run = arguments.run_all(&target, &plugin)?;
        }
        // A script reads one JSON object and nothing else.
        for file in updated.iter().filter(|_| !arguments.json) {
            writeln!(out, "updated {file}")?;
        }
    }
    arguments.write_files(&run)?;
    if arguments.json {
        writeln!(out, "{}", run.to_json()?)?;
    } else {
        run.print(arguments.setup.paint(), out)?;
    }
    Ok(if run.failed() == 0 { Exit::Good } else { Exit::Bad })
}

/// Runs the vectors of a target and prints the outcome, for `dev`.
pub(crate) fn run_once(
    target: &Target,
    setup: &Setup,
    out: &mut dyn Write,
) -> Result<Exit, Stopped> {
    let plugin = target.load(setup)?;
    let cases = Case::read_all(&target.vectors, None)?;
    let run = Run::of(cases, &plugin, target.fuel_max());
    run.print(setup.paint(), out)?;
    Ok(if run.failed() == 0 { Exit::Good } else { Exit::Bad })
}

impl Arguments {
    fn run_all(&self, target: &Target, plugin: &Plugin) -> Result<Run, Stopped> {
        let folder = self.vectors.as_deref().unwrap_or(&target.vectors);
        let cases = Case::read_all(folder, self.case.as_deref())?;
        let mut run = Run::of(cases, plugin, target.fuel_max());
        run.is_whole = self.case.is_none();
        Ok(run)
    }

    fn write_files(&self, run: &Run) -> Result<(), Stopped> {
        if let Some(path) = &self.junit {
            write(path, &run.to_junit())?;
        }
        if let Some(path) = &self.sarif {
            let (name, version) = ("leasehold plugin test", env!("CARGO_PKG_VERSION"));
            write(path, &sarif::log(name, version, &rules(run), &run.sarif_entries())?)?;
        }
        Ok(())
    }
}

/// The parts of a vector that can differ, for SARIF.
fn rules(run: &Run) -> BTreeMap<String, RuleText> {
    let title = |what: &str| RuleText {
        title: format!("The guardrail {} gives another {what} than its vector expects", run.name),
        url: None,
    };
    let named = |what: &'static str| (format!("vector/{what}"), title(what));
    run.ran.iter().flat_map(Ran::differences).map(|difference| named(difference.what)).collect()
}

/// Writes what came into each vector that differs in what it expects of an answer. A crash, a patch that does not cure,
/// fuel over the budget and settings that are refused are never made the expectation. The files that changed.
fn update(run: &Run) -> Result<Vec<String>, Stopped> {
    let mut changed = Vec::new();
    for ran in run.ran.iter().filter(|ran| !ran.passed()) {
        let (Ok(vector), Some(outcome)) = (&ran.case.vector, &ran.outcome) else {
            continue;
        };
        let answer = ["verdict", "message", "finding", "order"];
        let differs = outcome.details.iter().any(|one| answer.contains(&one.what));
        if !differs || outcome.evaluation.result.is_err() {
            continue;
        }
        let expect = vector.expect().updated(&outcome.evaluation);
        if let Some(text) = vector.with_expectation(&ran.case.text, &expect) {
            write(&ran.case.path, &text)?;
            changed.push(ran.case.file.clone());
        }
    }
    Ok(changed)
}
