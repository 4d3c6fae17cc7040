//! `least-privilege`: refuses grants that give more than a task needs. Judges all documents of a role together, from
//! the host's annotations alone: it needs no look-ups. It never changes a document and knows no account.
//! Rules are in [`rules`], how a grant is read in `view`, one file per kind of check in `checks`.

mod checks;
pub mod rules;
mod settings;
mod view;

use leasehold_guardrail_sdk::rules::worst_first;
use leasehold_guardrail_sdk::{Failure, Grant, Guardrail, Manifest, Report, SettingsIssue, report};

pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct LeastPrivilege;

impl Guardrail for LeastPrivilege {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "least-privilege",
                env!("CARGO_PKG_VERSION"),
                "refuses grants that give more than a task needs",
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
        let view = view::View::new(grant, settings);
        let mut findings = checks::run(&view);
        findings.retain_mut(|finding| {
            if let Some(severity) = settings.severity(&finding.rule) {
                finding.severity = severity;
            }
            settings.is_on(&finding.rule)
        });
        // Within a severity as found: in the order of the rules, then of the documents.
        Ok(report(worst_first(findings)))
    }
}

leasehold_guardrail_sdk::export!(LeastPrivilege);
