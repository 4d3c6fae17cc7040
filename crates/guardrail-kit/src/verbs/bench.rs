//! `leasehold plugin bench [FILE]`: what a guardrail needs for documents of rising size, alone or beside another build of
//! it, and whether that is more than was allowed. Measuring is in [`crate::measure`].

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use guardrail_host::{Limits, Plugin};

use crate::cli::{Exit, Stopped};
use crate::component::{Setup, load_on};
use crate::figures;
use crate::measure::{self, Sample};
use crate::paint::Paint;
use crate::show;
use crate::target::Target;

/// What to measure.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, or the project's folder [default: the folder that one is in]
    #[arg(value_name = "FILE")]
    target: Option<PathBuf>,
    /// Sizes of the documents in KiB
    #[arg(long, value_name = "KIB", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=110),
          default_values_t = [1, 2, 4, 6, 10, 20, 50, 100])]
    sizes: Vec<u32>,
    /// Runs of each size at most; a second for each is enough
    #[arg(long, value_name = "N", default_value_t = 500)]
    runs: usize,
    /// Measure this component beside it, as what it was before
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Fail when it needs so much more than what it is compared with
    #[arg(long, value_name = "PERCENT", requires = "compare", value_parser = percent)]
    max_regress: Option<f64>,
    /// What `--max-regress` looks at; times differ from run to run on busy machines
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',',
          default_values_t = [Measure::Fuel, Measure::Memory])]
    regress_on: Vec<Measure>,
    #[command(flatten)]
    setup: Setup,
}

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Units of fuel, the same on every machine
    Fuel,
    /// Bytes of memory, the same on every machine
    Memory,
    /// The middle time
    Time,
}

/// A number that others can be more than.
fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| number.is_finite()).ok_or_else(|| "a number is expected".to_owned())
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let target = Target::of(arguments.target.as_deref())?;
    target.must_be_built()?;
    let host = arguments.setup.host()?;
    let plugin = load_on(&host, &target.component)?;
    let paint = arguments.setup.paint();
    print_name(&plugin, paint, out)?;
    match &arguments.compare {
        None => alone(arguments, &plugin, paint, out),
        Some(other) => {
            let before = load_on(&host, other)?;
            write!(out, "compared with ")?;
            print_name(&before, paint, out)?;
            beside(arguments, &before, &plugin, paint, out)
        }
    }
}

fn print_name(plugin: &Plugin, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let manifest = plugin.manifest();
    let name = paint.strong(show::name_of(manifest));
    writeln!(out, "{name} {}", paint.faint(format!("sha256:{}", plugin.digest())))
}

fn alone(
    arguments: &Arguments,
    plugin: &Plugin,
    paint: Paint,
    out: &mut dyn Write,
) -> Result<Exit, Stopped> {
    writeln!(
        out,
        "{:>10} {:>10} {:>14} {:>7} {:>10} {:>10} {:>10}  answer",
        "document", "statements", "fuel", "limit", "p50", "p99", "memory"
    )?;
    let mut samples = Vec::new();
    for kib in &arguments.sizes {
        let [sample] = measure::sample([plugin], bytes(*kib), arguments.runs)?;
        print_sample(&sample, paint, out)?;
        samples.push(sample);
    }
    print_growth(&samples, out)?;
    let failed = samples.iter().any(|sample| sample.evaluation.result.is_err());
    Ok(if failed { Exit::Bad } else { Exit::Good })
}

fn bytes(kib: u32) -> usize {
    usize::try_from(kib).unwrap_or(usize::MAX).saturating_mul(1_024)
}

fn print_sample(sample: &Sample, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let answer = match &sample.evaluation.result {
        Ok(report) => format!("{} findings", report.findings.len()),
        Err(failure) => paint.bad(failure.code()),
    };
    writeln!(
        out,
        "{:>10} {:>10} {:>14} {:>7} {:>10} {:>10} {:>10}  {answer}",
        figures::bytes(sample.bytes),
        sample.statements,
        figures::count(sample.evaluation.fuel_used),
        figures::share(sample.evaluation.fuel_used, Limits::default().fuel),
        figures::shown(sample.p50),
        figures::shown(sample.p99),
        figures::bytes(sample.evaluation.memory_bytes),
    )
}

/// How fuel grows between the smallest and the largest document: as fast as the document is well, its square is not.
fn print_growth(samples: &[Sample], out: &mut dyn Write) -> io::Result<()> {
    let fine = |sample: &&Sample| sample.evaluation.result.is_ok();
    let (Some(first), Some(last)) = (samples.iter().find(fine), samples.iter().rev().find(fine))
    else {
        return Ok(());
    };
    if first.bytes == last.bytes {
        return Ok(());
    }
    writeln!(
        out,
        "from {} to {}: {:.1} times the document, {:.1} times the fuel",
        figures::bytes(first.bytes),
        figures::bytes(last.bytes),
        ratio(size(last.bytes), size(first.bytes)),
        ratio(last.evaluation.fuel_used, first.evaluation.fuel_used),
    )
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "printed with few digits")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn beside(
    arguments: &Arguments,
    before: &Plugin,
    now: &Plugin,
    paint: Paint,
    out: &mut dyn Write,
) -> Result<Exit, Stopped> {
    writeln!(
        out,
        "{:>10} {:>14} {:>14} {:>9}   {:>10} {:>10} {:>9}   {:>10} {:>10} {:>9}",
        "document",
        "fuel before",
        "now",
        "change",
        "p50 before",
        "now",
        "change",
        "memory",
        "now",
        "change"
    )?;
    let mut worse = Vec::new();
    for kib in &arguments.sizes {
        let [before, now] = measure::sample([before, now], bytes(*kib), arguments.runs)?;
        print_pair(&before, &now, out)?;
        worse.extend(arguments.worse(&before, &now));
    }
    for line in &worse {
        writeln!(out, "{} {line}", paint.bad("worse:"))?;
    }
    Ok(if worse.is_empty() { Exit::Good } else { Exit::Bad })
}

fn print_pair(before: &Sample, now: &Sample, out: &mut dyn Write) -> io::Result<()> {
    let change = |measure: Measure| {
        let percent = regress(measure.of(before), measure.of(now));
        format!("{percent:+.1} %")
    };
    writeln!(
        out,
        "{:>10} {:>14} {:>14} {:>9}   {:>10} {:>10} {:>9}   {:>10} {:>10} {:>9}",
        figures::bytes(now.bytes),
        figures::count(before.evaluation.fuel_used),
        figures::count(now.evaluation.fuel_used),
        change(Measure::Fuel),
        figures::shown(before.p50),
        figures::shown(now.p50),
        change(Measure::Time),
        figures::bytes(before.evaluation.memory_bytes),
        figures::bytes(now.evaluation.memory_bytes),
        change(Measure::Memory),
    )
}

impl Arguments {
    /// What is more than allowed, or failed: of what a failure took there is nothing to compare.
    fn worse(&self, before: &Sample, now: &Sample) -> Vec<String> {
        let size = figures::bytes(now.bytes);
        if let Err(failure) = &now.evaluation.result {
            return vec![format!("it fails on {size}: {}: {failure}", failure.code())];
        }
        let Some(allowed) = self.max_regress.filter(|_| before.evaluation.result.is_ok()) else {
            return Vec::new();
        };
        let over = |measure: &&Measure| regress(measure.of(before), measure.of(now)) > allowed;
        let told = |measure: &Measure| {
            let percent = regress(measure.of(before), measure.of(now));
            format!("{} on {size} by {percent:.1} %, and {allowed} % is allowed", measure.word())
        };
        self.regress_on.iter().filter(over).map(told).collect()
    }
}

impl Measure {
    fn of(self, sample: &Sample) -> u64 {
        match self {
            Self::Fuel => sample.evaluation.fuel_used,
            Self::Memory => size(sample.evaluation.memory_bytes),
            Self::Time => u64::try_from(sample.p50.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Fuel => "more fuel",
            Self::Memory => "more memory",
            Self::Time => "more time",
        }
    }
}

/// By how many percent `now` is more than `before`.
fn regress(before: u64, now: u64) -> f64 {
    ratio(now, before).mul_add(100.0, -100.0)
}
