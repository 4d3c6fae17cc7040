//! Conditions taken apart: what an operator compares, and whether it still holds when the key is absent. That is where
//! policies go wrong: `IfExists`, negated operators and `ForAllValues` hold on a request that lacks the key.
//! Says "bounds" only where it is certain. Which keys matter is the guardrail's own.

use crate::pointer::join;
use crate::{Condition, Statement};

/// An operator taken apart: `ForAllValues:StringLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test<'a> {
    /// The comparison, such as `StringLike`.
    pub name: &'a str,
    /// `ForAllValues`: holds on no value at all.
    pub for_all: bool,
    /// `ForAnyValue`.
    pub for_any: bool,
    /// Holds on an absent key.
    pub if_exists: bool,
}

/// Comparisons that hold for listed values only.
const POSITIVE: [&str; 8] = [
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "ArnEquals",
    "ArnLike",
    "IpAddress",
    "Bool",
    "NumericEquals",
];
/// Comparisons that hold for everything but the listed values, and on an absent key.
const NEGATED: [&str; 7] = [
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "ArnNotEquals",
    "ArnNotLike",
    "NotIpAddress",
    "NumericNotEquals",
];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

impl Test<'_> {
    /// Whether it is this comparison.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it holds for the listed values only, a key without a value not among them.
    pub fn needs_a_value(&self) -> bool {
        is_one_of(self.name, &POSITIVE) && !self.if_exists && !self.for_all
    }

    /// Whether it holds for everything but the listed values.
    pub fn is_negated(&self) -> bool {
        is_one_of(self.name, &NEGATED)
    }
}

impl Condition {
    /// The operator taken apart.
    pub fn test(&self) -> Test<'_> {
        let operator = self.operator.as_str();
        let after = |prefix: &str| {
            let (start, rest) = operator.split_at_checked(prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then_some(rest)
        };
        let (for_all, for_any, rest) = match (after("ForAllValues:"), after("ForAnyValue:")) {
            (Some(rest), _) => (true, false, rest),
            (None, Some(rest)) => (false, true, rest),
            (None, None) => (false, false, operator),
        };
        let end = rest.len().saturating_sub("IfExists".len());
        match rest.split_at_checked(end) {
            Some((name, end)) if end.eq_ignore_ascii_case("IfExists") => {
                Test { name, for_all, for_any, if_exists: true }
            }
            Some(_) | None => Test { name: rest, for_all, for_any, if_exists: false },
        }
    }

    /// Whether it is about this key; case does not matter.
    pub fn is_on(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// Whether it holds only for values that are `allowed`, and not without the key. For conditions of an Allow.
    pub fn bounds(&self, key: &str, allowed: impl Fn(&str) -> bool) -> bool {
        self.is_on(key)
            && self.test().needs_a_value()
            && !self.values.is_empty()
            && self.values.iter().all(|value| allowed(value))
    }

    /// Whether it holds for everything that is not `allowed`, and without the key. For conditions of a Deny.
    pub fn spares_only(&self, key: &str, allowed: impl Fn(&str) -> bool) -> bool {
        let test = self.test();
        self.is_on(key)
            && test.is_negated()
            && !test.for_all
            // Does not hold on an absent key.
            && !test.for_any
            && !self.values.is_empty()
            && self.values.iter().all(|value| allowed(value))
    }
}

impl Statement {
    /// The first condition on a key.
    pub fn condition_on(&self, key: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.is_on(key))
    }

    /// Where a condition of this statement is.
    pub fn condition_pointer(&self, condition: &Condition) -> String {
        let operator = join(&self.element_pointer("Condition"), &condition.operator);
        join(&operator, &condition.key)
    }
}

#[cfg(test)]
mod tests {
    use crate::samples::condition;

    #[test]
    fn an_operator_is_taken_apart() {
        let seen = |operator: &str| {
            let condition = condition(operator, "k", &["v"]);
            let test = condition.test();
            (test.name.to_owned(), test.for_all, test.for_any, test.if_exists)
        };
        assert_eq!(seen("StringLike"), ("StringLike".to_owned(), false, false, false));
        assert_eq!(
            seen("ForAllValues:StringEqualsIfExists"),
            ("StringEquals".to_owned(), true, false, true)
        );
        assert_eq!(seen("foranyvalue:ArnLike"), ("ArnLike".to_owned(), false, true, false));
        assert_eq!(seen("Bool"), ("Bool".to_owned(), false, false, false));
    }

    #[test]
    fn what_holds_on_an_absent_key_bounds_nothing() {
        let bounds = |operator: &str, values: &[&str]| {
            condition(operator, "AWS:SourceVpc", values)
                .bounds("aws:SourceVpc", |value| value == "vpc-1")
        };
        assert!(bounds("StringEquals", &["vpc-1"]));
        assert!(bounds("ForAnyValue:StringEquals", &["vpc-1"]));
        for operator in
            ["StringEqualsIfExists", "ForAllValues:StringEquals", "StringNotEquals", "Null"]
        {
            assert!(!bounds(operator, &["vpc-1"]), "{operator}");
        }
        assert!(!bounds("StringEquals", &["vpc-1", "vpc-2"]));
        assert!(!bounds("StringEquals", &[]));
    }

    #[test]
    fn a_deny_spares_only_what_it_names() {
        let spares = |operator: &str| {
            condition(operator, "aws:SourceVpc", &["vpc-1"]).spares_only("aws:SourceVpc", |_| true)
        };
        assert!(spares("StringNotEquals") && spares("StringNotEqualsIfExists"));
        assert!(!spares("StringEquals"));
        assert!(!spares("ForAnyValue:StringNotEquals") && !spares("ForAllValues:StringNotEquals"));
    }

    #[test]
    fn a_pointer_to_a_condition_is_escaped() {
        let statement = crate::testing::allow([], ["*"]);
        let tag = condition("StringEquals", "aws:ResourceTag/team", &["a"]);
        assert_eq!(
            statement.condition_pointer(&tag),
            "/Statement/0/Condition/StringEquals/aws:ResourceTag~1team"
        );
    }
}
