//! The store of one call, with every meter set, and the name of what ended it. A guest that is stopped is told apart
//! from one that crashed by what the host saw itself, never by what the guest says. [`crate::evaluate`] makes the
//! calls; the limits are in [`crate::limits`].

use wasmtime::{PoolConcurrencyLimitError, Store, Trap, UpdateDeadline, WasmBacktrace};

use crate::engine::Shared;
use crate::failure::{Failure, LimitKind};
use crate::grant::PreparedGrant;
use crate::limits::Limits;
use crate::state::State;

/// The text of wasmtime's error when a guest hands over more than the host-call fuel allows; the type is private.
const OUTPUT_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";
/// So many frames of one function in a backtrace (wasmtime keeps 20) mean that it called itself for ever.
const RECURSION_FRAMES: usize = 8;

/// What a guest does at each tick while it may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Gives way to other tasks: for `…_async` calls.
    Yields,
    /// Keeps its thread: for the others.
    Stays,
}

/// A store with every meter set.
pub(crate) struct Call<'a> {
    pub(crate) store: Store<State>,
    limits: Limits,
    metered: bool,
    _ticking: crate::tick::Running<'a>,
}

impl<'a> Call<'a> {
    /// `limits` are those of the call, none above the host's.
    pub(crate) fn new(
        host: &'a Shared,
        limits: Limits,
        subject: Option<PreparedGrant>,
        pace: Pace,
    ) -> Result<Self, Failure> {
        let metered = host.meters.fuel();
        let mut store = Store::new(&host.engine, State::new(&limits, subject, metered));
        store.limiter(|state| state);
        if metered {
            store.set_fuel(limits.fuel).map_err(|error| Failure::Load(format!("{error:#}")))?;
        }
        store.set_hostcall_fuel(limits.output_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| {
            Ok(match (store.data_mut().tick(), pace) {
                (true, Pace::Yields) => UpdateDeadline::Yield(1),
                (true, Pace::Stays) => UpdateDeadline::Continue(1),
                (false, _) => UpdateDeadline::Interrupt,
            })
        });
        Ok(Self { store, limits, metered, _ticking: host.ticker.running() })
    }

    /// Names what happened.
    pub(crate) fn outcome<T>(&self, answer: wasmtime::Result<T>) -> Result<T, Failure> {
        answer.map_err(|error| match stopped_by(self.store.data(), &error) {
            Some(kind) => Failure::Limit { kind, limit: allowed(kind, &self.limits) },
            None => self.fault(&error),
        })
    }

    /// Whether an instance could not be made since the component is not of the contract's shape: neither a limit, nor a
    /// crash, nor a lack of room.
    pub(crate) fn is_misshapen(&self, error: &wasmtime::Error) -> bool {
        stopped_by(self.store.data(), error).is_none()
            && !error.is::<Trap>()
            && !error.is::<PoolConcurrencyLimitError>()
            && !is_of_the_system(error)
    }

    /// A fault that is no limit's.
    fn fault(&self, error: &wasmtime::Error) -> Failure {
        let told = crate::report::one_line(&format!("{error:#}"), self.limits.message_bytes);
        if error.is::<PoolConcurrencyLimitError>() {
            Failure::Busy
        } else if is_of_the_system(error) {
            Failure::Load(told)
        } else if let Some(panic) = &self.store.data().log.panic {
            Failure::Trap(panic.clone())
        } else if let Some(trap) = error.downcast_ref::<Trap>() {
            Failure::Trap(format!("{trap}"))
        } else {
            // No trap: a value that is not of the contract's shape, such as text that is not UTF-8.
            Failure::Output(told)
        }
    }

    /// The fuel that was used, and what else the call left.
    pub(crate) fn finish(self) -> (u64, State) {
        let left = if self.metered { self.store.get_fuel().unwrap_or(0) } else { self.limits.fuel };
        (self.limits.fuel.saturating_sub(left), self.store.into_data())
    }
}

/// Whether the system refused what an instance needs, such as addresses for its memory: nothing that the guest did.
fn is_of_the_system(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.is::<rustix::io::Errno>() || cause.is::<std::io::Error>())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_says_its_unit() {
        let limits = Limits::default();
        assert_eq!(allowed(LimitKind::Time, &limits), "250 ms");
        assert_eq!(allowed(LimitKind::Fuel, &limits), "200000000 units of fuel");
        assert_eq!(allowed(LimitKind::HostCalls, &limits), "10000 calls");
    }
}
