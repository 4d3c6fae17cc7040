//! `mfa-or-source-conditions`: what is sensitive must be bounded by MFA or by where the caller is; and conditions that
//! only look as if they did so are found. It knows no network of anybody's: networks are settings.
//! Rules are in [`rules`]; `sensitive` says what is asked, `guards` what counts as a bound, `traps` what does not.

mod cidr;
mod guards;
pub mod rules;
mod sensitive;
mod settings;
mod traps;

use leasehold_guardrail_sdk::rules::worst_first;
use leasehold_guardrail_sdk::{Failure, Grant, Guardrail, Manifest, Report, SettingsIssue, report};

pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct MfaOrSourceConditions;

impl Guardrail for MfaOrSourceConditions {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "mfa-or-source-conditions",
                env!("CARGO_PKG_VERSION"),
                "refuses sensitive actions that neither MFA nor the network of the caller bounds",
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
        let mut findings = sensitive::findings(grant, settings);
        findings.extend(traps::findings(grant, settings));
        Ok(report(worst_first(findings)))
    }
}

leasehold_guardrail_sdk::export!(MfaOrSourceConditions);

#[cfg(test)]
mod tests;
