//! What is asked of a guest: judge a grant, check settings, describe itself; each on a fresh instance.
//! Nothing survives a call: a guest that crashes or is stopped costs its own call a [`Failure`] and nobody else
//! anything. The meters are in `call`, what a guest may call in `imports`, what it may say in [`crate::report`].

use crate::bindings::{guest, types};
use crate::block_on::block_on;
use crate::call::{Call, Pace};
use crate::engine::Shared;
use crate::failure::{Failure, SettingsIssue};
use crate::grant::PreparedGrant;
use crate::limits::Limits;
use crate::load::{Entries, LoadError, Plugin};
use crate::report::Report;
use crate::state::LogLine;

/// What came of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The answer, or why there is none.
    pub result: Result<Report, Failure>,
    /// Fuel that was used; 0 where fuel is not metered.
    pub fuel_used: u64,
    /// Bytes of linear memory that the instance had in the end, which is the most it ever had: memory never shrinks.
    pub memory_bytes: usize,
    /// What the guest logged.
    pub log: Vec<LogLine>,
    /// Log lines over the limit.
    pub log_dropped: u64,
    /// Calls of host functions.
    pub host_calls: u64,
}

impl Plugin {
    /// Judges a grant, and gives way to other tasks each millisecond. Needs no particular runtime.
    pub async fn evaluate(&self, grant: &PreparedGrant, settings: &str) -> Evaluation {
        let Some(_turn) = self.loaded.host.turns.take().await else {
            return Evaluation::failed(Failure::Busy);
        };
        let mut call = match self.call(Some(grant), Pace::Yields) {
            Ok(call) => call,
            Err(failure) => return Evaluation::failed(failure),
        };
        let answer = async {
            let plugin = self.loaded.entries.yielding.instantiate_async(&mut call.store).await?;
            let guest = plugin.leasehold_guardrail_guardrail();
            guest.call_evaluate(&mut call.store, grant.guest_view(), settings).await
        }
        .await;
        self.evaluation(call, answer, grant)
    }

    /// The same on the calling thread from beginning to end, a little faster: for bulk scans on threads of their own and
    /// for callers without a runtime. Not for a worker of one: the evaluation whose turn it waits for may be a task of
    /// the same thread.
    pub fn evaluate_blocking(&self, grant: &PreparedGrant, settings: &str) -> Evaluation {
        let Some(_turn) = block_on(self.loaded.host.turns.take()) else {
            return Evaluation::failed(Failure::Busy);
        };
        let mut call = match self.call(Some(grant), Pace::Stays) {
            Ok(call) => call,
            Err(failure) => return Evaluation::failed(failure),
        };
        let answer = self.loaded.entries.blocking.instantiate(&mut call.store).and_then(|plugin| {
            let guest = plugin.leasehold_guardrail_guardrail();
            guest.call_evaluate(&mut call.store, grant.guest_view(), settings)
        });
        self.evaluation(call, answer, grant)
    }

    /// Asks the guest what a schema cannot say about settings. An empty list is good. Keeps the calling thread for as
    /// long as the guest runs and waits for nobody's turn: a few instances are kept apart for this.
    pub fn check_settings(&self, settings: &str) -> Result<Vec<SettingsIssue>, Failure> {
        let mut call = self.call(None, Pace::Stays)?;
        let answer = self.loaded.entries.blocking.instantiate(&mut call.store).and_then(|plugin| {
            let guest = plugin.leasehold_guardrail_guardrail();
            guest.call_check_settings(&mut call.store, settings)
        });
        call.outcome(answer).map(|found| issues(found, &self.limits))
    }

    /// The same for a server's worker: waits for its turn, and gives way to other tasks each millisecond.
    pub async fn check_settings_async(
        &self,
        settings: &str,
    ) -> Result<Vec<SettingsIssue>, Failure> {
        let Some(_turn) = self.loaded.host.turns.take().await else {
            return Err(Failure::Busy);
        };
        let mut call = self.call(None, Pace::Yields)?;
        let answer = async {
            let plugin = self.loaded.entries.yielding.instantiate_async(&mut call.store).await?;
            let guest = plugin.leasehold_guardrail_guardrail();
            guest.call_check_settings(&mut call.store, settings).await
        }
        .await;
        call.outcome(answer).map(|found| issues(found, &self.limits))
    }

    fn call(&self, grant: Option<&PreparedGrant>, pace: Pace) -> Result<Call<'_>, Failure> {
        Call::new(&self.loaded.host, self.limits, grant.cloned(), pace)
    }

    fn evaluation(
        &self,
        call: Call<'_>,
        answer: wasmtime::Result<Result<types::Report, guest::Failure>>,
        grant: &PreparedGrant,
    ) -> Evaluation {
        let result = call.outcome(answer).and_then(|answer| match answer {
            Ok(report) => {
                Report::accept(report, &self.loaded.manifest, grant.grant(), &self.limits)
            }
            Err(failure) => Err(own_failure(failure, &self.limits)),
        });
        let (fuel_used, state) = call.finish();
        Evaluation {
            result,
            fuel_used,
            memory_bytes: state.memory_bytes,
            log: state.log.lines,
            log_dropped: state.log.dropped,
            host_calls: state.host_calls,
        }
    }
}

impl Evaluation {
    fn failed(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            fuel_used: 0,
            memory_bytes: 0,
            log: Vec::new(),
            log_dropped: 0,
            host_calls: 0,
        }
    }
}

/// Runs `describe`. Here is also where an export of another type shows, before anything ran.
pub(crate) fn describe(host: &Shared, entries: &Entries) -> Result<types::Manifest, LoadError> {
    let failed = |failure| LoadError::Describe { call: "describe", failure };
    let mut call = Call::new(host, host.limits, None, Pace::Stays).map_err(failed)?;
    let answer = match entries.blocking.instantiate(&mut call.store) {
        Err(error) if call.is_misshapen(&error) => return Err(LoadError::Contract(error)),
        Err(error) => Err(error),
        Ok(plugin) => plugin.leasehold_guardrail_guardrail().call_describe(&mut call.store),
    };
    call.outcome(answer).map_err(failed)
}

/// Runs `settings-schema`.
pub(crate) fn settings_schema(host: &Shared, entries: &Entries) -> Result<String, LoadError> {
    let failed = |failure| LoadError::Describe { call: "settings-schema", failure };
    let mut call = Call::new(host, host.limits, None, Pace::Stays).map_err(failed)?;
    let answer = entries.blocking.instantiate(&mut call.store).and_then(|plugin| {
        plugin.leasehold_guardrail_guardrail().call_settings_schema(&mut call.store)
    });
    call.outcome(answer).map_err(failed)
}

fn own_failure(failure: guest::Failure, limits: &Limits) -> Failure {
    let cut = |text: &str| crate::report::one_line(text, limits.message_bytes);
    match failure {
        guest::Failure::Settings(found) => Failure::Settings(issues(found, limits)),
        guest::Failure::Unsupported(why) => Failure::Unsupported(cut(&why)),
        guest::Failure::Internal(why) => Failure::Internal(cut(&why)),
    }
}

fn issues(found: Vec<types::SettingsIssue>, limits: &Limits) -> Vec<SettingsIssue> {
    let cut = |text: &str| crate::report::one_line(text, limits.message_bytes);
    found
        .into_iter()
        .take(limits.findings)
        .map(|issue| SettingsIssue { pointer: cut(&issue.pointer), message: cut(&issue.message) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_may_move_between_threads() {
        fn is_send<F: Send>(_: &F) {}
        fn check(plugin: &Plugin, grant: &PreparedGrant) {
            is_send(&plugin.evaluate(grant, ""));
            is_send(&plugin.check_settings_async(""));
        }
        let _: fn(&Plugin, &PreparedGrant) = check;
    }
}
