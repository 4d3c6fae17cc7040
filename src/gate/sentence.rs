//! Findings as sentences, one each, for `errors` and `warnings` of a reply. Short enough for three in the morning:
//! the rule, what is wrong, where. It adds nothing that the finding does not say.

use crate::model::Finding;

/// One sentence per finding.
pub fn sentences(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(sentence).collect()
}

/// `rule: message (place)`.
fn sentence(finding: &Finding) -> String {
    let Finding { rule, message, .. } = finding;
    match place(finding) {
        Some(place) => format!("{rule}: {message} ({place})"),
        None => format!("{rule}: {message}"),
    }
}

fn place(finding: &Finding) -> Option<String> {
    let document = match finding.source.as_str() {
        "role" => return None,
        "inline" => "inline document".to_owned(),
        "document" => "document".to_owned(),
        "boundary" => "permissions boundary".to_owned(),
        arn if arn.starts_with("arn:") => format!("policy {arn}"),
        group if group.contains('/') => format!("group policy {group}"),
        other => format!("policy {other}"),
    };
    let within = match (finding.line, finding.column) {
        _ if finding.pointer.is_empty() && finding.line.unwrap_or(1) == 1 => None,
        // A text of one line: its columns help nobody.
        (Some(1) | None, _) | (_, None) => Some(format!("at {}", finding.pointer)),
        (Some(line), Some(column)) => Some(format!("line {line}, column {column}")),
    };
    Some(within.map_or(document.clone(), |within| format!("{document}, {within}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;

    fn finding(source: &str, pointer: &str, place: Option<(u32, u32)>) -> Finding {
        Finding {
            rule: "least-privilege/service-wildcard".to_owned(),
            severity: Severity::High,
            message: "`s3:*` allows every action of s3".to_owned(),
            source: source.to_owned(),
            pointer: pointer.to_owned(),
            line: place.map(|place| place.0),
            column: place.map(|place| place.1),
            remediation: None,
            denies: true,
        }
    }

    #[test]
    fn a_sentence_says_the_rule_the_fault_and_the_place() {
        let at = "/Statement/0/Action";
        let cases = [
            (finding("inline", at, Some((6, 17))), "(inline document, line 6, column 17)"),
            (finding("inline", at, Some((1, 80))), "(inline document, at /Statement/0/Action)"),
            (finding("inline", "", Some((1, 1))), "(inline document)"),
            (
                finding("arn:aws:iam::aws:policy/X", at, Some((3, 4))),
                "(policy arn:aws:iam::aws:policy/X, line 3, column 4)",
            ),
            (finding("ops/all", "", None), "(group policy ops/all)"),
            (finding("boundary", "", None), "(permissions boundary)"),
        ];
        for (finding, place) in cases {
            let expected = format!(
                "least-privilege/service-wildcard: `s3:*` allows every action of s3 {place}"
            );
            assert_eq!(sentence(&finding), expected);
        }
        let whole = sentence(&finding("role", "", None));
        assert_eq!(whole, "least-privilege/service-wildcard: `s3:*` allows every action of s3");
    }
}
