//! The verbs of `leasehold plugin`. Decides only which verb runs and what its exit code is; what a verb does is in
//! [`crate::verbs`], one file each with its arguments and a `run`.

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

use crate::verbs::{
    bench, build, check, dev, diff, fuzz, inspect, keygen, new, package, run, sign, test,
};

/// Write, build, test and ship guardrails.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Make a folder with a new guardrail that works, its tests and all that it needs.
    New(new::Arguments),
    /// Build the component of a project, and say what came out.
    Build(build::Arguments),
    /// Look a component over, and say of every problem what to do about it.
    Check(check::Arguments),
    /// Run the vectors of a guardrail, and say what differs and what they do not show.
    Test(test::Arguments),
    /// Judge one policy document or vector, and show all that comes of it.
    Run(run::Arguments),
    /// Measure fuel, time and memory for documents of rising size, alone or beside another component.
    Bench(bench::Arguments),
    /// Look for grants and settings that a guardrail cannot cope with.
    Fuzz(fuzz::Arguments),
    /// Show what two components say otherwise, of themselves and of documents.
    Diff(diff::Arguments),
    /// Build a project and run its vectors, again at each save with `--watch`.
    Dev(dev::Arguments),
    /// Say what a component or package is: digest, imports, manifest, rules, settings, signatures.
    Inspect(inspect::Arguments),
    /// Pack a component and its tests into one file that can be signed and uploaded.
    Package(package::Arguments),
    /// Make a key that signs packages.
    Keygen(keygen::Arguments),
    /// Sign a package.
    Sign(sign::Arguments),
}

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, and everything as it should be.
    Good,
    /// Done, and something is wrong with the plugin.
    Bad,
    /// It could not be done.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Good => Self::SUCCESS,
            Exit::Bad => Self::from(1),
            Exit::Failed => Self::from(2),
        }
    }
}

/// Why a verb stopped; the text may have a `help:` line.
pub type Stopped = Box<dyn std::error::Error + Send + Sync>;

impl PluginCommand {
    /// Runs the verb. What it finds goes to `out`, why it stopped to `err`.
    pub fn run(&self, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
        let ended = match self {
            Self::New(arguments) => new::run(arguments, out),
            Self::Build(arguments) => build::run(arguments, out),
            Self::Check(arguments) => check::run(arguments, out),
            Self::Test(arguments) => test::run(arguments, out),
            Self::Run(arguments) => run::run(arguments, out),
            Self::Bench(arguments) => bench::run(arguments, out),
            Self::Fuzz(arguments) => fuzz::run(arguments, out),
            Self::Diff(arguments) => diff::run(arguments, out),
            Self::Dev(arguments) => dev::run(arguments, out),
            Self::Inspect(arguments) => inspect::run(arguments, out),
            Self::Package(arguments) => package::run(arguments, out),
            Self::Keygen(arguments) => keygen::run(arguments, out),
            Self::Sign(arguments) => sign::run(arguments, out),
        };
        ended.unwrap_or_else(|stopped| {
            // Nobody is left to tell when standard error is closed.
            drop(writeln!(err, "error: {stopped}"));
            Exit::Failed
        })
    }
}
