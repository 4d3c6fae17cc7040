//! What guardrails may use: each call of one, and all calls of one request together. The operator's to set, up to tops
//! that nothing is above; a guardrail may lower its own part and raise none. What a limit means is the host's.

use std::time::Duration;

use guardrail_host::Limits;

/// What guardrails may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of one call, and of the host as a whole.
    pub limits: Limits,
    /// For all guardrails of one request together; what has not answered by then has failed.
    pub total_time: Duration,
}

impl Bounds {
    /// The highest [`Self::total_time`] (guardrails study, 3.3).
    pub const MOST_TOTAL_TIME: Duration = Duration::from_secs(5);

    /// What is not as it is by default, in words: another verdict may come of it.
    pub(super) fn changed(&self) -> Option<String> {
        let Self { limits, total_time } = self;
        let mut changed: Vec<String> =
            limits.changed().into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        if *total_time != Self::default().total_time {
            changed.push(format!("total_time {total_time:?}"));
        }
        (!changed.is_empty()).then(|| format!("limits {}", changed.join(" ")))
    }
}

impl Default for Bounds {
    fn default() -> Self {
        // 1 s: four calls at their longest (guardrails study, 3.3).
        Self { limits: Limits::default(), total_time: Duration::from_secs(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_by_default_is_told_in_words() {
        assert_eq!(Bounds::default().changed(), None);
        let bounds = Bounds {
            limits: Limits { fuel: 5, ..Limits::default() },
            total_time: Duration::from_millis(1_500),
        };
        assert_eq!(bounds.changed().unwrap(), "limits fuel 5 total_time 1.5s");
    }
}
