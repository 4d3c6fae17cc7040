//! How far a statement's resources and conditions reach. Says "any" for every spelling of it, since a rule that
//! looks for `*` alone is walked around with `arn:aws:s3:::*`; says "narrow" only where a condition certainly bounds
//! which resources are meant. What follows from it is for the guardrail.

use crate::{Condition, Statement, pattern};

/// Whether a pattern names no resource in particular: `*`, `arn:*`, or an ARN whose last part is wildcards only.
pub fn is_any(resource: &str) -> bool {
    // Most name something, and end in its name.
    if !resource.ends_with(is_wild) {
        return false;
    }
    if pattern::is_everything(resource) {
        return true;
    }
    // `arn:aws:s3:::*`, `arn:aws:s3:::*/*`
    if let Some(name) = last_part(resource) {
        return only_wildcards(name);
    }
    // `arn:*`, `arn:aws:s3:*`: a `*` also takes the colons that are not written.
    let last = resource.rsplit(':').next().unwrap_or_default();
    resource.starts_with(['a', 'A', '*']) && only_wildcards(last)
}

/// Whether a pattern takes every role of an account, or more.
pub fn is_any_role(resource: &str) -> bool {
    is_any(resource)
        || last_part(resource).is_some_and(|name| {
            // `role/*`, `role*`, `rol*`, `role/**`
            name.split_once('*').is_some_and(|(before, after)| {
                "role/".starts_with(before) && (after.is_empty() || only_wildcards(after))
            })
        })
}

/// The part of an ARN that names the resource.
pub fn last_part(resource: &str) -> Option<&str> {
    resource.splitn(6, ':').nth(5)
}

fn only_wildcards(text: &str) -> bool {
    text.chars().all(is_wild) && text.contains('*')
}

/// What is in a pattern that names nothing.
fn is_wild(character: char) -> bool {
    matches!(character, '*' | '?' | '/' | ':')
}

/// Whether the statement names no resource in particular.
pub fn reaches_any(statement: &Statement) -> bool {
    !statement.not_resources.is_empty() || statement.resources.iter().any(|one| is_any(one))
}

/// Whether a condition certainly bounds which resources are meant: by a tag of theirs, or by their boundary.
pub fn is_narrowed(statement: &Statement) -> bool {
    statement.conditions.iter().any(narrows)
}

fn narrows(condition: &Condition) -> bool {
    const POSITIVE: [&str; 5] =
        ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"];
    let positive = || POSITIVE.iter().any(|one| one.eq_ignore_ascii_case(&condition.operator));
    (is_on_tag(&condition.key) || condition.is_on("iam:PermissionsBoundary"))
        && positive()
        && !condition.values.is_empty()
        && !condition.values.iter().any(|value| pattern::is_everything(value))
}

/// Whether a key is a tag of the resource: `aws:ResourceTag/…`, `ec2:ResourceTag/…`.
fn is_on_tag(key: &str) -> bool {
    const TAG: &[u8] = b":ResourceTag/";
    key.as_bytes().windows(TAG.len()).any(|part| part.eq_ignore_ascii_case(TAG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_resource_has_many_spellings() {
        for any in [
            "*",
            "**",
            "arn:*",
            "arn:aws:*",
            "arn:aws:s3:::*",
            "arn:*:s3:::*/*",
            "arn:aws:s3:*",
            "*:*",
        ] {
            assert!(is_any(any), "{any}");
        }
        for named in [
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b*",
            "arn:aws:dynamodb:*:*:table/*",
            "arn:aws:iam::1:user/x",
        ] {
            assert!(!is_any(named), "{named}");
        }
    }

    #[test]
    fn any_role_has_more() {
        for any in [
            "*",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::1:role*",
            "arn:aws:iam::1:*",
        ] {
            assert!(is_any_role(any), "{any}");
        }
        for named in [
            "arn:aws:iam::1:role/app-*",
            "arn:aws:iam::1:role/app/*",
            "arn:aws:iam::1:user/*",
            "arn:aws:iam::1:role/a",
        ] {
            assert!(!is_any_role(named), "{named}");
        }
    }

    #[test]
    fn only_conditions_on_the_resource_narrow() {
        let condition = |operator: &str, key: &str, value: &str| Condition {
            operator: operator.to_owned(),
            key: key.to_owned(),
            values: vec![value.to_owned()],
        };
        assert!(narrows(&condition("StringEquals", "aws:ResourceTag/team", "data")));
        assert!(narrows(&condition(
            "ArnEquals",
            "iam:PermissionsBoundary",
            "arn:aws:iam::1:policy/b"
        )));
        assert!(!narrows(&condition("StringLike", "aws:ResourceTag/team", "*")));
        assert!(!narrows(&condition("StringNotEquals", "aws:ResourceTag/team", "data")));
        assert!(!narrows(&condition("StringEqualsIfExists", "aws:ResourceTag/team", "data")));
        assert!(!narrows(&condition("StringEquals", "aws:RequestedRegion", "eu-west-1")));
    }
}
