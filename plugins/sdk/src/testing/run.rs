//! One evaluation, as strict with the guardrail as the host is: what the host would refuse fails the test here.
//! It cannot tell what only the component shows: fuel, memory, and the real catalogue.

use crate::{Failure, Finding, Grant, Guardrail, Manifest, Report, pointer, runtime};

/// Judges a grant by a guardrail with these settings, a JSON text. Panics where the host would refuse the guardrail or
/// its answer: a manifest without rules, a rule that is not declared, a pointer to nowhere, a patch that is no list.
///
/// ```
/// # use leasehold_guardrail_sdk::{Failure, Finding, Grant, Guardrail, Manifest, NoSettings, Report, Rule, Severity, report};
/// use leasehold_guardrail_sdk::Verdict;
/// use leasehold_guardrail_sdk::testing::{grant_of, run};
/// # struct Nothing;
/// # impl Guardrail for Nothing {
/// #     type Settings = NoSettings;
/// #     fn describe() -> Manifest {
/// #         Manifest::new("nothing", "1.0.0", "finds nothing").with_rule(Rule::new("r", "A rule", Severity::Low))
/// #     }
/// #     fn evaluate(_: &Grant, _: &NoSettings) -> Result<Report, Failure> { Ok(report(Vec::new())) }
/// # }
///
/// let grant = grant_of(r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#);
/// assert_eq!(run::<Nothing>(&grant, "{}").unwrap().verdict, Verdict::Pass);
/// ```
pub fn run<G: Guardrail>(grant: &Grant, settings: &str) -> Result<Report, Failure> {
    let manifest = G::describe();
    assert!(!manifest.rules.is_empty(), "`describe` declares no rules");
    let issues = runtime::check_settings::<G>(settings);
    if !issues.is_empty() {
        return Err(Failure::Settings(issues));
    }
    let report = runtime::evaluate::<G>(grant, settings)?;
    for finding in &report.findings {
        check(finding, &manifest, grant);
    }
    Ok(report)
}

fn check(finding: &Finding, manifest: &Manifest, grant: &Grant) {
    let declared = manifest.rules.iter().any(|rule| rule.id == finding.rule);
    assert!(declared, "`{}` is reported and not declared in `describe`", finding.rule);
    let document = |index: u32| usize::try_from(index).ok().and_then(|at| grant.documents.get(at));
    for at in &finding.at {
        let value = document(at.document).and_then(|one| pointer::value_at(&one.json, &at.pointer));
        assert!(value.is_some(), "`{}` points to nowhere: {at:?}", finding.rule);
    }
    if let Some(patch) = &finding.patch {
        assert!(document(patch.document).is_some(), "`{}` patches nothing", finding.rule);
        let list = pointer::value_at(&patch.operations, "").is_some_and(|value| value.is_array());
        assert!(list, "the patch of `{}` is no list: {}", finding.rule, patch.operations);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{action, allow, grant};
    use crate::{Location, NoSettings, Rule, Severity};

    use super::*;

    struct Undeclared;

    impl Guardrail for Undeclared {
        type Settings = NoSettings;

        fn describe() -> Manifest {
            let rule = Rule::new("declared", "A rule", Severity::Low);
            Manifest::new("undeclared", "1.0.0", "reports what it did not declare").with_rule(rule)
        }

        fn evaluate(grant: &Grant, _settings: &NoSettings) -> Result<Report, Failure> {
            let action = grant.allowed_actions().next().map(|one| one.action.text.clone());
            let finding = match action.as_deref() {
                Some("a:undeclared") => Finding::new("other", Severity::Low, "no"),
                _ => Finding::new("declared", Severity::Low, "no")
                    .at(Location { document: 0, pointer: "/Statement/7".to_owned() }),
            };
            Ok(crate::report(vec![finding]))
        }
    }

    #[test]
    #[should_panic(expected = "`other` is reported and not declared")]
    fn an_undeclared_rule_fails_the_test() {
        let _ = run::<Undeclared>(&grant(vec![allow([action("a:undeclared")], ["*"])]), "");
    }

    #[test]
    #[should_panic(expected = "`declared` points to nowhere")]
    fn a_pointer_to_nowhere_fails_the_test() {
        let _ = run::<Undeclared>(&grant(vec![allow([action("a:b")], ["*"])]), "");
    }

    #[test]
    fn settings_that_do_not_fit_are_the_failure_that_they_are_in_the_host() {
        let failed = run::<Undeclared>(&grant(Vec::new()), r#"{"a":1}"#);
        assert!(matches!(failed, Err(Failure::Settings(issues)) if issues.len() == 1));
    }
}
