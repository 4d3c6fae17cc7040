//! A run of vectors as an author reads it: a line a case, then for what failed expected and actual with the place in the
//! file, then the rules that the vectors do not show.

use std::io::{self, Write};

use super::{Coverage, Ran, Run};
use crate::figures;
use crate::paint::Paint;
use crate::show::{self, Scene};
use crate::vector::Difference;

impl Run {
    /// Prints everything.
    pub(crate) fn print(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{} {}", paint.strong(&self.plugin), paint.faint(&self.digest))?;
        writeln!(out)?;
        let names = self.ran.iter().map(|ran| ran.case.name.chars().count()).max().unwrap_or(0);
        for ran in &self.ran {
            ran.print(names, paint, out)?;
        }
        writeln!(out)?;
        if self.is_whole {
            self.coverage.print(paint, out)?;
        }
        self.print_sum(paint, out)
    }

    fn print_sum(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let failed = self.failed();
        let passed = self.ran.len().saturating_sub(failed);
        let cases = if self.ran.len() == 1 { "case" } else { "cases" };
        let sum = format!("{} {cases}: {passed} passed, {failed} failed", self.ran.len());
        let sum = if failed == 0 { paint.good(sum) } else { paint.bad(sum) };
        writeln!(out, "{sum}")?;
        if let Some(most) = self.ran.iter().max_by_key(|ran| ran.fuel()) {
            writeln!(out, "most fuel: {} in {}", figures::count(most.fuel()), most.case.name)?;
        }
        let cured = self.ran.iter().fold(0_usize, |sum, ran| sum.saturating_add(ran.cured()));
        if cured > 0 {
            writeln!(out, "patches: {cured} were tried and cure what they are for")?;
        }
        if failed > 0 {
            writeln!(
                out,
                "help: `leasehold plugin test --update` takes what came as what is expected"
            )?;
        }
        Ok(())
    }
}

impl Ran {
    fn print(&self, names: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let word = if self.passed() { paint.good("ok  ") } else { paint.bad("FAIL") };
        writeln!(
            out,
            "  {word}  {:<names$}  {:>11} fuel  {:>9}",
            self.case.name,
            figures::count(self.fuel()),
            figures::shown(self.elapsed),
        )?;
        if self.is_slow() {
            writeln!(out, "        {}", paint.warn(show::TOO_SLOW))?;
        }
        if self.passed() {
            return Ok(());
        }
        if let Ok(vector) = &self.case.vector
            && !vector.about().is_empty()
        {
            writeln!(out, "        {}", paint.faint(vector.about()))?;
        }
        for difference in self.differences() {
            self.print_difference(&difference, paint, out)?;
        }
        self.print_log(paint, out)
    }

    fn print_difference(
        &self,
        difference: &Difference,
        paint: Paint,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        writeln!(out, "        {}", difference.what)?;
        writeln!(out, "          expected  {}", paint.good(&difference.expected))?;
        writeln!(out, "          actual    {}", paint.bad(&difference.actual))?;
        let vector = self.case.vector.as_ref().ok();
        let place = |at: &guardrail_host::Location| vector?.place(at);
        Scene { source: self.case.source(), place: &place, paint }.places(&difference.at, out)
    }

    fn print_log(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        match &self.outcome {
            Some(outcome) => show::log(&outcome.evaluation, paint, out),
            None => Ok(()),
        }
    }
}

impl Coverage {
    /// Prints the rules that the vectors show too little of.
    fn print(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "rules shown: {} of {}", self.shown(), self.rules.len())?;
        for rule in &self.rules {
            let missing = match (rule.found, rule.let_pass) {
                (0, _) => "no case finds it",
                (_, 0) => "no case shows what it lets pass in the same service",
                (_, _) => continue,
            };
            writeln!(out, "  {} {}: {missing}", paint.warn("!"), rule.rule)?;
        }
        Ok(())
    }
}
