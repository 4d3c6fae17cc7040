//! Comparing numbers, points in time and addresses as IAM does.
//! A value that cannot be read makes the answer unknown: AWS's own answer to it is not documented.
//! Used by `conditions`; the address ranges also by [`crate::semantics`].

use std::cmp::Ordering;

use super::Truth;
use crate::address::Range;
use crate::date;
use crate::document::Test;

pub(super) fn number(test: Test, wanted: &str, found: &str) -> Truth {
    match (wanted.trim().parse::<f64>(), found.trim().parse::<f64>()) {
        (Ok(wanted), Ok(found)) => {
            found.partial_cmp(&wanted).map_or(Truth::Unknown, |order| compared(test, order))
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => Truth::Unknown,
    }
}

pub(super) fn date(test: Test, wanted: &str, found: &str) -> Truth {
    match (date::seconds(wanted), date::seconds(found)) {
        (Some(wanted), Some(found)) => compared(test, found.cmp(&wanted)),
        (Some(_) | None, Some(_) | None) => Truth::Unknown,
    }
}

pub(super) fn address(wanted: &str, found: &str) -> Truth {
    match (Range::parse(wanted), Range::parse(found)) {
        (Some(wanted), Some(found)) => Truth::from_bool(wanted.contains(&found)),
        (Some(_) | None, Some(_) | None) => Truth::Unknown,
    }
}

/// The positive comparison: the negated tests are turned round by the caller.
fn compared(test: Test, found_to_wanted: Ordering) -> Truth {
    Truth::from_bool(match test {
        Test::NumericLessThan | Test::DateLessThan => found_to_wanted.is_lt(),
        Test::NumericLessThanEquals | Test::DateLessThanEquals => found_to_wanted.is_le(),
        Test::NumericGreaterThan | Test::DateGreaterThan => found_to_wanted.is_gt(),
        Test::NumericGreaterThanEquals | Test::DateGreaterThanEquals => found_to_wanted.is_ge(),
        Test::NumericEquals
        | Test::NumericNotEquals
        | Test::DateEquals
        | Test::DateNotEquals
        | Test::StringEquals
        | Test::StringNotEquals
        | Test::StringEqualsIgnoreCase
        | Test::StringNotEqualsIgnoreCase
        | Test::StringLike
        | Test::StringNotLike
        | Test::Bool
        | Test::BinaryEquals
        | Test::IpAddress
        | Test::NotIpAddress
        | Test::ArnEquals
        | Test::ArnNotEquals
        | Test::ArnLike
        | Test::ArnNotLike
        | Test::Null => found_to_wanted.is_eq(),
    })
}
