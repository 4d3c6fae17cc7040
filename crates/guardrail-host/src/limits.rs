//! Every bound on a guest, in one value without optional members, so that nothing can be forgotten.
//! Never holds a policy decision. The figures are the defaults and the hard tops of the host's design (guardrails study,
//! 3.3); [`crate::compile`], [`crate::engine`] and [`crate::evaluate`] apply them.

use std::time::Duration;

/// What one guest, and all guests together, may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a component as given.
    pub component_bytes: usize,
    /// CPU time that compiling one component may take, in a side process.
    pub compile_time: Duration,
    /// Bytes of memory that compiling one component may take, in a side process.
    pub compile_memory_bytes: u64,
    /// Core instances in one component.
    pub core_instances: u32,
    /// Linear memories in one component.
    pub memories: u32,
    /// Tables in one component.
    pub tables: u32,
    /// Elements in one table.
    pub table_elements: usize,
    /// Fuel of one call: the contract, the same on every machine.
    pub fuel: u64,
    /// Time that a guest may run in one call: the safety net under `fuel`. Waiting for its turn does not count.
    pub wall_time: Duration,
    /// Bytes of linear memory of one instance, over all its memories.
    pub memory_bytes: usize,
    /// Bytes of stack for WebAssembly frames. The same for all guests of a host.
    pub stack_bytes: usize,
    /// Bytes that a guest may hand to the host at one crossing.
    pub output_bytes: usize,
    /// Findings of one report; more are cut, and a finding of the host says so.
    pub findings: usize,
    /// Places of one finding; more are cut.
    pub locations: usize,
    /// Bytes of one text in a finding; longer ones are cut.
    pub message_bytes: usize,
    /// Bytes of one patch; a longer one is left out.
    pub patch_bytes: usize,
    /// Log lines kept of one call; more are dropped and counted.
    pub log_lines: usize,
    /// Bytes of one log line; longer ones are cut.
    pub log_line_bytes: usize,
    /// Calls of host functions in one call.
    pub host_calls: u64,
    /// Names that one `expand` gives back.
    pub expand_names: u32,
    /// Evaluations that run at the same time.
    pub concurrent_evaluations: u32,
    /// Evaluations that wait for their turn; one more is told `busy`.
    pub waiting_evaluations: usize,
}

/// Does something with each limit, so that none can be forgotten.
macro_rules! each_limit {
    ($do:ident) => {
        $do!(
            component_bytes,
            compile_time,
            compile_memory_bytes,
            core_instances,
            memories,
            tables,
            table_elements,
            fuel,
            wall_time,
            memory_bytes,
            stack_bytes,
            output_bytes,
            findings,
            locations,
            message_bytes,
            patch_bytes,
            log_lines,
            log_line_bytes,
            host_calls,
            expand_names,
            concurrent_evaluations,
            waiting_evaluations
        )
    };
}

/// A limit above what any host may allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the limit `{name}` is {wanted}, more than the {top} that any host may allow")]
pub struct LimitTooHigh {
    /// Its name, as in [`Limits`].
    pub name: &'static str,
    /// What was asked for, with its unit where it is a time.
    pub wanted: String,
    /// The hard top, written in the same way.
    pub top: String,
}

impl Limits {
    /// The hard tops: what an operator may raise each limit to. Where the design names none, what protects the host is
    /// the default itself.
    pub fn tops() -> Self {
        Self {
            component_bytes: 32 << 20,
            compile_time: Duration::from_mins(2),
            compile_memory_bytes: 2 << 30,
            core_instances: 200,
            memories: 8,
            tables: 64,
            table_elements: 100_000,
            fuel: 2_000_000_000,
            wall_time: Duration::from_secs(2),
            memory_bytes: 256 << 20,
            output_bytes: 8 << 20,
            // Each memory takes 6 GiB of addresses with its guards; 47 bits hold twice as many as eight for each.
            concurrent_evaluations: 1_024,
            waiting_evaluations: 16_384,
            ..Self::default()
        }
    }

    /// These limits, if none is above its hard top.
    ///
    /// # Errors
    ///
    /// The first that is.
    pub fn checked(self) -> Result<Self, LimitTooHigh> {
        let tops = Self::tops();
        macro_rules! check {
            ($($name:ident),*) => {
                $(if self.$name > tops.$name {
                    return Err(LimitTooHigh {
                        name: stringify!($name),
                        wanted: format!("{:?}", self.$name),
                        top: format!("{:?}", tops.$name),
                    });
                })*
            };
        }
        each_limit!(check);
        Ok(self)
    }

    /// Each limit that is not as it is by default, with its value.
    pub fn changed(&self) -> Vec<(&'static str, String)> {
        let default = Self::default();
        let mut changed = Vec::new();
        macro_rules! compare {
            ($($name:ident),*) => {
                $(if self.$name != default.$name {
                    changed.push((stringify!($name), format!("{:?}", self.$name)));
                })*
            };
        }
        each_limit!(compare);
        changed
    }

    /// The lower of the two, limit by limit: a guardrail may lower what its host allows, and raise nothing.
    #[must_use]
    pub fn at_most(self, other: &Self) -> Self {
        macro_rules! lower {
            ($($name:ident),*) => { Self { $($name: self.$name.min(other.$name)),* } };
        }
        each_limit!(lower)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A Python plugin has 18.5 MiB.
            component_bytes: 24 << 20,
            // Python's takes 18 s and 448 MiB.
            compile_time: Duration::from_mins(1),
            compile_memory_bytes: 1 << 30,
            core_instances: 64,
            memories: 4,
            tables: 16,
            table_elements: 20_000,
            // Eight times what the Rego plugin needs for 6 KiB of policy.
            fuel: 200_000_000,
            wall_time: Duration::from_millis(250),
            memory_bytes: 64 << 20,
            stack_bytes: 512 << 10,
            output_bytes: 2 << 20,
            findings: 200,
            locations: 64,
            message_bytes: 2 << 10,
            patch_bytes: 64 << 10,
            log_lines: 100,
            log_line_bytes: 1 << 10,
            host_calls: 10_000,
            expand_names: 500,
            concurrent_evaluations: 64,
            // Sixteen turns of 64: at the longest wall time that is four seconds of waiting.
            waiting_evaluations: 1_024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_below_the_tops_and_a_limit_above_its_top_is_named() {
        assert_eq!(Limits::default().checked(), Ok(Limits::default()));
        assert_eq!(Limits::tops().checked(), Ok(Limits::tops()));
        let high = Limits { wall_time: Duration::from_secs(3), ..Limits::default() };
        assert_eq!(
            high.checked().unwrap_err().to_string(),
            "the limit `wall_time` is 3s, more than the 2s that any host may allow"
        );
        let high = Limits { compile_memory_bytes: 3 << 30, ..Limits::default() };
        assert_eq!(high.checked().unwrap_err().name, "compile_memory_bytes");
        assert_eq!(Limits::default().changed(), []);
        let other =
            Limits { wall_time: Duration::from_millis(5), findings: 1, ..Limits::default() };
        assert_eq!(
            other.changed(),
            [("wall_time", "5ms".to_owned()), ("findings", "1".to_owned())]
        );
    }

    #[test]
    fn a_guardrail_may_lower_a_limit_and_raise_none() {
        let wanted = Limits { fuel: 5, memory_bytes: usize::MAX, ..Limits::default() };
        let given = Limits::default().at_most(&wanted);
        assert_eq!(given, Limits { fuel: 5, ..Limits::default() });
    }
}
