//! `role-name` and `user-path`. A pattern is a text with `*`, `?` and placeholders: `{mount}` is the mount without its
//! slash, `{tag:team}` the value of the role's tag `team`. A pattern with the tag of a role that lacks it fits nothing.

use leasehold_guardrail_sdk::words::listed;
use leasehold_guardrail_sdk::{Finding, RoleContext, pattern};

use crate::rules;
use crate::settings::Settings;

/// Only users have a path.
const IAM_USER: &str = "iam_user";

/// What is wrong with the name and the path.
pub(crate) fn findings(role: &RoleContext, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !fits(&settings.names, &role.name, role) {
        let message =
            format!("the name `{}` does not follow {}", role.name, patterns(&settings.names));
        findings.push(
            rules::ROLE_NAME.finding(message).remediation("write the role under another name"),
        );
    }
    let path = role.path.as_deref().unwrap_or("/");
    if role.credential_type == IAM_USER && !fits(&settings.paths, path, role) {
        let message =
            format!("the path `{path}` of its users does not follow {}", patterns(&settings.paths));
        findings.push(rules::USER_PATH.finding(message).remediation("set `user_path` on the role"));
    }
    findings
}

/// No pattern asks for nothing.
fn fits(patterns: &[String], text: &str, role: &RoleContext) -> bool {
    let fit = |one: &String| filled(one, role).is_some_and(|one| pattern::matches(&one, text));
    patterns.is_empty() || patterns.iter().any(fit)
}

fn patterns(patterns: &[String]) -> String {
    let names: Vec<&str> = patterns.iter().map(String::as_str).collect();
    match names.len() {
        1 => format!("the pattern {}", listed(&names)),
        _ => format!("any of the patterns {}", listed(&names)),
    }
}

/// The pattern with its placeholders filled in, if the role has what they name.
fn filled(pattern: &str, role: &RoleContext) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        match name.strip_prefix("tag:") {
            Some(key) => text.push_str(&role.tags.iter().find(|tag| tag.name == key)?.value),
            None => text.push_str(role.mount.trim_end_matches('/')),
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// What is wrong with a pattern.
pub(crate) fn fault(pattern: &str) -> Option<String> {
    let mut rest = pattern;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            return Some("a `{` has no `}`".to_owned());
        };
        let known = name == "mount" || name.strip_prefix("tag:").is_some_and(|key| !key.is_empty());
        if !known {
            return Some(format!("`{{{name}}}` is neither `{{mount}}` nor `{{tag:<key>}}`"));
        }
        rest = after;
    }
    None
}
