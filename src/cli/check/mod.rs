//! `leasehold check FILE… | -`: the gate, offline, on bare policy documents and on roles as JSON. It decides nothing itself:
//! every verdict is [`crate::gate`]'s, byte for byte what a server would say of the same input. What is in a file is found
//! out in `input`, texts of managed policies come from `policies`, and `print` shows the outcome.

mod fields;
mod input;
mod place;
mod policies;
mod print;

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::clock::{Clock, SystemClock};
use crate::config::Guardrails;
use crate::gate::{Compiler, Gate, GateConfig, UNREADABLE};
use crate::model::{Decision, Finding, Severity, Timestamp, Verdict};
use input::Input;
use policies::Policies;

/// Bytes read of one file: every document that IAM takes has fewer, at 4 bytes for each of its 131,072 characters
/// (IAM API, `PolicyDocument`), and a role around it is small.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Arguments of `leasehold check`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct CheckArguments {
    /// Policy documents, or roles as JSON with the fields of a role write; `-` reads standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Take the modes of the guardrails from this configuration; without it, all enforce.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Texts of managed policies, DIR/POLICY.json by name, and of group policies, DIR/groups/GROUP/POLICY.json.
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Exit codes: 0 clean, 1 findings that do not block, 2 blocked, 3 something could not be checked (and nothing else blocks), a wrong command line too.

Examples:
  leasehold check policy.json
  leasehold check --policies ./managed role.json
  vault read -format=json -field=data aws/roles/my-role | leasehold check -";

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the place in the source.
    Human,
    /// One JSON object, for programs.
    Json,
}

/// What a check comes to, in rising order of what counts when several files differ: a certain "blocked" outranks
/// "could not check".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing was found.
    Clean,
    /// Something was found that does not block.
    Findings,
    /// Something could not be checked.
    Unchecked,
    /// Something is denied.
    Blocked,
}

impl Exit {
    /// The code of the process.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Blocked => 2,
            Self::Unchecked => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// One file and what the gate says of it.
#[derive(Debug)]
struct Outcome {
    path: String,
    /// The file's text, for excerpts.
    text: String,
    verdict: Arc<Verdict>,
    exit: Exit,
}

/// Checks every file and prints what was found.
pub fn run(arguments: &CheckArguments, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let config = match gate_config(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(problem) => return stopped(err, &problem),
    };
    let gate = match Gate::new(config) {
        Ok(gate) => gate,
        Err(problem) => return stopped(err, &problem.to_string()),
    };
    let colour = io::stdout().is_terminal() && !no_colour();
    let mut stdin = io::stdin();
    let session = Session { gate: &gate, arguments, colour, now: SystemClock.now() };
    session.run(&mut stdin, out, err)
}

/// A run with everything that it depends on.
struct Session<'a> {
    gate: &'a Gate,
    arguments: &'a CheckArguments,
    colour: bool,
    now: Timestamp,
}

impl Session<'_> {
    fn run(&self, stdin: &mut dyn Read, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(problem) => return stopped(err, &format!("no runtime: {problem}")),
        };
        let outcomes: Vec<Outcome> = self
            .arguments
            .files
            .iter()
            .map(|path| runtime.block_on(self.check(path, stdin)))
            .collect();
        let printed = match self.arguments.format {
            Format::Human => print::human(&outcomes, self.colour, out),
            Format::Json => print::json(&outcomes, out),
        };
        match printed {
            // Whoever reads has seen enough: that changes nothing about the verdict.
            Err(problem) if problem.kind() != io::ErrorKind::BrokenPipe => {
                stopped(err, &format!("cannot print the findings: {problem}"))
            }
            Ok(()) | Err(_) => {
                outcomes.iter().map(|outcome| outcome.exit).max().unwrap_or(Exit::Clean)
            }
        }
    }

    async fn check(&self, path: &Path, stdin: &mut dyn Read) -> Outcome {
        let shown = path.display().to_string();
        let bytes = match read(path, stdin) {
            Ok(bytes) => bytes,
            Err(problem) => return Outcome::unreadable(shown, &problem),
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(problem) => {
                let lossy = String::from_utf8_lossy(problem.as_bytes()).into_owned();
                return Outcome::not_text(shown, lossy);
            }
        };
        match Input::of(&text) {
            Input::Bare => {
                let verdict = self.gate.judge_bare(&text, self.now).await;
                Outcome::new(shown, text, verdict, false)
            }
            Input::Malformed(findings) => {
                let verdict = Arc::new(denied(findings));
                Outcome::new(shown, text, verdict, false)
            }
            Input::Role(role) => {
                let policies = Policies::new(self.arguments.policies.as_deref());
                let (verdict, unread) = role.judge(self.gate, &policies, self.now).await;
                let verdict = Arc::new(role.placed(&verdict, &text));
                Outcome::new(shown, text, verdict, unread)
            }
        }
    }
}

impl Outcome {
    fn new(path: String, text: String, verdict: Arc<Verdict>, unread: bool) -> Self {
        let blocks = |finding: &Finding| finding.denies && finding.rule != UNREADABLE;
        let exit = if verdict.findings.iter().any(blocks) {
            Exit::Blocked
        } else if unread {
            Exit::Unchecked
        } else if verdict.findings.is_empty() {
            Exit::Clean
        } else {
            Exit::Findings
        };
        Self { path, text, verdict, exit }
    }

    fn unreadable(path: String, problem: &io::Error) -> Self {
        let message = format!("the file cannot be read: {problem}");
        let finding = file_finding("check/unreadable-file", message);
        let verdict = Arc::new(denied(vec![finding]));
        Self { path, text: String::new(), verdict, exit: Exit::Unchecked }
    }

    fn not_text(path: String, text: String) -> Self {
        let rule = iam_policy::JsonErrorKind::Encoding.rule();
        let finding =
            file_finding(&format!("document/{rule}"), "the file is not UTF-8 text".to_owned());
        Self::new(path, text, Arc::new(denied(vec![finding])), false)
    }
}

/// A verdict on what never came to the guardrails; it has no digest, since nothing was judged.
fn denied(findings: Vec<Finding>) -> Verdict {
    Verdict { decision: Decision::Deny, findings, digest: String::new() }
}

fn file_finding(rule: &str, message: String) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity: Severity::High,
        message,
        source: "role".to_owned(),
        pointer: String::new(),
        line: None,
        column: None,
        remediation: None,
        denies: true,
    }
}

fn read(path: &Path, stdin: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        stdin.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn gate_config(file: Option<&Path>) -> Result<GateConfig, String> {
    let read = match file {
        None => Guardrails::enforcing(),
        Some(file) => Guardrails::load(file).map_err(|problem| problem.to_string())?,
    };
    Ok(uncached(read))
}

/// The gate of this configuration, for a process that keeps no compiled code.
pub(super) fn uncached(guardrails: Guardrails) -> GateConfig {
    let Guardrails { mode: default_mode, modes, settings, bounds } = guardrails;
    let compiler = Compiler::InProcess;
    let (cache_dir, cache_key) = (None, [0; 32]);
    GateConfig { default_mode, modes, settings, bounds, cache_dir, cache_key, compiler }
}

fn stopped(err: &mut dyn Write, problem: &str) -> Exit {
    // Nobody is left to tell when standard error is closed.
    drop(writeln!(err, "error: {problem}"));
    Exit::Unchecked
}

#[expect(clippy::disallowed_methods, reason = "the command line reads NO_COLOR (no-color.org)")]
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
