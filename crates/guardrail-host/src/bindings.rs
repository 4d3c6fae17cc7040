//! The contract as Rust types, generated from the WIT text that plugins are built against.
//! Nothing is written by hand here, and nothing outside this crate sees these types: [`crate::grant`] and
//! [`crate::report`] are their plain mirrors, `convert` goes between the two.

wasmtime::component::bindgen!({
    path: "../../plugins/wit",
    world: "plugin",
    imports: { default: trappable },
    exports: { default: async },
});

/// The same with calls that keep their thread; the types are those above.
pub(crate) mod blocking {
    wasmtime::component::bindgen!({
        path: "../../plugins/wit",
        world: "plugin",
        imports: { default: trappable },
        with: {
            "leasehold:guardrail/types": super::leasehold::guardrail::types,
            "leasehold:guardrail/catalogue": super::leasehold::guardrail::catalogue,
            "leasehold:guardrail/analysis": super::leasehold::guardrail::analysis,
            "leasehold:guardrail/log": super::leasehold::guardrail::log,
        },
    });
}

pub(crate) use self::exports::leasehold::guardrail::guardrail as guest;
pub(crate) use self::leasehold::guardrail::{analysis, catalogue, log, types};
