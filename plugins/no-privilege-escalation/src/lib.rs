//! `no-privilege-escalation`: refuses grants by which the holder can gain permissions. Judges all documents together,
//! under the boundary, by asking the host's own evaluator about each action that a way needs; it trusts no spelling.
//! Rules are in [`rules`]; `reached` asks, `open` names the ways of the list, `beyond` those that need the grant itself.

mod beyond;
mod open;
mod probe;
mod reached;
pub mod rules;
mod settings;

use leasehold_guardrail_sdk::analysis::{self, Outcome};
use leasehold_guardrail_sdk::rules::worst_first;
use leasehold_guardrail_sdk::{
    Failure, Grant, Guardrail, Manifest, Property, Report, SettingsIssue, report,
};

use reached::{Decided, Reached};
pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct NoPrivilegeEscalation;

impl Guardrail for NoPrivilegeEscalation {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "no-privilege-escalation",
                env!("CARGO_PKG_VERSION"),
                "refuses grants by which the holder can gain permissions",
            )
        };
        manifest.with_rules(rules::ALL)
    }

    fn settings_schema() -> String {
        settings::SCHEMA.to_owned()
    }

    fn check_settings(settings: &Settings) -> Vec<SettingsIssue> {
        settings.issues()
    }

    fn evaluate(grant: &Grant, settings: &Settings) -> Result<Report, Failure> {
        Ok(judge(grant, settings, &decided_by_host))
    }
}

leasehold_guardrail_sdk::export!(NoPrivilegeEscalation);

/// All findings; `decide` answers for one action on one resource.
fn judge(grant: &Grant, settings: &Settings, decide: &reached::Decide) -> Report {
    let reached = Reached::new(grant, settings, decide);
    let mut findings = open::findings(&reached);
    findings.extend(beyond::findings(&reached));
    report(worst_first(findings))
}

/// Asks the host, which knows the documents and the boundary. What the context does not name counts as unknown.
fn decided_by_host(action: &str, resource: &str, context: &[(&str, &str)]) -> Decided {
    let context: Vec<Property> = context
        .iter()
        .map(|(name, value)| Property { name: (*name).to_owned(), value: (*value).to_owned() })
        .collect();
    let decision = analysis::decide(action, resource, &context);
    match decision.outcome {
        Outcome::Allowed => Decided::Allowed(decision.statements),
        Outcome::ConditionallyAllowed => Decided::UnderConditions(decision.statements),
        Outcome::ExplicitlyDenied | Outcome::NotAllowed => Decided::Refused,
    }
}

#[cfg(test)]
mod tests;
