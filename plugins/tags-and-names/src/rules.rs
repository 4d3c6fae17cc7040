//! The rules: ids that stay the same over versions, titles, severities. README.md explains them one by one.

use leasehold_guardrail_sdk::{KnownRule, Severity};

const NAMES: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html";
const TAGS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html";

/// The role's name fits no pattern.
pub const ROLE_NAME: KnownRule = KnownRule {
    id: "role-name",
    title: "The role's name does not follow the pattern",
    severity: Severity::High,
    docs_url: NAMES,
};
/// The path of its users fits no pattern.
pub const USER_PATH: KnownRule = KnownRule {
    id: "user-path",
    title: "The IAM path of its users does not follow the pattern",
    severity: Severity::High,
    docs_url: NAMES,
};
/// A tag is not there.
pub const MISSING_TAG: KnownRule = KnownRule {
    id: "missing-tag",
    title: "A tag that every role must have is missing",
    severity: Severity::High,
    docs_url: TAGS,
};
/// A tag has another value than it may.
pub const TAG_VALUE: KnownRule = KnownRule {
    id: "tag-value",
    title: "A tag has a value that it may not have",
    severity: Severity::High,
    docs_url: TAGS,
};
/// A tag that is not of the list.
pub const TAG_NOT_ALLOWED: KnownRule = KnownRule {
    id: "tag-not-allowed",
    title: "A tag that no role may have",
    severity: Severity::Medium,
    docs_url: TAGS,
};

/// All rules.
pub static ALL: &[KnownRule] = &[ROLE_NAME, USER_PATH, MISSING_TAG, TAG_VALUE, TAG_NOT_ALLOWED];
