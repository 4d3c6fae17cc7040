//! `tags-and-names`: a role's name, the IAM path of its users and their tags must follow the house rules. It looks at
//! no document, and finds nothing without settings. Findings are about the role as a whole: they have no place.
//! Rules are in [`rules`], what they look for in `names` and `tags`.

mod names;
pub mod rules;
mod settings;
mod tags;

use leasehold_guardrail_sdk::rules::worst_first;
use leasehold_guardrail_sdk::{
    Failure, Grant, Guardrail, Manifest, Report, SettingsIssue, Verdict, report,
};

pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct TagsAndNames;

impl Guardrail for TagsAndNames {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "tags-and-names",
                env!("CARGO_PKG_VERSION"),
                "refuses roles whose name, path or tags do not follow the house rules",
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
        let mut findings = names::findings(role, settings);
        findings.extend(tags::findings(role, settings));
        Ok(report(worst_first(findings)))
    }
}

leasehold_guardrail_sdk::export!(TagsAndNames);

#[cfg(test)]
mod tests;
