//! A made-up grant, judged twice without settings: a guardrail must not fail on what people write, and the same input
//! must give the same answer. A guardrail that cannot work without settings is not tried.

use guardrail_host::{Evaluation, Limits, Plugin};

use super::Problem;
use crate::cli::Stopped;
use crate::figures;
use crate::policies;

/// The sizes that are tried: what the host's figures are given for, and the longest inline policy of a role
/// (IAM quotas: 10,240 characters).
const SIZES: [usize; 3] = [2_048, 6_144, 10_240];
/// A share of a limit above which larger documents of users may not pass any more.
const NEAR: u64 = 2;

/// What came of one made-up grant.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Bytes of the document.
    pub(crate) bytes: usize,
    /// The first answer.
    pub(crate) evaluation: Evaluation,
    /// Whether the second was the same.
    same: bool,
}

impl Trial {
    /// Tries all sizes.
    pub(crate) fn all(plugin: &Plugin) -> Result<Vec<Self>, Stopped> {
        SIZES.iter().map(|bytes| Self::of(plugin, *bytes)).collect()
    }

    fn of(plugin: &Plugin, bytes: usize) -> Result<Self, Stopped> {
        let grant = policies::grant_of(bytes)?;
        let evaluation = plugin.evaluate_blocking(&grant, "");
        let same = plugin.evaluate_blocking(&grant, "") == evaluation;
        Ok(Self { bytes, evaluation, same })
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let size = figures::bytes(self.bytes);
        let mut found = Vec::new();
        match &self.evaluation.result {
            // Its own word: it needs settings, or another kind of grant.
            Err(guardrail_host::Failure::Settings(_) | guardrail_host::Failure::Unsupported(_)) => {
                return found;
            }
            Err(failure) => found.push(Problem::error(
                format!("it fails on a document of {size}: {}: {failure}", failure.code()),
                "`leasehold plugin bench` and `run` show where the work goes",
            )),
            Ok(_) => {}
        }
        if !self.same {
            found.push(Problem::error(
                format!("it answers otherwise when it is asked again about a document of {size}"),
                "order what comes out of hash maps, and keep no addresses or counters in answers",
            ));
        }
        let limits = Limits::default();
        let memory = u64::try_from(self.evaluation.memory_bytes).unwrap_or(u64::MAX);
        let most_memory = u64::try_from(limits.memory_bytes).unwrap_or(u64::MAX);
        for (what, used, limit) in
            [("fuel", self.evaluation.fuel_used, limits.fuel), ("memory", memory, most_memory)]
        {
            if self.evaluation.result.is_ok() && used.saturating_mul(NEAR) > limit {
                found.push(Problem::warning(
                    format!(
                        "it uses {} of its {what} on a document of {size}",
                        figures::share(used, limit)
                    ),
                    "larger roles may be refused for it: `leasehold plugin bench` shows how it grows",
                ));
            }
        }
        found
    }
}
