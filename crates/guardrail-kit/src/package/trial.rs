//! The tests of a package, run: the same on the author's machine and at upload. Judges no rule; a test that cannot be
//! read has failed. How long it may take is for the caller to say.

use guardrail_host::Plugin;

use super::TestFile;
use crate::vector::Vector;

/// How the tests went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// How many were run.
    pub cases: usize,
    /// Most fuel that one evaluation took.
    pub most_fuel: u64,
    /// Those that failed.
    pub failed: Vec<FailedCase>,
    /// Whether it was stopped before the last.
    pub is_cut: bool,
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCase {
    /// Its file.
    pub name: String,
    /// What is not as it says, a line each.
    pub why: Vec<String>,
}

impl Trial {
    /// Whether every test passed.
    pub fn is_good(&self) -> bool {
        self.failed.is_empty() && !self.is_cut
    }
}

/// Runs the tests one after the other, as long as `goes_on` says so. Blocks the thread.
pub fn run(plugin: &Plugin, tests: &[TestFile], mut goes_on: impl FnMut() -> bool) -> Trial {
    let mut trial = Trial::default();
    for TestFile { name, bytes } in tests {
        if !goes_on() {
            trial.is_cut = true;
            break;
        }
        trial.cases = trial.cases.saturating_add(1);
        let why = match Vector::read(bytes) {
            Ok(vector) => {
                let outcome = vector.run(plugin);
                trial.most_fuel = trial.most_fuel.max(outcome.evaluation.fuel_used);
                if outcome.passed {
                    continue;
                }
                outcome.differences
            }
            Err(error) => vec![error.to_string()],
        };
        trial.failed.push(FailedCase { name: name.clone(), why });
    }
    trial
}
