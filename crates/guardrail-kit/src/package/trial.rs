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

    /// What is not as one test says; `None` when it was stopped.
    fn of(
        &mut self,
        plugin: &Plugin,
        test: &[u8],
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Option<Vec<String>> {
        let vector = match Vector::read(test) {
            Ok(vector) => vector,
            Err(error) => return Some(vec![error.to_string()]),
        };
        let outcome = vector.run_while(plugin, goes_on)?;
        self.most_fuel = self.most_fuel.max(outcome.evaluation.fuel_used);
        Some(outcome.differences)
    }
}

/// Runs the tests one after the other, as long as `goes_on` says so before each test and each patch that is tried. One
/// that it stopped does not count. Blocks the thread.
pub fn run(plugin: &Plugin, tests: &[TestFile], mut goes_on: impl FnMut() -> bool) -> Trial {
    let mut trial = Trial::default();
    for TestFile { name, bytes } in tests {
        let why = if goes_on() { trial.of(plugin, bytes, &mut goes_on) } else { None };
        let Some(why) = why else {
            trial.is_cut = true;
            break;
        };
        trial.cases = trial.cases.saturating_add(1);
        if !why.is_empty() {
            trial.failed.push(FailedCase { name: name.clone(), why });
        }
    }
    trial
}
