//! What a guardrail in Rust is written with: the contract's types, a trait to implement, and small helpers.
//! It never decides anything: rules are the guardrail's. Start at [`Guardrail`]; `plugins/README.md` walks through
//! a first one, `plugins/least-privilege` is a whole one.
//!
//! ```
//! use leasehold_guardrail_sdk::{Failure, Finding, Grant, Guardrail, Manifest, Report, Rule, Severity, report};
//!
//! struct NoUsers;
//!
//! impl Guardrail for NoUsers {
//!     type Settings = leasehold_guardrail_sdk::NoSettings;
//!
//!     fn describe() -> Manifest {
//!         Manifest::new("no-users", "1.0.0", "refuses roles that may create users")
//!             .with_rule(Rule::new("creates-users", "May create IAM users", Severity::High))
//!     }
//!
//!     fn evaluate(grant: &Grant, _settings: &Self::Settings) -> Result<Report, Failure> {
//!         let mut findings = Vec::new();
//!         for allowed in grant.allowed_actions() {
//!             if allowed.matches("iam:CreateUser") {
//!                 findings.push(
//!                     Finding::new("creates-users", Severity::High, "the role may create IAM users")
//!                         .at(allowed.location())
//!                         .remediation("remove `iam:CreateUser`"),
//!                 );
//!             }
//!         }
//!         Ok(report(findings))
//!     }
//! }
//!
//! leasehold_guardrail_sdk::export!(NoUsers);
//! # fn main() {}
//! ```

mod build;
pub mod conditions;
pub mod denies;
mod edits;
pub mod grade;
pub mod log;
#[cfg(any(target_arch = "wasm32", test))]
#[doc(hidden)]
pub mod memory;
pub mod overlap;
mod patch;
pub mod pattern;
mod place;
pub mod pointer;
pub mod rules;
#[doc(hidden)]
pub mod runtime;
#[cfg(not(target_arch = "wasm32"))]
pub mod samples;
pub mod scope;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod words;

#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
#[global_allocator]
static MEMORY: memory::Blocks = memory::Blocks::new();

#[doc(hidden)]
#[expect(clippy::pedantic, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "export_guest",
        default_bindings_module: "leasehold_guardrail_sdk::bindings",
        additional_derives: [PartialEq],
        generate_unused_types: true,
    });
}

/// The host's own policy evaluator.
pub use bindings::leasehold::guardrail::analysis;
/// Look-ups in the host's table of actions.
pub use bindings::leasehold::guardrail::catalogue;
pub use bindings::leasehold::guardrail::types::{
    AccessLevels, ActionForm, ActionRef, ActionTraits, Actor, Condition, Document, Effect, Failure,
    Finding, Grant, GroupPolicy, Location, Manifest, Patch, Principal, Property, Report,
    RoleContext, Rule, SettingsIssue, Severity, Source, Statement, Trigger, Verdict,
};
pub use build::report;
pub use denies::Denies;
pub use edits::string_operator;
pub use place::AllowedAction;
pub use rules::KnownRule;
#[doc(hidden)]
pub use serde_json;

/// What a guardrail is.
pub trait Guardrail {
    /// Its settings; an empty text reads as `{}`.
    type Settings: serde::de::DeserializeOwned;

    /// What it is and what it can find. Run once, when the plugin is stored.
    fn describe() -> Manifest;

    /// JSON Schema (2020-12) of its settings. Run once, when the plugin is stored.
    fn settings_schema() -> String {
        r#"{"type":"object","additionalProperties":false}"#.to_owned()
    }

    /// What the schema cannot say of settings that have passed it.
    fn check_settings(_settings: &Self::Settings) -> Vec<SettingsIssue> {
        Vec::new()
    }

    /// Judges one grant: a pure function of its arguments and the imports.
    fn evaluate(grant: &Grant, settings: &Self::Settings) -> Result<Report, Failure>;
}

/// For guardrails without settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// Makes a [`Guardrail`] into the component's export. Once per component.
#[macro_export]
macro_rules! export {
    ($guardrail:ty) => {
        // Also where there is no component to export from, so that tests find what the build would.
        const _: fn() = $crate::runtime::is_guardrail::<$guardrail>;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings::exports::leasehold::guardrail::guardrail as contract;

            struct Exported;

            impl contract::Guest for Exported {
                fn describe() -> $crate::Manifest {
                    $crate::runtime::start();
                    <$guardrail as $crate::Guardrail>::describe()
                }

                fn settings_schema() -> String {
                    $crate::runtime::start();
                    <$guardrail as $crate::Guardrail>::settings_schema()
                }

                fn check_settings(settings: String) -> Vec<$crate::SettingsIssue> {
                    $crate::runtime::start();
                    $crate::runtime::check_settings::<$guardrail>(&settings)
                }

                fn evaluate(
                    input: $crate::Grant,
                    settings: String,
                ) -> Result<$crate::Report, $crate::Failure> {
                    $crate::runtime::start();
                    // Taking a grant apart is work for nothing: the instance ends with the call.
                    let input = core::mem::ManuallyDrop::new(input);
                    $crate::runtime::evaluate::<$guardrail>(&input, &settings)
                }
            }

    $crate::bindings::export_guest!(Exported with_types_in $crate::bindings);
        };
    };
}
