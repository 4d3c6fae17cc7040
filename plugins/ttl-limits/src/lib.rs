//! `ttl-limits`: the more a role grants, the shorter its credentials must live; by credential type, by what is granted,
//! by action. It sets no TTL: it compares the longest that the role can hand out.
//! Rules are in [`rules`], limits in [`Settings`], what is compared in `judge`.

mod judge;
pub mod rules;
mod settings;

use leasehold_guardrail_sdk::{
    Failure, Grant, Guardrail, Manifest, Report, SettingsIssue, Verdict, report,
};

pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct TtlLimits;

impl Guardrail for TtlLimits {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "ttl-limits",
                env!("CARGO_PKG_VERSION"),
                "refuses roles whose credentials live longer than what they grant allows",
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
        let Some(role) = &grant.role else {
            let reason = "there is no role around the document".to_owned();
            return Ok(Report { verdict: Verdict::Skip(reason), findings: Vec::new() });
        };
        Ok(report(judge::findings(grant, role, settings)))
    }
}

leasehold_guardrail_sdk::export!(TtlLimits);

#[cfg(test)]
mod tests;
