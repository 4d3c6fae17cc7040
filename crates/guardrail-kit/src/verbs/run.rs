//! `leasehold plugin run DOC`: one call of a guardrail on one document or vector, with everything that came of it. Judges
//! the answer only where the file is a vector, which says what it should be.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use guardrail_host::{Evaluation, Finding, Plugin, Report, Severity};

use crate::cli::{Exit, Stopped};
use crate::component::Setup;
use crate::figures::Stopwatch;
use crate::sarif::{self, Entry, Level, RuleText};
use crate::settings;
use crate::show::{self, Scene};
use crate::subject::{Around, Subject};
use crate::target::{Target, write};
use crate::vector::{self, Cure};

/// What to judge, and with what around it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A policy document, or a vector
    #[arg(value_name = "DOC")]
    document: PathBuf,
    /// The component, or the project's folder [default: the folder that one is in]
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    #[command(flatten)]
    around: Around,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
    /// Also write the findings as SARIF 2.1.0 there
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    #[command(flatten)]
    setup: Setup,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let target = Target::of(arguments.component.as_deref())?;
    let subject = Subject::read(&arguments.document, &arguments.around)?;
    let plugin = target.load(&arguments.setup)?;
    // With something else around it, the vector says nothing of the answer.
    let vector = subject.vector.as_ref().filter(|_| arguments.around.is_empty());
    if vector.is_none() {
        refuse_settings(&plugin, &subject)?;
    }
    let stopwatch = Stopwatch::start();
    let evaluation = plugin.evaluate_blocking(&subject.grant, &subject.settings);
    let elapsed = stopwatch.elapsed();
    if let (Some(path), Ok(report)) = (&arguments.sarif, &evaluation.result) {
        write_sarif(path, &plugin, &subject, report)?;
    }
    if arguments.json {
        print_json(&evaluation, elapsed, out)?;
    } else {
        print(arguments, &plugin, &subject, &evaluation, out)?;
        show::usage(&evaluation, elapsed, out)?;
    }
    let Some(vector) = vector else {
        return Ok(if evaluation.result.is_ok() { Exit::Good } else { Exit::Bad });
    };
    let outcome = vector.outcome(&plugin, evaluation);
    for difference in outcome.differences.iter().filter(|_| !arguments.json) {
        writeln!(out, "{} {difference}", arguments.setup.paint().bad("differs:"))?;
    }
    Ok(if outcome.passed { Exit::Good } else { Exit::Bad })
}

/// Settings that a server would not store are not tried: what would come of it never comes. Of a vector's own the vector
/// itself may say that they are refused.
fn refuse_settings(plugin: &Plugin, subject: &Subject) -> Result<(), Stopped> {
    let issues = settings::refused(plugin, &subject.settings)?;
    if issues.is_empty() {
        return Ok(());
    }
    let issues: Vec<String> =
        issues.iter().map(|issue| format!("  `{}` {}", issue.pointer, issue.message)).collect();
    Err(format!("the guardrail refuses these settings:\n{}", issues.join("\n")).into())
}

fn print(
    arguments: &Arguments,
    plugin: &Plugin,
    subject: &Subject,
    evaluation: &Evaluation,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    let paint = arguments.setup.paint();
    writeln!(out, "{}", show::verdict(evaluation, paint))?;
    if let Ok(report) = &evaluation.result {
        let place = |location: &_| subject.place(location);
        let scene = Scene { source: subject.source(), place: &place, paint };
        for finding in &report.findings {
            writeln!(out)?;
            scene.finding(finding, out)?;
            print_patch(plugin, subject, report, finding, out)?;
        }
        writeln!(out)?;
    }
    show::log(evaluation, paint, out)?;
    Ok(())
}

fn print_patch(
    plugin: &Plugin,
    subject: &Subject,
    report: &Report,
    finding: &Finding,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    let tried = vector::cure(&subject.grant, &subject.settings, plugin, report, finding);
    let (Some(tried), Some(patch)) = (tried, &finding.patch) else {
        return Ok(());
    };
    let verdict = match tried {
        Cure::Cured => "cures it".to_owned(),
        Cure::NotCured(why) => format!("does not cure it: {why}"),
    };
    writeln!(out, "       patch of document {}, which {verdict}:", patch.document)?;
    writeln!(out, "         {}", patch.operations.replace(char::is_control, " "))?;
    Ok(())
}

fn print_json(
    evaluation: &Evaluation,
    elapsed: Duration,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    let answer = serde_json::json!({
        "report": evaluation.result.as_ref().ok(),
        "failure": evaluation.result.as_ref().err().map(|failure| serde_json::json!({
            "code": failure.code(),
            "message": failure.to_string(),
        })),
        "log": evaluation.log,
        "log_dropped": evaluation.log_dropped,
        "fuel": evaluation.fuel_used,
        "memory_bytes": evaluation.memory_bytes,
        "host_calls": evaluation.host_calls,
        "microseconds": elapsed.as_micros(),
    });
    writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?;
    Ok(())
}

fn write_sarif(
    path: &Path,
    plugin: &Plugin,
    subject: &Subject,
    report: &Report,
) -> Result<(), Stopped> {
    let manifest = plugin.manifest();
    let text = |rule: &guardrail_host::Rule| RuleText {
        title: rule.title.clone(),
        url: rule.docs_url.clone(),
    };
    let rules: BTreeMap<String, RuleText> =
        manifest.rules.iter().map(|rule| (rule.id.clone(), text(rule))).collect();
    let entries: Vec<Entry> =
        report.findings.iter().map(|finding| entry(subject, finding)).collect();
    let log = sarif::log(&manifest.name, &manifest.version, &rules, &entries)?;
    write(path, &log)
}

fn entry(subject: &Subject, finding: &Finding) -> Entry {
    let place = finding.at.first().and_then(|at| subject.place(at));
    Entry {
        rule: finding.rule.clone(),
        level: match finding.severity {
            Severity::Critical | Severity::High => Level::Error,
            Severity::Medium | Severity::Low => Level::Warning,
            Severity::Info => Level::Note,
        },
        message: match &finding.remediation {
            Some(remediation) => format!("{}: {remediation}", finding.message),
            None => finding.message.clone(),
        },
        file: subject.name.clone(),
        region: place.map(|place| subject.source().region(&place)),
    }
}
