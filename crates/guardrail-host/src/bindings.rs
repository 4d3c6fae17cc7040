//! The contract as Rust types, generated from the WIT text that plugins are built against.
//! Nothing is written by hand here, and nothing outside this crate sees these types: [`crate::grant`] and
//! [`crate::report`] are their plain mirrors, `convert` goes between the two.

wasmtime::component::bindgen!({
    path: "../../plugins/wit",
    world: "plugin",
    imports: { default: trappable },
    exports: { default: async },
});

pub(crate) use self::exports::leasehold::guardrail::guardrail as guest;
pub(crate) use self::leasehold::guardrail::{analysis, catalogue, log, types};
