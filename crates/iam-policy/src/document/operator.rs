//! Condition operators: their names taken apart once, for checking, deciding and suggesting.
//! Names are case-sensitive here: whether AWS ignores case in them is not documented, and a guess could widen a policy.
//! The tests themselves are run in [`crate::decide`].

use crate::bytes::split_once;
use crate::near::nearest;

/// How the values of a key with many values are taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetPrefix {
    /// Every value in the request must match; true where there are none.
    ForAllValues,
    /// Some value in the request must match.
    ForAnyValue,
}

/// The comparison itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the operators' own, in the IAM User Guide")]
pub enum Test {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringNotEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    NumericEquals,
    NumericNotEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateNotEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    NotIpAddress,
    ArnEquals,
    ArnNotEquals,
    ArnLike,
    ArnNotLike,
    Null,
}

/// The operators by name (IAM User Guide, condition operators).
const TESTS: [(&str, Test); 27] = [
    ("StringEquals", Test::StringEquals),
    ("StringNotEquals", Test::StringNotEquals),
    ("StringEqualsIgnoreCase", Test::StringEqualsIgnoreCase),
    ("StringNotEqualsIgnoreCase", Test::StringNotEqualsIgnoreCase),
    ("StringLike", Test::StringLike),
    ("StringNotLike", Test::StringNotLike),
    ("NumericEquals", Test::NumericEquals),
    ("NumericNotEquals", Test::NumericNotEquals),
    ("NumericLessThan", Test::NumericLessThan),
    ("NumericLessThanEquals", Test::NumericLessThanEquals),
    ("NumericGreaterThan", Test::NumericGreaterThan),
    ("NumericGreaterThanEquals", Test::NumericGreaterThanEquals),
    ("DateEquals", Test::DateEquals),
    ("DateNotEquals", Test::DateNotEquals),
    ("DateLessThan", Test::DateLessThan),
    ("DateLessThanEquals", Test::DateLessThanEquals),
    ("DateGreaterThan", Test::DateGreaterThan),
    ("DateGreaterThanEquals", Test::DateGreaterThanEquals),
    ("Bool", Test::Bool),
    ("BinaryEquals", Test::BinaryEquals),
    ("IpAddress", Test::IpAddress),
    ("NotIpAddress", Test::NotIpAddress),
    ("ArnEquals", Test::ArnEquals),
    ("ArnNotEquals", Test::ArnNotEquals),
    ("ArnLike", Test::ArnLike),
    ("ArnNotLike", Test::ArnNotLike),
    ("Null", Test::Null),
];

/// An operator taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`, if written.
    pub set: Option<SetPrefix>,
    /// The comparison.
    pub test: Test,
    /// Whether it holds where the key is absent.
    pub if_exists: bool,
}

impl Operator {
    /// Reads a name such as `ForAnyValue:StringLikeIfExists`.
    pub fn parse(written: &str) -> Option<Self> {
        let (set, rest) = match split_once(written, b':') {
            None => (None, written),
            Some(("ForAllValues", rest)) => (Some(SetPrefix::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(SetPrefix::ForAnyValue), rest),
            Some(_) => return None,
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let test = TESTS.into_iter().find(|(known, _)| *known == name).map(|(_, test)| test)?;
        // IfExists on Null would say nothing (IAM User Guide: "to the end of any condition operator name except the Null condition").
        if if_exists && test == Test::Null { None } else { Some(Self { set, test, if_exists }) }
    }

    /// The known name nearest to a misspelt one.
    pub fn nearest(text: &str) -> Option<&'static str> {
        nearest(text, TESTS.into_iter().map(|(name, _)| name))
    }
}

impl Test {
    /// Whether a true answer means that the value does not match.
    pub const fn is_negated(self) -> bool {
        matches!(
            self,
            Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
                | Self::NumericNotEquals
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::ArnNotEquals
                | Self::ArnNotLike
        )
    }

    /// Whether it compares numbers.
    pub const fn is_numeric(self) -> bool {
        matches!(
            self,
            Self::NumericEquals
                | Self::NumericNotEquals
                | Self::NumericLessThan
                | Self::NumericLessThanEquals
                | Self::NumericGreaterThan
                | Self::NumericGreaterThanEquals
        )
    }

    /// Whether it compares points in time.
    pub const fn is_date(self) -> bool {
        matches!(
            self,
            Self::DateEquals
                | Self::DateNotEquals
                | Self::DateLessThan
                | Self::DateLessThanEquals
                | Self::DateGreaterThan
                | Self::DateGreaterThanEquals
        )
    }

    /// Whether it compares addresses.
    pub const fn is_address(self) -> bool {
        matches!(self, Self::IpAddress | Self::NotIpAddress)
    }

    /// Whether it compares strings.
    pub const fn is_string(self) -> bool {
        matches!(
            self,
            Self::StringEquals
                | Self::StringNotEquals
                | Self::StringEqualsIgnoreCase
                | Self::StringNotEqualsIgnoreCase
                | Self::StringLike
                | Self::StringNotLike
        )
    }

    /// Whether it compares ARNs.
    pub const fn is_arn(self) -> bool {
        matches!(self, Self::ArnEquals | Self::ArnNotEquals | Self::ArnLike | Self::ArnNotLike)
    }

    /// Whether `*` and `?` are wildcards in its values.
    pub const fn has_wildcards(self) -> bool {
        self.is_arn() || matches!(self, Self::StringLike | Self::StringNotLike)
    }
}
