//! Every bound on a guest, in one value without optional members, so that nothing can be forgotten.
//! Never holds a policy decision. The figures are the defaults of the host's design (guardrails study, 3.3);
//! [`crate::engine`] and [`crate::evaluate`] apply them.

use std::time::Duration;

/// What one guest, and all guests together, may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a component as given.
    pub component_bytes: usize,
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
    /// Bytes of one linear memory.
    pub memory_bytes: usize,
    /// Bytes of stack for WebAssembly frames.
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A Python plugin has 18.5 MiB.
            component_bytes: 24 << 20,
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
