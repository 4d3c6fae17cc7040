//! Findings, logs and figures of an evaluation as an author reads them. Prints only; what it prints is decided elsewhere.

use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use guardrail_host::{
    Evaluation, Finding, Limits, Location, LogLevel, Manifest, Severity, Verdict,
};

use crate::excerpt::SourceText;
use crate::figures;
use crate::paint::Paint;
use crate::vector::severity_word;

/// Where findings are shown: a file, and how places in documents become places in it.
pub(crate) struct Scene<'a> {
    /// The file.
    pub(crate) source: SourceText<'a>,
    /// Bytes of the file for a place in a document.
    pub(crate) place: &'a dyn Fn(&Location) -> Option<Range<usize>>,
    /// How to print.
    pub(crate) paint: Paint,
}

impl Scene<'_> {
    /// A finding with its places, what to do about it, and where to read more.
    pub(crate) fn finding(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let severity = self.severity(finding.severity);
        let rule = self.paint.strong(&finding.rule);
        writeln!(out, "{severity} {rule}: {}", finding.message)?;
        self.places(&finding.at, out)?;
        if let Some(remediation) = &finding.remediation {
            writeln!(out, "       help: {remediation}")?;
        }
        if let Some(url) = &finding.docs_url {
            writeln!(out, "       read: {url}")?;
        }
        Ok(())
    }

    /// The line of the file for each place.
    pub(crate) fn places(&self, at: &[Location], out: &mut dyn Write) -> io::Result<()> {
        for location in at {
            let label = self.paint.faint(format!("{} `{}`", location.document, location.pointer));
            let label = format!("document {label}");
            match (self.place)(location) {
                Some(place) => self.source.show(&place, &label, self.paint, out)?,
                None => writeln!(out, "       at {label}")?,
            }
        }
        Ok(())
    }

    fn severity(&self, severity: Severity) -> String {
        let word = severity_word(severity);
        match severity {
            Severity::Critical | Severity::High => self.paint.bad(word),
            Severity::Medium | Severity::Low => self.paint.warn(word),
            Severity::Info => self.paint.faint(word),
        }
    }
}

/// Name and version of a plugin, whatever characters it put into them.
pub(crate) fn name_of(manifest: &Manifest) -> String {
    format!("{} {}", manifest.name, plain(&manifest.version))
}

/// Text of a plugin on one line, without what could write elsewhere on a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The verdict in its colour.
pub(crate) fn verdict(evaluation: &Evaluation, paint: Paint) -> String {
    let line = crate::vector::verdict_line(evaluation);
    match &evaluation.result {
        Ok(report) => match report.verdict {
            Verdict::Pass => paint.good(line),
            Verdict::Warn | Verdict::Skip(_) => paint.warn(line),
            Verdict::Deny(_) => paint.bad(line),
        },
        Err(_) => paint.bad(line),
    }
}

/// What the guest logged.
pub(crate) fn log(evaluation: &Evaluation, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for line in &evaluation.log {
        let level = match line.level {
            LogLevel::Debug => paint.faint("debug"),
            LogLevel::Info => "info".to_owned(),
            LogLevel::Warn => paint.warn("warn"),
            LogLevel::Error => paint.bad("error"),
        };
        writeln!(out, "log {level}: {}", line.message)?;
    }
    if evaluation.log_dropped > 0 {
        writeln!(out, "log: {} more lines were dropped", evaluation.log_dropped)?;
    }
    Ok(())
}

/// What the call used, beside what it may use.
pub(crate) fn usage(
    evaluation: &Evaluation,
    elapsed: Duration,
    out: &mut dyn Write,
) -> io::Result<()> {
    let limits = Limits::default();
    writeln!(
        out,
        "fuel {} of {} ({})   time {} of {} ms   memory {} of {}   host calls {} of {}",
        figures::count(evaluation.fuel_used),
        figures::count(limits.fuel),
        figures::share(evaluation.fuel_used, limits.fuel),
        figures::shown(elapsed),
        limits.wall_time.as_millis(),
        figures::bytes(evaluation.memory_bytes),
        figures::bytes(limits.memory_bytes),
        figures::count(evaluation.host_calls),
        figures::count(limits.host_calls),
    )?;
    if elapsed > limits.wall_time {
        writeln!(out, "warning: {TOO_SLOW}")?;
    }
    Ok(())
}

/// The kit lets a guest run longer than a server does.
pub(crate) const TOO_SLOW: &str =
    "a server as slow as this machine is now would have stopped it (`limit/time`)";
