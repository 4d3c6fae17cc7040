//! `missing-tag`, `tag-value` and `tag-not-allowed`. Keys are compared as they are written; where a tag of the role
//! differs in case alone, the finding says so, since IAM takes both for the same key.

use leasehold_guardrail_sdk::words::listed;
use leasehold_guardrail_sdk::{Finding, RoleContext, pattern};

use crate::rules;
use crate::settings::Settings;

/// What is wrong with the tags.
pub(crate) fn findings(role: &RoleContext, settings: &Settings) -> Vec<Finding> {
    if !settings.tagged.contains(&role.credential_type) {
        return Vec::new();
    }
    let field = if role.credential_type == "assumed_role" { "session_tags" } else { "iam_tags" };
    let mut findings: Vec<Finding> = settings
        .required_tags
        .iter()
        .filter_map(|(key, values)| required(role, field, key, values))
        .collect();
    let Some(allowed) = &settings.allowed_tags else {
        return findings;
    };
    let is_allowed = |key: &str| {
        settings.required_tags.contains_key(key)
            || allowed.iter().any(|one| pattern::matches(one, key))
    };
    let others = role.tags.iter().filter(|tag| !is_allowed(&tag.name));
    findings.extend(others.map(|tag| {
        let message = format!("the tag `{}` is not one that a role may have", tag.name);
        rules::TAG_NOT_ALLOWED.finding(message).remediation(format!("remove it from `{field}`"))
    }));
    findings
}

fn required(role: &RoleContext, field: &str, key: &str, values: &[String]) -> Option<Finding> {
    let listed_values = || listed(&values.iter().map(String::as_str).collect::<Vec<_>>());
    let Some(tag) = role.tags.iter().find(|tag| tag.name == *key) else {
        let spelt = role.tags.iter().find(|tag| tag.name.eq_ignore_ascii_case(key));
        let but = spelt.map_or(String::new(), |tag| format!("; it has `{}`", tag.name));
        let message = format!("the tag `{key}` is missing{but}");
        let help = format!("add `{key}` to `{field}`, with a value like {}", listed_values());
        return Some(rules::MISSING_TAG.finding(message).remediation(help));
    };
    let fits = values.iter().any(|one| pattern::matches(one, &tag.value)) && !tag.value.is_empty();
    (!fits).then(|| {
        let message = format!("the tag `{key}` is `{}`, not one of {}", tag.value, listed_values());
        rules::TAG_VALUE.finding(message).remediation(format!("set `{key}` in `{field}`"))
    })
}
