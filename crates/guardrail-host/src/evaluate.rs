//! One call of a guest: a fresh store and instance, every meter set, the outcome named.
//! Nothing survives a call: a guest that crashes or is stopped costs its own call a [`Failure`] and nobody else
//! anything. The limits are in [`crate::limits`], what a guest may call in `imports`, what it may say in [`crate::report`].

use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline, WasmBacktrace};

use crate::bindings::{PluginPre, guest, types};
use crate::block_on::block_on;
use crate::engine::Shared;
use crate::failure::{Failure, LimitKind, SettingsIssue};
use crate::grant::PreparedGrant;
use crate::limits::Limits;
use crate::load::Plugin;
use crate::report::Report;
use crate::state::{LogLine, State};

/// The text of wasmtime's error when a guest hands over more than the host-call fuel allows; the type is private.
const OUTPUT_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";
/// So many frames of one function in a backtrace (wasmtime keeps 20) mean that it called itself for ever.
const RECURSION_FRAMES: usize = 8;

/// What came of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The answer, or why there is none.
    pub result: Result<Report, Failure>,
    /// Fuel that was used.
    pub fuel_used: u64,
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
        let Some(_slot) = slot(&self.0.host).await else {
            return Evaluation::failed(Failure::Busy);
        };
        self.judge(grant, settings).await
    }

    /// The same on the calling thread, for callers without a runtime. Not for a worker of one: the evaluation whose
    /// turn it waits for may be a task of the same thread.
    pub fn evaluate_blocking(&self, grant: &PreparedGrant, settings: &str) -> Evaluation {
        block_on(self.evaluate(grant, settings))
    }

    /// Asks the guest what a schema cannot say about settings. An empty list is good. Waits for nobody's turn: a few
    /// instances are kept apart for this.
    pub fn check_settings(&self, settings: &str) -> Result<Vec<SettingsIssue>, Failure> {
        let Some(_slot) = block_on(slot(&self.0.host)) else {
            return Err(Failure::Busy);
        };
        let mut call = Call::new(&self.0.host, None)?;
        let answer = block_on(async {
            let plugin = self.0.pre.instantiate_async(&mut call.store).await?;
            let guest = plugin.leasehold_guardrail_guardrail();
            guest.call_check_settings(&mut call.store, settings).await
        });
        call.outcome(answer).map(|found| issues(found, &self.0.host.limits))
    }

    async fn judge(&self, grant: &PreparedGrant, settings: &str) -> Evaluation {
        let loaded = &self.0;
        let mut call = match Call::new(&loaded.host, Some(grant.clone())) {
            Ok(call) => call,
            Err(failure) => return Evaluation::failed(failure),
        };
        let answer = async {
            let plugin = loaded.pre.instantiate_async(&mut call.store).await?;
            let guest = plugin.leasehold_guardrail_guardrail();
            guest.call_evaluate(&mut call.store, grant.guest_view(), settings).await
        }
        .await;
        let limits = &loaded.host.limits;
        let result = call.outcome(answer).and_then(|answer| match answer {
            Ok(report) => Report::accept(report, &loaded.manifest, grant.grant(), limits),
            Err(failure) => Err(own_failure(failure, limits)),
        });
        call.finish(result)
    }
}

impl Evaluation {
    fn failed(failure: Failure) -> Self {
        Self { result: Err(failure), fuel_used: 0, log: Vec::new(), log_dropped: 0, host_calls: 0 }
    }
}

/// Runs `describe`.
pub(crate) fn describe(host: &Shared, pre: &PluginPre<State>) -> Result<types::Manifest, Failure> {
    let mut call = Call::new(host, None)?;
    let answer = block_on(async {
        let plugin = pre.instantiate_async(&mut call.store).await?;
        plugin.leasehold_guardrail_guardrail().call_describe(&mut call.store).await
    });
    call.outcome(answer)
}

/// Runs `settings-schema`.
pub(crate) fn settings_schema(host: &Shared, pre: &PluginPre<State>) -> Result<String, Failure> {
    let mut call = Call::new(host, None)?;
    let answer = block_on(async {
        let plugin = pre.instantiate_async(&mut call.store).await?;
        plugin.leasehold_guardrail_guardrail().call_settings_schema(&mut call.store).await
    });
    call.outcome(answer)
}

/// A turn among the concurrent evaluations; `None` when too many wait already.
async fn slot(host: &Shared) -> Option<tokio::sync::SemaphorePermit<'_>> {
    if let Ok(permit) = host.slots.try_acquire() {
        return Some(permit);
    }
    let _waiting = Waiting::among(&host.waiting, host.limits.waiting_evaluations)?;
    // The semaphore is never closed.
    host.slots.acquire().await.ok()
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        (before < limit).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A store with every meter set.
struct Call<'a> {
    store: Store<State>,
    limits: &'a Limits,
    _ticking: crate::tick::Running<'a>,
}

impl<'a> Call<'a> {
    fn new(host: &'a Shared, subject: Option<PreparedGrant>) -> Result<Self, Failure> {
        let limits = &host.limits;
        let mut store = Store::new(&host.engine, State::new(limits, subject));
        store.limiter(|state| state);
        store.set_fuel(limits.fuel).map_err(|error| Failure::Load(format!("{error:#}")))?;
        store.set_hostcall_fuel(limits.output_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            if store.data_mut().tick() {
                Ok(UpdateDeadline::Yield(1))
            } else {
                Ok(UpdateDeadline::Interrupt)
            }
        });
        Ok(Self { store, limits, _ticking: host.ticker.running() })
    }

    /// Names what happened.
    fn outcome<T>(&self, answer: wasmtime::Result<T>) -> Result<T, Failure> {
        answer.map_err(|error| match stopped_by(self.store.data(), &error) {
            Some(kind) => Failure::Limit { kind, limit: allowed(kind, self.limits) },
            None => self.fault(&error),
        })
    }

    /// A fault that is no limit's.
    fn fault(&self, error: &wasmtime::Error) -> Failure {
        let told = crate::report::one_line(&format!("{error:#}"), self.limits.message_bytes);
        if error.is::<PoolConcurrencyLimitError>() {
            Failure::Busy
        } else if let Some(panic) = &self.store.data().log.panic {
            Failure::Trap(panic.clone())
        } else if let Some(trap) = error.downcast_ref::<Trap>() {
            Failure::Trap(format!("{trap}"))
        } else {
            // No trap: a value that is not of the contract's shape, such as text that is not UTF-8.
            Failure::Output(told)
        }
    }

    fn finish(self, result: Result<Report, Failure>) -> Evaluation {
        let left = self.store.get_fuel().unwrap_or(0);
        let fuel_used = self.limits.fuel.saturating_sub(left);
        let state = self.store.into_data();
        Evaluation {
            result,
            fuel_used,
            log: state.log.lines,
            log_dropped: state.log.dropped,
            host_calls: state.host_calls,
        }
    }
}

/// The limit that ended a call, if one did.
fn stopped_by(state: &State, error: &wasmtime::Error) -> Option<LimitKind> {
    if let Some(kind) = state.stopped {
        return Some(kind);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Some(LimitKind::Fuel),
        Some(Trap::Interrupt) => Some(LimitKind::Time),
        Some(Trap::StackOverflow) => Some(LimitKind::Stack),
        // A guest keeps part of its stack in its memory; when that part runs out first, this is what shows.
        Some(Trap::MemoryOutOfBounds) if recursed(error) => Some(LimitKind::Stack),
        _ if error.chain().any(|cause| cause.to_string().contains(OUTPUT_EXHAUSTED)) => {
            Some(LimitKind::Output)
        }
        // A guest that was refused memory sees no error of its own: it aborts, or writes where nothing is.
        _ if state.growth_refused => Some(LimitKind::Memory),
        _ => None,
    }
}

fn recursed(error: &wasmtime::Error) -> bool {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return false;
    };
    let frames = backtrace.frames();
    frames.iter().any(|frame| {
        let same = frames.iter().filter(|other| other.func_index() == frame.func_index());
        same.count() >= RECURSION_FRAMES
    })
}

fn allowed(kind: LimitKind, limits: &Limits) -> String {
    match kind {
        LimitKind::Fuel => format!("{} units of fuel", limits.fuel),
        LimitKind::Time => format!("{} ms", limits.wall_time.as_millis()),
        LimitKind::Memory => format!("{} bytes", limits.memory_bytes),
        LimitKind::Stack => format!("{} bytes", limits.stack_bytes),
        LimitKind::Output => format!("{} bytes", limits.output_bytes),
        LimitKind::HostCalls => format!("{} calls", limits.host_calls),
    }
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
    fn a_place_in_the_queue_is_given_back() {
        let waiting = AtomicUsize::new(0);
        let first = Waiting::among(&waiting, 1);
        assert!(first.is_some());
        assert!(Waiting::among(&waiting, 1).is_none());
        drop(first);
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
        assert!(Waiting::among(&waiting, 1).is_some());
    }

    #[test]
    fn an_evaluation_may_move_between_threads() {
        fn is_send<F: Send>(_: &F) {}
        fn check(plugin: &Plugin, grant: &PreparedGrant) {
            is_send(&plugin.evaluate(grant, ""));
        }
        let _: fn(&Plugin, &PreparedGrant) = check;
    }

    #[test]
    fn every_limit_says_its_unit() {
        let limits = Limits::default();
        assert_eq!(allowed(LimitKind::Time, &limits), "250 ms");
        assert_eq!(allowed(LimitKind::Fuel, &limits), "200000000 units of fuel");
        assert_eq!(allowed(LimitKind::HostCalls, &limits), "10000 calls");
    }
}
