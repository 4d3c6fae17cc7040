//! The vectors of a folder, run one after the other, and what is to be said of all of them together. Writes no file; what
//! is printed of a run is in `text`, for machines in `json`, `junit` and `sarif`.
//!
//! | file | holds |
//! |---|---|
//! | `coverage` | which rules the vectors show, and which not |
//! | `text` | a run as an author reads it |
//! | `json`, `junit` | the same for machines |
//! | [`crate::sarif`] | places in files, for code scanning |

mod coverage;
mod json;
mod junit;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use guardrail_host::{Limits, Plugin};

use crate::cli::Stopped;
use crate::excerpt::SourceText;
use crate::figures::Stopwatch;
use crate::sarif::{Entry, Level};
use crate::show;
use crate::target::{json_files, shown};
use crate::vector::{Difference, Outcome, Vector, VectorError};

pub(crate) use coverage::Coverage;

/// A vector and its file.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// The file, as people would write it from here.
    pub(crate) file: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
    /// What it means, if anything.
    pub(crate) vector: Result<Vector, VectorError>,
}

/// A case that was run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Which.
    pub(crate) case: Case,
    /// What came of it; none if the file is no vector.
    pub(crate) outcome: Option<Outcome>,
    /// How long it took; varies from run to run.
    pub(crate) elapsed: Duration,
}

/// All cases of a folder, run on one plugin.
#[derive(Debug)]
pub(crate) struct Run {
    /// Name and version of the plugin.
    pub(crate) plugin: String,
    /// Its name alone.
    pub(crate) name: String,
    /// Its digest, `sha256:…`.
    pub(crate) digest: String,
    /// In the order of their names.
    pub(crate) ran: Vec<Ran>,
    /// Which rules they show; only all vectors together say what is not shown.
    pub(crate) coverage: Coverage,
    /// Whether these are all vectors of the folder.
    pub(crate) is_whole: bool,
}

impl Case {
    /// Reads one file.
    pub(crate) fn read(path: &Path) -> Result<Self, Stopped> {
        let file = shown(path);
        let bytes = fs::read(path).map_err(|error| format!("`{file}`: {error}"))?;
        Ok(Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            vector: Vector::read(&bytes),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            path: path.to_owned(),
            file,
        })
    }

    /// Reads the files of a folder whose name holds `filter`.
    pub(crate) fn read_all(folder: &Path, filter: Option<&str>) -> Result<Vec<Self>, Stopped> {
        if !folder.is_dir() {
            let folder = shown(folder);
            return Err(format!(
                "there are no vectors: `{folder}` is not there\nhelp: plugins/README.md#vectors says what a vector is; `leasehold plugin new` makes some"
            )
            .into());
        }
        let cases: Vec<Self> =
            json_files(folder)?.iter().map(|path| Self::read(path)).collect::<Result<_, _>>()?;
        let wanted = |case: &Self| filter.is_none_or(|filter| case.name.contains(filter));
        let cases: Vec<Self> = cases.into_iter().filter(wanted).collect();
        if cases.is_empty() {
            let folder = shown(folder);
            return Err(match filter {
                Some(filter) => format!("no vector in `{folder}` has `{filter}` in its name"),
                None => format!("there is no vector in `{folder}`"),
            }
            .into());
        }
        Ok(cases)
    }

    /// Its file.
    pub(crate) fn source(&self) -> SourceText<'_> {
        SourceText { name: &self.file, text: &self.text }
    }

    /// Runs it. A budget of the project counts where the vector has none of its own.
    fn run(self, plugin: &Plugin, fuel_max: Option<u64>) -> Ran {
        let Ok(vector) = &self.vector else {
            return Ran { case: self, outcome: None, elapsed: Duration::ZERO };
        };
        let stopwatch = Stopwatch::start();
        let evaluation = plugin.evaluate_blocking(vector.grant(), vector.settings());
        let elapsed = stopwatch.elapsed();
        let mut outcome = vector.outcome(plugin, evaluation);
        if vector.expect().fuel_max.is_none() {
            outcome.hold_to(fuel_max);
        }
        Ran { case: self, outcome: Some(outcome), elapsed }
    }
}

impl Ran {
    /// As the vector says.
    pub(crate) fn passed(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.passed)
    }

    /// What is not as the vector says.
    pub(crate) fn differences(&self) -> Vec<Difference> {
        match (&self.outcome, &self.case.vector) {
            (Some(outcome), _) => outcome.details.clone(),
            (None, Err(error)) => vec![Difference {
                what: "vector",
                expected: "one that can be run".into(),
                actual: error.to_string().lines().next().unwrap_or_default().to_owned(),
                at: Vec::new(),
            }],
            (None, Ok(_)) => Vec::new(),
        }
    }

    /// A server of this speed would have stopped it.
    pub(crate) fn is_slow(&self) -> bool {
        self.elapsed > Limits::default().wall_time
    }

    /// Patches that were tried and cured what they are for.
    fn cured(&self) -> usize {
        self.outcome.as_ref().map_or(0, |outcome| outcome.cured)
    }

    fn fuel(&self) -> u64 {
        self.outcome.as_ref().map_or(0, |outcome| outcome.evaluation.fuel_used)
    }
}

impl Run {
    /// Runs cases.
    pub(crate) fn of(cases: Vec<Case>, plugin: &Plugin, fuel_max: Option<u64>) -> Self {
        let ran: Vec<Ran> = cases.into_iter().map(|case| case.run(plugin, fuel_max)).collect();
        let manifest = plugin.manifest();
        Self {
            plugin: show::name_of(manifest),
            name: manifest.name.clone(),
            digest: format!("sha256:{}", plugin.digest()),
            coverage: Coverage::of(&manifest.rules, &ran),
            is_whole: true,
            ran,
        }
    }

    /// Cases that are not as their vectors say.
    pub(crate) fn failed(&self) -> usize {
        self.ran.iter().filter(|ran| !ran.passed()).count()
    }

    /// The differences as places in the vectors, for code scanning.
    pub(crate) fn sarif_entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for ran in &self.ran {
            for difference in ran.differences() {
                let vector = ran.case.vector.as_ref().ok();
                let place = difference.at.first().and_then(|at| vector?.place(at));
                entries.push(Entry {
                    rule: format!("vector/{}", difference.what),
                    level: Level::Error,
                    message: format!("{}: {difference}", ran.case.name),
                    file: ran.case.file.clone(),
                    region: place.map(|place| ran.case.source().region(&place)),
                });
            }
        }
        entries
    }
}
