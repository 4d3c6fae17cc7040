//! What a store holds for one call: the grant that `decide` looks at, the log, and the meters that wasmtime has not.
//! Lives exactly as long as the call. [`crate::imports`] writes the log and the counters, [`crate::evaluate`] reads them.

use iam_policy::Catalogue;
use serde::Serialize;
use wasmtime::{ResourceLimiter, Result};

use crate::failure::LimitKind;
use crate::grant::PreparedGrant;
use crate::limits::Limits;

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warn,
    /// Something is wrong.
    Error,
}

/// One line that a guest logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// The text, one line, cut to the limit.
    pub message: String,
}

/// What the guest said, for the author and the operator.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<LogLine>,
    pub(crate) dropped: u64,
    /// A panic's text is kept even when the log is full.
    pub(crate) panic: Option<String>,
}

/// The store's data.
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) catalogue: &'static Catalogue,
    /// What is judged; `None` while a plugin describes itself.
    pub(crate) subject: Option<PreparedGrant>,
    pub(crate) log: Log,
    pub(crate) host_calls: u64,
    pub(crate) ticks_left: u128,
    /// Whether calls of the host cost fuel.
    pub(crate) metered: bool,
    /// Linear memory of the instance, all memories together.
    pub(crate) memory_bytes: usize,
    /// By how much it was last allowed to grow.
    last_growth: usize,
    /// The limit that the host itself enforced.
    pub(crate) stopped: Option<LimitKind>,
    /// A memory or table was not allowed to grow; the guest may have coped with it.
    pub(crate) growth_refused: bool,
}

impl State {
    pub(crate) fn new(limits: &Limits, subject: Option<PreparedGrant>, metered: bool) -> Self {
        Self {
            limits: *limits,
            catalogue: Catalogue::bundled(),
            subject,
            log: Log::default(),
            host_calls: 0,
            // A tick is a millisecond.
            ticks_left: limits.wall_time.as_millis().max(1),
            metered,
            memory_bytes: 0,
            last_growth: 0,
            stopped: None,
            growth_refused: false,
        }
    }

    /// Counts one tick that the guest ran through; `false` when it was the last.
    pub(crate) fn tick(&mut self) -> bool {
        self.ticks_left = self.ticks_left.saturating_sub(1);
        if self.ticks_left == 0 {
            self.stopped = Some(LimitKind::Time);
        }
        self.ticks_left > 0
    }

    pub(crate) fn write_log(&mut self, level: LogLevel, message: &str) {
        let message = crate::report::one_line(message, self.limits.log_line_bytes);
        if level == LogLevel::Error && message.starts_with("panicked at") {
            self.log.panic = Some(message.clone());
        }
        if self.log.lines.len() < self.limits.log_lines {
            self.log.lines.push(LogLine { level, message });
        } else {
            self.log.dropped = self.log.dropped.saturating_add(1);
        }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let growth = desired.saturating_sub(current);
        let grown = self.memory_bytes.saturating_add(growth);
        let allowed = grown <= self.limits.memory_bytes;
        if allowed {
            self.memory_bytes = grown;
            self.last_growth = growth;
        }
        self.growth_refused |= !allowed;
        Ok(allowed)
    }

    /// The guest's own maximum, or the system, refused what was allowed here.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.memory_bytes = self.memory_bytes.saturating_sub(std::mem::take(&mut self.last_growth));
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let allowed = desired <= self.limits.table_elements;
        self.growth_refused |= !allowed;
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        usize::try_from(self.limits.core_instances).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        usize::try_from(self.limits.tables).unwrap_or(usize::MAX)
    }

    fn memories(&self) -> usize {
        usize::try_from(self.limits.memories).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_counts_what_it_drops_and_still_keeps_a_panic() {
        let mut state = State::new(&Limits { log_lines: 2, ..Limits::default() }, None, true);
        for _ in 0..5 {
            state.write_log(LogLevel::Info, "again");
        }
        state.write_log(LogLevel::Error, "panicked at src/lib.rs:1:2:\nboom");
        assert_eq!(state.log.lines.len(), 2);
        assert_eq!(state.log.dropped, 4);
        assert_eq!(state.log.panic.as_deref(), Some("panicked at src/lib.rs:1:2: boom"));
    }

    #[test]
    fn all_memories_together_stay_within_the_limit() {
        let mut state = State::new(&Limits { memory_bytes: 300, ..Limits::default() }, None, true);
        assert!(state.memory_growing(0, 200, None).unwrap());
        assert!(!state.memory_growing(0, 200, None).unwrap(), "a second memory");
        assert!(state.growth_refused);
        assert!(state.memory_growing(0, 100, None).unwrap());
        assert_eq!(state.memory_bytes, 300);
    }

    #[test]
    fn memory_that_did_not_grow_in_the_end_does_not_count() {
        let mut state = State::new(&Limits { memory_bytes: 300, ..Limits::default() }, None, true);
        assert!(state.memory_growing(100, 300, None).unwrap());
        state.memory_grow_failed(wasmtime::format_err!("no room")).unwrap();
        assert_eq!(state.memory_bytes, 0);
    }
}
