//! `no-users`: refuses roles that may do what is forbidden, by default create IAM users.

use leasehold_guardrail_sdk::{
    Failure, Finding, Grant, Guardrail, Location, Manifest, Patch, Report, Rule, SettingsIssue,
    Severity, Statement, pattern, report,
};
use serde::Deserialize;

/// The guardrail.
#[derive(Debug)]
pub struct NoUsers;

/// What can be set; `settings.schema.json` says it to people and to the server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Actions that no role may have.
    forbidden: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { forbidden: vec!["iam:CreateUser".to_owned()] }
    }
}

/// The one rule. Its id stays the same over versions: bindings and exceptions name it.
const FORBIDDEN_ACTION: &str = "forbidden-action";

impl Guardrail for NoUsers {
    type Settings = Settings;

    fn describe() -> Manifest {
        Manifest::new(
            "no-users",
            env!("CARGO_PKG_VERSION"),
            "refuses roles that may do what is forbidden",
        )
        .with_rule(Rule::new(FORBIDDEN_ACTION, "May do what is forbidden", Severity::High))
    }

    fn settings_schema() -> String {
        include_str!("settings.schema.json").to_owned()
    }

    /// What the schema cannot say.
    fn check_settings(settings: &Settings) -> Vec<SettingsIssue> {
        let patterns = settings.forbidden.iter().enumerate();
        patterns
            .filter(|(_, action)| pattern::has_wildcard(action))
            .map(|(index, action)| SettingsIssue {
                pointer: format!("/forbidden/{index}"),
                message: format!("`{action}` is a pattern; name the actions"),
            })
            .collect()
    }

    fn evaluate(grant: &Grant, settings: &Settings) -> Result<Report, Failure> {
        let mut findings = Vec::new();
        for entry in grant.allowed_actions() {
            // An entry may be a pattern: `iam:Create*` may create users too.
            for action in settings.forbidden.iter().filter(|action| entry.matches(action)) {
                let mut finding = Finding::new(
                    FORBIDDEN_ACTION,
                    Severity::High,
                    format!("`{}` lets the role do `{action}`, which is forbidden", entry.action.text),
                )
                .at(entry.location())
                .remediation(format!("remove `{}`, or name the actions that are needed", entry.action.text));
                // Where the entry can go, offer that; what is left must still be a statement.
                if entry.statement.actions.len() > 1 {
                    finding = finding.patch(
                        Patch::on(entry.document_index).remove(&entry.location().pointer),
                    );
                }
                findings.push(finding);
            }
        }
        // `NotAction` grants all that it does not name.
        for (document, statement) in grant.statements().filter(|(_, one)| one.allows()) {
            for action in settings.forbidden.iter().filter(|action| leaves_in(statement, action)) {
                let pointer = statement.element_pointer("NotAction");
                findings.push(
                    Finding::new(
                        FORBIDDEN_ACTION,
                        Severity::High,
                        format!("`NotAction` lets the role do `{action}`, which is forbidden"),
                    )
                    .at(Location { document, pointer })
                    .remediation("name the actions that are needed, by `Action`"),
                );
            }
        }
        // `high` or worse refuses, the rest warns.
        Ok(report(findings))
    }
}

/// Whether it grants by `NotAction`, and the action is not among those left out.
fn leaves_in(statement: &Statement, action: &str) -> bool {
    let mut left_out = statement.not_actions.iter();
    !statement.not_actions.is_empty()
        && !left_out.any(|entry| pattern::matches_action(&entry.text, action))
}

leasehold_guardrail_sdk::export!(NoUsers);

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::Verdict;
    use leasehold_guardrail_sdk::testing::{action, allow, grant, run};

    use super::*;

    #[test]
    fn a_pattern_that_covers_a_forbidden_action_is_found() {
        let grant = grant(vec![allow([action("s3:GetObject"), action("iam:Create*")], ["*"])]);
        let report = run::<NoUsers>(&grant, "{}").unwrap();
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].at[0].pointer, "/Statement/0/Action/1");
        assert!(matches!(report.verdict, Verdict::Deny(_)));
    }

    #[test]
    fn what_is_forbidden_can_be_set() {
        let grant = grant(vec![allow([action("iam:CreateUser")], ["*"])]);
        let report = run::<NoUsers>(&grant, r#"{"forbidden":["s3:PutObject"]}"#).unwrap();
        assert_eq!(report.verdict, Verdict::Pass);
    }
}
