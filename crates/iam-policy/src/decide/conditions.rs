//! Tests one condition against what is known of a request.
//! Operators of one key are taken as IAM takes them: values joined by or, negated ones by "none of them"; an absent key
//! fails a positive test and passes a negated one. Comparing single values is in `values`.

use super::values;
use super::variables::Pattern;
use super::{Context, Truth};
use crate::document::{Condition, Operator, SetPrefix, Test, Version};

pub(super) fn holds(language: Version, condition: &Condition, context: &Context) -> Truth {
    let Some(operator) = Operator::parse(&condition.operator) else {
        return Truth::Unknown;
    };
    let Some(found) = context.values(&condition.key) else {
        return Truth::Unknown;
    };
    if operator.test == Test::Null {
        return null(condition, found);
    }
    if found.is_empty() {
        return absent(operator);
    }
    let matches = |value: &String| matches_any(language, condition, operator.test, value, context);
    // Without a prefix a key has one value; for several, a positive test takes any and a negated one all.
    let every = match operator.set {
        Some(SetPrefix::ForAllValues) => true,
        Some(SetPrefix::ForAnyValue) => false,
        None => operator.test.is_negated(),
    };
    if every {
        found.iter().map(matches).fold(Truth::Yes, Truth::and)
    } else {
        found.iter().map(matches).fold(Truth::No, Truth::or)
    }
}

/// `Null: true` asks for absence, `Null: false` for presence.
fn null(condition: &Condition, found: &[String]) -> Truth {
    let asked = |value: &String| value.eq_ignore_ascii_case("true") == found.is_empty();
    Truth::from_bool(condition.values.iter().any(asked))
}

fn absent(operator: Operator) -> Truth {
    let holds = match operator.set {
        Some(SetPrefix::ForAllValues) => true,
        Some(SetPrefix::ForAnyValue) => operator.if_exists,
        None => operator.if_exists || operator.test.is_negated(),
    };
    Truth::from_bool(holds)
}

/// Whether a value in the request passes the test against the values in the policy.
fn matches_any(
    language: Version,
    condition: &Condition,
    test: Test,
    found: &str,
    context: &Context,
) -> Truth {
    let mut truth = Truth::No;
    let mut cap = Truth::Yes;
    for wanted in &condition.values {
        truth = truth.or(one(language, test, wanted, found, context));
        // As for resources: a variable without a value may void the statement.
        if wanted.contains("${") && Pattern::fill(wanted, language, context).is_void() {
            cap = Truth::Unknown;
        }
    }
    let truth = if test.is_negated() { truth.not() } else { truth };
    truth.and(cap)
}

/// The positive comparison of one value in the policy with one in the request.
fn one(language: Version, test: Test, wanted: &str, found: &str, context: &Context) -> Truth {
    match test {
        Test::StringEquals | Test::StringNotEquals => {
            Pattern::equals(wanted, language, context, found, Case::Kept)
        }
        Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase => {
            Pattern::equals(wanted, language, context, found, Case::Folded)
        }
        Test::StringLike | Test::StringNotLike => {
            Pattern::fill(wanted, language, context).matches_like(found)
        }
        // ArnEquals and ArnLike are one operator (IAM User Guide, ARN condition operators).
        Test::ArnEquals | Test::ArnNotEquals | Test::ArnLike | Test::ArnNotLike => {
            Pattern::fill(wanted, language, context).matches_arn(found)
        }
        Test::Bool => Truth::from_bool(wanted.eq_ignore_ascii_case(found)),
        Test::BinaryEquals => Truth::from_bool(wanted == found),
        Test::Null => Truth::Unknown,
        Test::IpAddress | Test::NotIpAddress => values::address(wanted, found),
        Test::NumericEquals
        | Test::NumericNotEquals
        | Test::NumericLessThan
        | Test::NumericLessThanEquals
        | Test::NumericGreaterThan
        | Test::NumericGreaterThanEquals => values::number(test, wanted, found),
        Test::DateEquals
        | Test::DateNotEquals
        | Test::DateLessThan
        | Test::DateLessThanEquals
        | Test::DateGreaterThan
        | Test::DateGreaterThanEquals => values::date(test, wanted, found),
    }
}

/// Whether letters that differ in case are the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Folded,
}
