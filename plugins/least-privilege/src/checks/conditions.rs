//! `for-all-values-allow` and `forgeable-condition`: conditions of an Allow that do not hold anyone back.
//! Conditions of a Deny are not looked at: there the same forms err on the side of refusing.
//! Which keys have one value is from the list of global condition keys in the IAM User Guide.

use leasehold_guardrail_sdk::serde_json::json;
use leasehold_guardrail_sdk::{Condition, Finding, Location, Patch, Statement};

use crate::rules;
use crate::view::View;

/// Keys with one value; those that end in `/` have a name after it.
const SINGLE_VALUED: [&str; 24] = [
    "aws:CurrentTime",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:userid",
    "aws:username",
    "iam:PassedToService",
    "iam:PermissionsBoundary",
];
/// Keys whose value the caller writes into the request.
const FORGEABLE: [&str; 2] = ["aws:Referer", "aws:UserAgent"];

/// Every condition that does not hold.
pub(super) fn without_force(view: &View<'_>) -> Vec<Finding> {
    let allowing = view
        .by_statement()
        .filter_map(|entries| entries.first())
        .map(|entry| (entry.allowed.document_index, entry.allowed.statement))
        .chain(view.negated());
    allowing
        .flat_map(|(document, statement)| {
            statement
                .conditions
                .iter()
                .filter_map(move |one| in_condition(document, statement, one))
        })
        .collect()
}

fn in_condition(document: u32, statement: &Statement, condition: &Condition) -> Option<Finding> {
    let place = || Location { document, pointer: statement.condition_pointer(condition) };
    let key = condition.key.as_str();
    if condition.test().for_all && is_single_valued(key) && !must_be_there(statement, key) {
        let message = format!(
            "`{}` on `{key}` also holds for a request without that key",
            condition.operator
        );
        let patch = Patch::on(document).with_condition(statement, "Null", key, &json!("false"));
        let help = "leave `ForAllValues:` out, or ask for the key with `Null`: `false`";
        let finding = rules::FOR_ALL_VALUES_ALLOW.finding(message).at(place());
        return Some(finding.remediation(help).patch(patch));
    }
    let forgeable = FORGEABLE.iter().any(|one| condition.is_on(one));
    forgeable.then(|| {
        let message = format!("the caller writes `{key}` as it likes, so the condition holds nobody back");
        rules::FORGEABLE_CONDITION.finding(message).at(place()).remediation(
            "use a key that AWS sets, such as `aws:SourceVpce`, `aws:SourceIp` or `aws:PrincipalTag/…`",
        )
    })
}

fn is_single_valued(key: &str) -> bool {
    SINGLE_VALUED.iter().any(|known| match known.strip_suffix('/') {
        Some(_) => key
            .split_at_checked(known.len())
            .is_some_and(|(start, _)| start.eq_ignore_ascii_case(known)),
        None => known.eq_ignore_ascii_case(key),
    })
}

/// Whether another condition asks for the key.
fn must_be_there(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|one| {
        one.is_on(key) && one.test().is("Null") && one.values.iter().all(|value| value == "false")
    })
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::samples::condition;
    use leasehold_guardrail_sdk::testing::{action, allow, grant};

    use super::*;
    use crate::Settings;

    fn found(conditions: Vec<Condition>) -> Vec<Finding> {
        let mut statement = allow([action("s3:GetObject")], ["arn:aws:s3:::b/*"]);
        statement.conditions = conditions;
        let grant = grant(vec![statement]);
        let settings = Settings::default();
        without_force(&View::new(&grant, &settings))
    }

    #[test]
    fn for_all_values_on_one_value_is_found_and_its_patch_asks_for_the_key() {
        let findings =
            found(vec![condition("ForAllValues:StringEquals", "aws:PrincipalTag/team", &["a"])]);
        assert_eq!(
            findings[0].at[0].pointer,
            "/Statement/0/Condition/ForAllValues:StringEquals/aws:PrincipalTag~1team"
        );
        let patch = findings[0].patch.as_ref().unwrap();
        assert_eq!(
            patch.operations,
            r#"[{"op":"add","path":"/Statement/0/Condition/Null","value":{"aws:PrincipalTag/team":"false"}}]"#
        );
    }

    #[test]
    fn keys_with_many_values_and_keys_that_must_be_there_are_fine() {
        assert_eq!(found(vec![condition("ForAllValues:StringEquals", "aws:TagKeys", &["a"])]), []);
        assert_eq!(found(vec![condition("StringEquals", "aws:SourceVpc", &["vpc-1"])]), []);
        let asked = vec![
            condition("ForAllValues:StringEquals", "aws:SourceVpc", &["vpc-1"]),
            condition("Null", "aws:SourceVpc", &["false"]),
        ];
        assert_eq!(found(asked), []);
    }

    #[test]
    fn what_the_caller_writes_holds_nobody_back() {
        let findings = found(vec![condition("StringLike", "aws:referer", &["https://a/*"])]);
        assert_eq!(findings[0].rule, "forgeable-condition");
    }
}
