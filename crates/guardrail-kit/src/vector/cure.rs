//! Proves that a patch does what it promises: it applies to its document, what comes of it is a policy, and the finding
//! is gone when that is judged. Changes no file: the patched grant lives for one evaluation. Applying is in [`super::patch`].

use std::sync::Arc;

use guardrail_host::report::OUTPUT_CUT;
use guardrail_host::{Finding, Plugin, PreparedGrant, Report};
use iam_policy::Document;

use super::patch;

/// What a patch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cure {
    /// The finding is gone.
    Cured,
    /// It is not, and why.
    NotCured(String),
}

/// Tries the patch of a finding of `report`; `None` when it has none.
pub(crate) fn cure(
    grant: &PreparedGrant,
    settings: &str,
    plugin: &Plugin,
    report: &Report,
    finding: &Finding,
) -> Option<Cure> {
    let patch = finding.patch.as_ref()?;
    let patched = match patched(grant, patch.document, &patch.operations) {
        Ok(patched) => patched,
        Err(why) => return Some(Cure::NotCured(why)),
    };
    let after = plugin.evaluate_blocking(&patched, settings);
    Some(match after.result {
        Err(failure) => Cure::NotCured(format!(
            "a patch whose document cannot be judged: {}: {failure}",
            failure.code()
        )),
        Ok(after) if is_gone(report, &after, finding) => Cure::Cured,
        Ok(_) => Cure::NotCured("a patch after which it is still found".into()),
    })
}

/// Fewer findings of its rule: one that only moved is still there, and what stood below it may stand in its place now.
/// Of a report that was cut nobody knows how many there were, so there the place has to do.
fn is_gone(before: &Report, after: &Report, finding: &Finding) -> bool {
    let count =
        |report: &Report| report.findings.iter().filter(|one| one.rule == finding.rule).count();
    let at_place = |one: &Finding| one.rule == finding.rule && one.at.first() == finding.at.first();
    let was_cut = before.findings.iter().any(|one| one.rule == OUTPUT_CUT);
    count(after) < count(before) || (was_cut && !after.findings.iter().any(at_place))
}

fn patched(grant: &PreparedGrant, index: usize, operations: &str) -> Result<PreparedGrant, String> {
    let mut grant = grant.grant().clone();
    let Some(place) = grant.documents.get_mut(index) else {
        return Err(format!("a patch of document {index}, which is not there"));
    };
    let mut value = place.document.json().value().clone();
    patch::apply(&mut value, operations)?;
    let document = Document::parse(&value.to_string()).map_err(|problems| {
        let problems = problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>();
        format!("a patch that makes no policy of it: {}", problems.join("; "))
    })?;
    place.document = Arc::new(document);
    Ok(PreparedGrant::new(grant))
}

#[cfg(test)]
mod tests {
    use guardrail_host::{Grant, Location, Severity, Verdict};

    use super::*;

    fn grant() -> PreparedGrant {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3:GetObject"],"Resource":"*"}]}"#;
        PreparedGrant::new(Grant::bare(vec![Arc::new(Document::parse(text).unwrap())], 0))
    }

    #[test]
    fn a_patch_changes_its_document_only_in_the_copy() {
        let before = grant();
        let operations = r#"[{"op":"remove","path":"/Statement/0/Action/0"}]"#;
        let after = patched(&before, 0, operations).unwrap();
        assert_eq!(after.grant().documents[0].document.statements()[0].actions.len(), 1);
        assert_eq!(before.grant().documents[0].document.statements()[0].actions.len(), 2);
    }

    #[test]
    fn a_patch_that_cannot_be_used_says_why() {
        for (index, operations, told) in [
            (1, "[]", "document 1, which is not there"),
            (0, "{}", "no RFC 6902 patch"),
            (0, r#"[{"op":"remove","path":"/Statement/4"}]"#, "does not apply"),
            (0, r#"[{"op":"remove","path":"/Statement"}]"#, "makes no policy of it"),
        ] {
            let why = patched(&grant(), index, operations).unwrap_err();
            assert!(why.contains(told), "{why}");
        }
    }

    fn report(findings: &[(&str, &str)]) -> Report {
        let finding = |(rule, pointer): &(&str, &str)| Finding {
            rule: (*rule).into(),
            severity: Severity::High,
            message: String::new(),
            at: vec![Location { document: 0, pointer: (*pointer).into() }],
            remediation: None,
            docs_url: None,
            patch: None,
            extras: Vec::new(),
        };
        Report { verdict: Verdict::Warn, findings: findings.iter().map(finding).collect() }
    }

    #[test]
    fn a_finding_that_a_patch_only_moves_is_not_cured() {
        let before = report(&[("a", "/0"), ("a", "/1")]);
        let first = &before.findings[0];
        for (after, gone) in [
            (report(&[]), true),
            // What was second stands first now.
            (report(&[("a", "/0")]), true),
            (report(&[("a", "/1"), ("a", "/2")]), false),
            (report(&[("a", "/0"), ("a", "/2")]), false),
            (report(&[("b", "/0")]), true),
        ] {
            assert_eq!(is_gone(&before, &after, first), gone, "{after:?}");
        }
    }

    #[test]
    fn where_findings_were_cut_one_is_gone_when_none_is_at_its_place() {
        let before = report(&[("a", "/0"), ("a", "/1"), (OUTPUT_CUT, "")]);
        let first = &before.findings[0];
        // What was cut before is seen now.
        let moved_up = report(&[("a", "/1"), ("a", "/2"), (OUTPUT_CUT, "")]);
        assert!(is_gone(&before, &moved_up, first));
        let still = report(&[("a", "/0"), ("a", "/2"), (OUTPUT_CUT, "")]);
        assert!(!is_gone(&before, &still, first));
    }
}
