//! The policy that is part of the component. `leasehold plugin build` appends its text to the component's memory and
//! says where in [`SLOT`], which it finds by its mark; as built from source, the slot is empty. It never writes.

use leasehold_guardrail_sdk::serde_json::{self, Value};
use leasehold_guardrail_sdk::{Manifest, Rule, Severity};
use serde::Deserialize;

use crate::policy::Module;

/// Where the embedded text is: address and length in the memory of the component. Little endian, as the memory is.
#[derive(Debug)]
#[repr(C)]
pub struct Slot {
    mark: [u8; 24],
    address: u32,
    length: u32,
}

/// Filled in by `leasehold plugin build` (`crates/guardrail-kit/src/build/rego/embed.rs`).
#[used]
pub static SLOT: Slot = Slot { mark: *b"leasehold:embedded-rego\0", address: 0, length: 0 };

/// A policy with all that the contract wants to know of a guardrail.
#[derive(Debug, Deserialize)]
pub(crate) struct Embedded {
    name: String,
    version: String,
    summary: String,
    pub(crate) rules: Vec<EmbeddedRule>,
    pub(crate) modules: Vec<Module>,
    pub(crate) data: Value,
    pub(crate) settings_schema: Value,
}

/// A rule that the policy can report.
#[derive(Debug, Deserialize)]
pub(crate) struct EmbeddedRule {
    pub(crate) id: String,
    title: String,
    pub(crate) severity: String,
}

impl Embedded {
    /// The policy in the component, if there is one. Text that is not what `build` wrote reads as a guardrail without
    /// rules, which no host takes.
    pub(crate) fn read() -> Option<Self> {
        let text = text()?;
        Some(serde_json::from_slice(text).unwrap_or_else(|error| Self {
            name: "rego".to_owned(),
            version: "0".to_owned(),
            summary: format!("the policy in the component cannot be read: {error}"),
            rules: Vec::new(),
            modules: Vec::new(),
            data: Value::Null,
            settings_schema: Value::Bool(false),
        }))
    }

    pub(crate) fn manifest(&self) -> Manifest {
        let rule = |rule: &EmbeddedRule| {
            let severity = crate::output::severity(&rule.severity).unwrap_or(Severity::High);
            Rule::new(&rule.id, &rule.title, severity)
        };
        Manifest {
            rules: self.rules.iter().map(rule).collect(),
            ..Manifest::new(&self.name, &self.version, &self.summary)
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn text() -> Option<&'static [u8]> {
    // Volatile, since what is in the slot when it is compiled is not what is in it when it runs.
    let read = |field: &u32| {
        // SAFETY: a reference to a field of a static can be read.
        unsafe { std::ptr::read_volatile(field) }
    };
    let (address, length) = (read(&SLOT.address), read(&SLOT.length));
    if length == 0 {
        return None;
    }
    let (address, length) = (usize::try_from(address).ok()?, usize::try_from(length).ok()?);
    // SAFETY: `build` placed so many bytes there, at the end of the initial memory, where nothing else ever is: the
    // allocator takes only pages that it grew itself. Nobody writes to them.
    Some(unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address), length) })
}

/// Outside a component there is none.
#[cfg(not(target_arch = "wasm32"))]
fn text() -> Option<&'static [u8]> {
    None
}
