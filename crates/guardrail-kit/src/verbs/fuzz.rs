//! `leasehold plugin fuzz [FILE]`: looks for grants and settings that a guardrail cannot cope with, and leaves what it
//! finds behind as a vector, made small. The cases come from [`crate::fuzz`].

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use guardrail_host::{Evaluation, Limits};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use crate::cli::{Exit, Stopped};
use crate::component::Setup;
use crate::figures::{self, Stopwatch};
use crate::fuzz::{Fault, Fuzzer, Judged};
use crate::show;
use crate::target::{Target, json_files, shown, write};
use crate::vector::{ExpectedVerdict, Vector};

/// How long to look when nothing is said.
const SECONDS: u64 = 10;

/// What to try, and how long.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, or the project's folder [default: the folder that one is in]
    #[arg(value_name = "FILE")]
    target: Option<PathBuf>,
    /// Stop after so long [default: 10, or no end with --cases]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Stop after so many cases
    #[arg(long, value_name = "N")]
    cases: Option<u64>,
    /// The same seed gives the same cases [default: another each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Use these settings in every case
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Folder for the vector of what is found [default: the vectors of the component]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    setup: Setup,
}

/// What came of all cases so far.
#[derive(Debug, Default)]
struct Tally {
    cases: u64,
    no_policy: u64,
    no_settings: u64,
    verdicts: BTreeMap<String, u64>,
    rules: BTreeMap<String, u64>,
    most_fuel: (u64, u64),
    most_memory: (usize, u64),
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Stopped> {
    let target = Target::of(arguments.target.as_deref())?;
    let plugin = target.load(&arguments.setup)?;
    let paint = arguments.setup.paint();
    let seed = arguments.seed.map_or_else(random_seed, Ok)?;
    let fixed = arguments.settings.as_deref().map(read_settings).transpose()?;
    let fuzzer = Fuzzer::new(&plugin, examples(&target), fixed, seed)?;
    let manifest = plugin.manifest();
    writeln!(out, "{}, seed {seed}", paint.strong(show::name_of(manifest)))?;
    let stopwatch = Stopwatch::start();
    let mut tally = Tally::default();
    while arguments.goes_on(tally.cases, stopwatch.elapsed()) {
        let number = tally.cases;
        let case = fuzzer.case(number);
        let judged = fuzzer.judge(&case);
        tally.count(number, &judged);
        if let Judged::Wrong(fault) = judged {
            let file = arguments.keep(&target, &fuzzer, case, &fault, (seed, number))?;
            tally.print(stopwatch.elapsed(), out)?;
            let wrong = paint.bad("wrong:");
            writeln!(out, "{wrong} {} {} (case {number} of seed {seed})", fault.code, fault.text)?;
            writeln!(out, "the smallest case that does it is `{file}`")?;
            writeln!(
                out,
                "help: `leasehold plugin run {file}` does it again; `test` fails until it is cured"
            )?;
            return Ok(Exit::Bad);
        }
    }
    tally.print(stopwatch.elapsed(), out)?;
    writeln!(out, "{}", paint.good("nothing went wrong"))?;
    Ok(Exit::Good)
}

fn random_seed() -> Result<u64, Stopped> {
    // Four bytes: short enough to be typed again.
    let mut bytes = [0; 4];
    SystemRandom::new().fill(&mut bytes).map_err(|_unspecified| "there is no randomness")?;
    Ok(u64::from(u32::from_be_bytes(bytes)))
}

fn read_settings(path: &Path) -> Result<Value, Stopped> {
    let text = fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", shown(path)))?;
    serde_json::from_str(&text).map_err(|error| format!("`{}`: {error}", shown(path)).into())
}

/// The settings of the vectors, where there are some: those that cannot be read say nothing here.
fn examples(target: &Target) -> Vec<Value> {
    let files = json_files(&target.vectors).unwrap_or_default();
    let vectors = files.iter().filter_map(|file| Vector::read(&fs::read(file).ok()?).ok());
    let accepted = vectors.filter(|vector| {
        vector.expect().verdict != ExpectedVerdict::Failure("failure/settings".into())
    });
    accepted.filter_map(|vector| serde_json::from_str(vector.settings()).ok()).collect()
}

impl Arguments {
    fn goes_on(&self, cases: u64, elapsed: Duration) -> bool {
        let seconds = match (self.seconds, self.cases) {
            (None, None) => Some(SECONDS),
            (seconds, _) => seconds,
        };
        self.cases.is_none_or(|most| cases < most)
            && seconds.is_none_or(|most| elapsed < Duration::from_secs(most))
    }

    /// Makes the case small and writes it as a vector. The file's name.
    fn keep(
        &self,
        target: &Target,
        fuzzer: &Fuzzer<'_>,
        case: Value,
        fault: &Fault,
        (seed, number): (u64, u64),
    ) -> Result<String, Stopped> {
        let mut small = fuzzer.shrunk(case, fault);
        if let Some(members) = small.as_object_mut() {
            let about = format!("found by fuzz: {} {}", fault.code, fault.text);
            members.insert("about".into(), json!(about));
        }
        let folder = self.out.as_deref().unwrap_or(&target.vectors);
        fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", shown(folder)))?;
        let code = fault.code.replace('/', "-");
        let path = folder.join(format!("fuzz-{code}-{seed}-{number}.json"));
        write(&path, &format!("{}\n", serde_json::to_string_pretty(&small)?))?;
        Ok(shown(&path))
    }
}

impl Tally {
    fn count(&mut self, number: u64, judged: &Judged) {
        self.cases = self.cases.saturating_add(1);
        match judged {
            Judged::NoPolicy => self.no_policy = self.no_policy.saturating_add(1),
            Judged::NoSettings => self.no_settings = self.no_settings.saturating_add(1),
            Judged::Good(evaluation) => self.count_answer(number, evaluation),
            Judged::Wrong(_) => {}
        }
    }

    fn count_answer(&mut self, number: u64, evaluation: &Evaluation) {
        let verdict = ExpectedVerdict::seen(evaluation).as_str().to_owned();
        let mut rules: Vec<&str> = evaluation
            .result
            .iter()
            .flat_map(|report| &report.findings)
            .map(|finding| finding.rule.as_str())
            .collect();
        rules.sort_unstable();
        rules.dedup();
        add_one(&mut self.verdicts, &verdict);
        for rule in rules {
            add_one(&mut self.rules, rule);
        }
        self.most_fuel = self.most_fuel.max((evaluation.fuel_used, number));
        self.most_memory = self.most_memory.max((evaluation.memory_bytes, number));
    }

    fn print(&self, elapsed: Duration, out: &mut dyn Write) -> io::Result<()> {
        let limits = Limits::default();
        let listed = |counts: &BTreeMap<String, u64>| {
            let one = |(name, count): (&String, &u64)| format!("{name} {}", figures::count(*count));
            let all: Vec<String> = counts.iter().map(one).collect();
            if all.is_empty() { "none".to_owned() } else { all.join(", ") }
        };
        writeln!(out, "{} cases in {}", figures::count(self.cases), figures::shown(elapsed))?;
        writeln!(out, "  answers         {}", listed(&self.verdicts))?;
        writeln!(out, "  rules found     {}", listed(&self.rules))?;
        writeln!(
            out,
            "  refused before  {} documents by the host, {} settings",
            figures::count(self.no_policy),
            figures::count(self.no_settings)
        )?;
        let ((fuel, fuel_case), (memory, memory_case)) = (self.most_fuel, self.most_memory);
        writeln!(
            out,
            "  most            {} fuel ({}) in case {fuel_case}, {} memory in case {memory_case}",
            figures::count(fuel),
            figures::share(fuel, limits.fuel),
            figures::bytes(memory),
        )
    }
}

fn add_one(counts: &mut BTreeMap<String, u64>, name: &str) {
    let count = counts.entry(name.to_owned()).or_default();
    *count = count.saturating_add(1);
}
