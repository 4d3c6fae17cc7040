//! `deny-list`: refuses grants that give what an operator's lists name: actions, services, resources, managed policies;
//! and what is not confined to the allowed Regions. It denies nothing by itself: without settings everything passes.
//! Rules are in [`rules`], one file for each kind of list; README.md explains them.

mod actions;
mod policies;
mod regions;
mod resources;
pub mod rules;
mod settings;

use leasehold_guardrail_sdk::rules::worst_first;
use leasehold_guardrail_sdk::{
    Denies, Document, Failure, Grant, Guardrail, Manifest, Report, SettingsIssue, Statement, report,
};

pub use settings::Settings;

/// The guardrail.
#[derive(Debug)]
pub struct DenyList;

impl Guardrail for DenyList {
    type Settings = Settings;

    fn describe() -> Manifest {
        let manifest = Manifest {
            authors: vec!["Leasehold".to_owned()],
            license: Some("Apache-2.0 OR MIT".to_owned()),
            ..Manifest::new(
                "deny-list",
                env!("CARGO_PKG_VERSION"),
                "refuses grants of listed actions, services, resources and policies, and of other Regions",
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
        Ok(judge(grant, settings, &actions::known))
    }
}

leasehold_guardrail_sdk::export!(DenyList);

/// All findings. `known` asks the catalogue.
fn judge(grant: &Grant, settings: &Settings, known: &actions::Known) -> Report {
    let refusals = Denies::of(grant);
    let mut findings = policies::findings(grant, settings);
    findings.extend(resources::assumed(grant, settings));
    for allowed in allowing(grant) {
        findings.extend(actions::findings(&allowed, &refusals, settings, known));
        findings.extend(resources::findings(&allowed, &refusals, settings));
        findings.extend(regions::finding(&allowed, &refusals, settings));
    }
    report(worst_first(findings))
}

/// An Allow statement and where it stands.
#[derive(Debug, Clone, Copy)]
struct Allowing<'a> {
    index: u32,
    document: &'a Document,
    statement: &'a Statement,
}

fn allowing(grant: &Grant) -> impl Iterator<Item = Allowing<'_>> {
    grant.indexed_documents().flat_map(|(index, document)| {
        let allows = document.statements.iter().filter(|statement| statement.allows());
        allows.map(move |statement| Allowing { index, document, statement })
    })
}

#[cfg(test)]
mod tests;
