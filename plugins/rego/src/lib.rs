//! `rego`: judges grants by a policy in Rego. The policy is in the settings, or it was put into the component itself
//! by `leasehold plugin build`, which then has a name, rules and settings of its own. It decides nothing itself.
//!
//! | file | holds |
//! |---|---|
//! | [`embedded`] | the policy that is part of the component, if there is one |
//! | `policy` | where the policy comes from, and what is wrong with it |
//! | `engine` | regorus with our functions, and its errors with their lines |
//! | `input` | a grant as the policy sees it |
//! | `output` | what the policy found, as findings of declared rules |
//!
//! README.md says what a policy gets and gives.

pub mod embedded;
mod engine;
mod input;
mod output;
mod policy;

use leasehold_guardrail_sdk::serde_json::Value;
use leasehold_guardrail_sdk::{
    Failure, Grant, Guardrail, Manifest, Report, Rule, SettingsIssue, Severity,
};

use embedded::Embedded;
use policy::Policy;

/// The guardrail.
#[derive(Debug)]
pub struct Rego;

/// What entries of `deny` are reported as, where the policy comes from the settings.
pub(crate) const DENY: &str = "deny";
/// What entries of `warn` are reported as, where the policy comes from the settings.
pub(crate) const WARN: &str = "warn";

impl Guardrail for Rego {
    type Settings = Value;

    fn describe() -> Manifest {
        Embedded::read().map_or_else(built_in, |own| own.manifest())
    }

    fn settings_schema() -> String {
        match Embedded::read() {
            Some(own) => own.settings_schema.to_string(),
            None => include_str!("settings.schema.json").to_owned(),
        }
    }

    fn check_settings(settings: &Value) -> Vec<SettingsIssue> {
        match Policy::of(settings) {
            Ok(policy) => policy.issues(),
            Err(issue) => vec![issue],
        }
    }

    fn evaluate(grant: &Grant, settings: &Value) -> Result<Report, Failure> {
        let policy = Policy::of(settings).map_err(|issue| Failure::Settings(vec![issue]))?;
        policy.judge(grant)
    }
}

/// Rules are declared once and for all, and no policy is known yet: so there is one for each way to object.
fn built_in() -> Manifest {
    let manifest = Manifest {
        authors: vec!["Leasehold".to_owned()],
        license: Some("Apache-2.0 OR MIT".to_owned()),
        ..Manifest::new(
            "rego",
            env!("CARGO_PKG_VERSION"),
            "judges grants by a policy in Rego, which is its settings",
        )
    };
    manifest
        .with_rule(Rule::new(DENY, "The policy's `deny` objects", Severity::High))
        .with_rule(Rule::new(WARN, "The policy's `warn` objects", Severity::Medium))
}

leasehold_guardrail_sdk::export!(Rego);

#[cfg(test)]
mod tests;
