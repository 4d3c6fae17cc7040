//! More parts of grants for tests of rules on the developer's own machine, beside those of [`crate::testing`].
//! Nothing of it is in a component.

use crate::{ActionRef, Condition, Effect, Property, RoleContext, Statement, testing};

/// A Deny statement, first of its document.
pub fn deny<const A: usize, const R: usize>(
    actions: [ActionRef; A],
    resources: [&str; R],
) -> Statement {
    Statement { effect: Effect::Deny, ..testing::allow(actions, resources) }
}

/// A condition.
pub fn condition(operator: &str, key: &str, values: &[&str]) -> Condition {
    Condition {
        operator: operator.to_owned(),
        key: key.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

/// A role `tested` of the mount `aws/`, with tags by name and value.
pub fn role(credential_type: &str, tags: &[(&str, &str)]) -> RoleContext {
    let tag = |(name, value): &(&str, &str)| Property {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    RoleContext {
        name: "tested".to_owned(),
        path: None,
        account: None,
        partition: None,
        credential_type: credential_type.to_owned(),
        mount: "aws/".to_owned(),
        tags: tags.iter().map(tag).collect(),
        max_ttl_seconds: None,
        assumes: Vec::new(),
        groups: Vec::new(),
    }
}
