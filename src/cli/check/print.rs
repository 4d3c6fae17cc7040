//! Shows outcomes: for people, with the line of the source and a caret under the place, or as one JSON object. It changes
//! no verdict and prints no text of the input that could steer a terminal. Called by the parent module.

use std::io::{self, Write};

use serde::Serialize;

use super::super::output::printable;
use super::{Exit, Outcome};
use crate::model::{Decision, Finding, Severity};

/// Columns of source shown around a place: documents on one line can have thousands.
const EXCERPT_COLUMNS: usize = 96;
/// Columns shown before the place, at least.
const BEFORE_PLACE: usize = 40;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const CYAN: &str = "\u{1b}[1;36m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

#[derive(Serialize)]
struct Results<'a> {
    results: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    verdict: Decision,
    findings: &'a [Finding],
}

/// One JSON object.
pub(super) fn json(outcomes: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    let results = outcomes
        .iter()
        .map(|outcome| Row {
            path: &outcome.path,
            verdict: outcome.verdict.decision,
            findings: &outcome.verdict.findings,
        })
        .collect();
    let text = serde_json::to_string_pretty(&Results { results })?;
    writeln!(out, "{text}")
}

/// One block per finding, then a line that sums up.
pub(super) fn human(outcomes: &[Outcome], colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { colour };
    for outcome in outcomes {
        for finding in &outcome.verdict.findings {
            paint.finding(outcome, finding, out)?;
            writeln!(out)?;
        }
    }
    writeln!(out, "{}", summary(outcomes))
}

fn summary(outcomes: &[Outcome]) -> String {
    if let [only] = outcomes {
        let path = printable(&only.path);
        return match only.exit {
            Exit::Clean => format!("{path}: clean"),
            Exit::Findings => format!("{path}: allowed, {}", counted(&only.verdict.findings)),
            Exit::Blocked => format!("{path}: blocked, {}", counted(&only.verdict.findings)),
            Exit::Unchecked => format!("{path}: could not be checked"),
        };
    }
    let count = |exit: Exit| outcomes.iter().filter(|outcome| outcome.exit == exit).count();
    let parts: Vec<String> = [
        (Exit::Blocked, "blocked"),
        (Exit::Unchecked, "could not be checked"),
        (Exit::Findings, "allowed with findings"),
        (Exit::Clean, "clean"),
    ]
    .into_iter()
    .map(|(exit, word)| (count(exit), word))
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    format!("{} files: {}", outcomes.len(), parts.join(", "))
}

fn counted(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.denies).count();
    let warnings = findings.len().saturating_sub(errors);
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        many => format!("{many} {word}s"),
    };
    match (errors, warnings) {
        (0, warnings) => plural(warnings, "warning"),
        (errors, 0) => plural(errors, "error"),
        (errors, warnings) => {
            format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"))
        }
    }
}

struct Paint {
    colour: bool,
}

impl Paint {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("{code}{text}{PLAIN}") } else { text.to_owned() }
    }

    fn finding(&self, outcome: &Outcome, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let here = in_file(finding);
        let place = here.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
        let path = printable(&outcome.path);
        let at = self.paint(BOLD, &format!("{path}{place}:"));
        let word = match (finding.denies, finding.severity) {
            (true, _) => self.paint(RED, "error:"),
            (false, Severity::Info) => self.paint(CYAN, "note:"),
            (false, _) => self.paint(YELLOW, "warning:"),
        };
        let rule = self.paint(DIM, &format!("[{}]", finding.rule));
        writeln!(out, "{at} {word} {}{} {rule}", printable(&finding.message), elsewhere(finding))?;
        if let Some((line, column)) = here {
            self.excerpt(&outcome.text, line, column, out)?;
        }
        if let Some(help) = &finding.remediation {
            writeln!(out, "  {} {}", self.paint(BOLD, "help:"), printable(help))?;
        }
        Ok(())
    }

    fn excerpt(&self, text: &str, line: u32, column: u32, out: &mut dyn Write) -> io::Result<()> {
        let index = usize::try_from(line).unwrap_or_default().saturating_sub(1);
        let Some(source) = text.lines().nth(index) else {
            return Ok(());
        };
        let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
        let length = source.chars().count();
        let first = if length > EXCERPT_COLUMNS { column.saturating_sub(BEFORE_PLACE) } else { 0 };
        let shown: String = source.chars().skip(first).take(EXCERPT_COLUMNS).collect();
        let cut = |is_cut: bool| if is_cut { "…" } else { "" };
        let after = cut(first.saturating_add(EXCERPT_COLUMNS) < length);
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let bar = self.paint(DIM, "|");
        writeln!(out, "  {number} {bar} {}{}{after}", cut(first > 0), printable(&shown))?;
        let indent = column.saturating_sub(first).saturating_add(usize::from(first > 0));
        let caret = self.paint(RED, "^");
        writeln!(out, "  {margin} {bar} {}{caret}", " ".repeat(indent))
    }
}

/// The place, where it is one in the file that was given.
fn in_file(finding: &Finding) -> Option<(u32, u32)> {
    matches!(finding.source.as_str(), "inline" | "document" | "role")
        .then(|| finding.line.zip(finding.column))
        .flatten()
}

/// Which document it is about, where that is not in the file.
fn elsewhere(finding: &Finding) -> String {
    match finding.source.as_str() {
        "inline" | "document" | "role" => String::new(),
        "boundary" => " (permissions boundary)".to_owned(),
        other if finding.pointer.is_empty() => format!(" (policy {})", printable(other)),
        other => format!(" (policy {}, at {})", printable(other), printable(&finding.pointer)),
    }
}
