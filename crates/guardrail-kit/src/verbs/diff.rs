//! `leasehold plugin diff OLD NEW [DOC…]`: what two components of a guardrail say otherwise, of themselves and of
//! documents. Ends like diff(1): 1 when a verdict or a finding differs. It never asks a server: what would flip for stored
//! roles, with their exceptions and overrides, only the server's what-if can say (`leasehold guardrail what-if`).

use std::io::Write;
use std::mem::{self, Discriminant};
use std::path::PathBuf;

use clap::Args;
use guardrail_host::{Evaluation, Failure, Finding, Manifest, Plugin, Report, Verdict};

use crate::cli::{Exit, Stopped};
use crate::component::{Setup, load_on};
use crate::figures;
use crate::paint::Paint;
use crate::show::{self, Scene};
use crate::subject::{Around, Subject};
use crate::target::Target;
use crate::vector::{severity_word, verdict_line};

/// What to compare, and on what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component as it was
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The component as it is now, or the project's folder
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Policy documents, vectors, or folders of them [default: the vectors of NEW]
    #[arg(value_name = "DOC")]
    documents: Vec<PathBuf>,
    #[command(flatten)]
    around: Around,
    #[command(flatten)]
    setup: Setup,
}

/// What one subject got from both.
struct Answer {
    subject: Subject,
    old: Evaluation,
    new: Evaluation,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let (old, new) = (Target::of(Some(&arguments.old))?, Target::of(Some(&arguments.new))?);
    let host = arguments.setup.host()?;
    old.must_be_built()?;
    new.must_be_built()?;
    let old = load_on(&host, &old.component)?;
    let vectors = [new.vectors.clone()];
    let new = load_on(&host, &new.component)?;
    let paths = if arguments.documents.is_empty() { &vectors[..] } else { &arguments.documents };
    let subjects = Subject::read_all(paths, &arguments.around)?;
    let paint = arguments.setup.paint();
    print_header(&old, &new, paint, out)?;
    let total = subjects.len();
    let mut differing: usize = 0;
    let mut verdicts: usize = 0;
    for subject in subjects {
        let answer = Answer::of(subject, &old, &new);
        if answer.differs() {
            differing = differing.saturating_add(1);
            verdicts = verdicts.saturating_add(usize::from(answer.verdict_differs()));
            answer.print(paint, out)?;
        }
    }
    writeln!(out, "{differing} of {total} answers differ, {verdicts} of them in their verdict")?;
    Ok(if differing == 0 { Exit::Good } else { Exit::Bad })
}

fn print_header(
    old: &Plugin,
    new: &Plugin,
    paint: Paint,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    for (sign, plugin) in [("---", old), ("+++", new)] {
        let manifest = plugin.manifest();
        let name = paint.strong(show::name_of(manifest));
        writeln!(out, "{sign} {name} {}", paint.faint(format!("sha256:{}", plugin.digest())))?;
    }
    let lines = of_themselves(old, new);
    for line in &lines {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    Ok(())
}

/// What the two say of themselves otherwise.
fn of_themselves(old: &Plugin, new: &Plugin) -> Vec<String> {
    let mut lines = rules(old.manifest(), new.manifest());
    for (sign, one, other) in [("-", old, new), ("+", new, old)] {
        let gone = one.imports().iter().filter(|import| !other.imports().contains(import));
        lines.extend(gone.map(|import| format!("{sign} import {import}")));
    }
    if !same_json(old.settings_schema(), new.settings_schema()) {
        lines.push("~ the settings schema is another: stored settings are checked again".into());
    }
    lines
}

/// Whether two texts are one value, however they are laid out.
fn same_json(one: &str, other: &str) -> bool {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || value(one).is_some_and(|one| value(other) == Some(one))
}

fn rules(old: &Manifest, new: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    for rule in &old.rules {
        match new.rule(&rule.id) {
            None => lines.push(format!("- rule {}", rule.id)),
            Some(now) if now.severity != rule.severity => lines.push(format!(
                "~ rule {}: {} → {}",
                rule.id,
                severity_word(rule.severity),
                severity_word(now.severity)
            )),
            Some(_) => {}
        }
    }
    let added = new.rules.iter().filter(|rule| old.rule(&rule.id).is_none());
    lines
        .extend(added.map(|rule| format!("+ rule {} ({})", rule.id, severity_word(rule.severity))));
    lines
}

impl Answer {
    fn of(subject: Subject, old: &Plugin, new: &Plugin) -> Self {
        let old = old.evaluate_blocking(&subject.grant, &subject.settings);
        let new = new.evaluate_blocking(&subject.grant, &subject.settings);
        Self { subject, old, new }
    }

    fn differs(&self) -> bool {
        self.old.result != self.new.result
    }

    fn verdict_differs(&self) -> bool {
        kind(&self.old.result) != kind(&self.new.result)
    }

    fn print(&self, paint: Paint, out: &mut dyn Write) -> Result<(), Stopped> {
        let (old, new) = (verdict_line(&self.old), verdict_line(&self.new));
        let name = paint.strong(&self.subject.name);
        if old == new {
            writeln!(out, "{name}  {old}")?;
        } else {
            writeln!(out, "{name}\n  - {}\n  + {}", paint.bad(old), paint.good(new))?;
        }
        let place = |location: &_| self.subject.place(location);
        let scene = Scene { source: self.subject.source(), place: &place, paint };
        for (sign, one, other) in [("-", &self.old, &self.new), ("+", &self.new, &self.old)] {
            for finding in findings(one).iter().filter(|one| !findings(other).contains(one)) {
                write!(out, "  {sign} ")?;
                scene.finding(finding, out)?;
            }
        }
        writeln!(out, "  fuel {} → {}", fuel(&self.old), fuel(&self.new))?;
        writeln!(out)?;
        Ok(())
    }
}

/// What an answer leads to, in whatever words: one of the verdicts, or one of the failures.
fn kind(result: &Result<Report, Failure>) -> Result<Discriminant<Verdict>, &'static str> {
    result.as_ref().map(|report| mem::discriminant(&report.verdict)).map_err(Failure::code)
}

fn findings(evaluation: &Evaluation) -> &[Finding] {
    evaluation.result.as_ref().map(|report| report.findings.as_slice()).unwrap_or_default()
}

fn fuel(evaluation: &Evaluation) -> String {
    figures::count(evaluation.fuel_used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_are_no_other_verdict() {
        let report = |verdict| Ok(Report { verdict, findings: Vec::new() });
        let denied = report(Verdict::Deny("no".into()));
        assert_eq!(kind(&denied), kind(&report(Verdict::Deny("nobody may".into()))));
        assert_ne!(kind(&denied), kind(&report(Verdict::Pass)));
        assert_ne!(kind(&denied), kind(&Err(Failure::Busy)));
        assert_ne!(kind(&Err(Failure::Trap("one".into()))), kind(&Err(Failure::Busy)));
    }

    #[test]
    fn a_schema_that_is_only_laid_out_otherwise_is_the_same() {
        let schema = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
        let pretty =
            "{\n  \"properties\": {\"a\": {\"type\": \"string\"}},\n  \"type\": \"object\"\n}\n";
        assert!(same_json(schema, pretty));
        assert!(!same_json(schema, r#"{"type":"object","properties":{"a":{"type":"number"}}}"#));
    }
}
