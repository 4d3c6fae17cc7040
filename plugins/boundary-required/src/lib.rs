//! `boundary-required`: users of a role must have a permissions boundary, and so must whatever the role creates or
//! changes in IAM; a boundary must not be taken off or rewritten. It does not read what a boundary permits.
//! Rules are in [`rules`], those about the role in `own`, those about what it may do in `granted`.

mod granted;
mod own;
pub mod rules;
mod settings;

use leasehold_guardrail_sdk::rules::worst_first;
use leasehold_guardrail_sdk::{Failure, Grant, Guardrail, Manifest, Report, SettingsIssue, report};

pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct BoundaryRequired;

impl Guardrail for BoundaryRequired {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "boundary-required",
                env!("CARGO_PKG_VERSION"),
                "refuses roles without a permissions boundary, and what would get around one",
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
        let mut findings = own::finding(grant, settings).into_iter().collect::<Vec<_>>();
        findings.extend(granted::findings(grant, settings));
        Ok(report(worst_first(findings)))
    }
}

leasehold_guardrail_sdk::export!(BoundaryRequired);

#[cfg(test)]
mod tests;
