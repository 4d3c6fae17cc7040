//! Access levels and traits of actions, as sets of bits.
//! The order of the bits is the order of the flags in the guardrail contract (`access-levels`, `action-traits`).
//! Read from the data in `load`.

use serde::{Serialize, Serializer};

/// A set of access levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Levels(u8);

/// A set of traits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Traits(u8);

macro_rules! flag_set {
    ($set:ident, $( $(#[$doc:meta])* $flag:ident = $bit:literal, $name:literal; )+) => {
        impl $set {
            $( $(#[$doc])* pub const $flag: Self = Self($bit); )+
            /// The empty set.
            pub const NONE: Self = Self(0);
            /// Every flag.
            pub const ALL: Self = Self(0 $( | $bit )+);

            const NAMES: &'static [(Self, &'static str)] = &[ $( (Self::$flag, $name) ),+ ];

            /// What is in either.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// What is in both.
            #[must_use]
            pub const fn intersection(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// What is in this and not in the other.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// Whether all of `other` is in this.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any of `other` is in this.
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether nothing is in it.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The bits, first flag lowest.
            pub const fn bits(self) -> u8 {
                self.0
            }

            /// The names of the flags in it.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMES.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
            }
        }

        impl Serialize for $set {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.names())
            }
        }
    };
}

flag_set! { Levels,
    /// Lists resources.
    LIST = 1, "list";
    /// Reads resources.
    READ = 2, "read";
    /// Changes resources; every action that manages permissions or tags does so as well.
    WRITE = 4, "write";
    /// Changes tags.
    TAGGING = 8, "tagging";
    /// Grants or changes permissions.
    PERMISSIONS_MANAGEMENT = 16, "permissions-management";
    /// The catalogue does not know.
    UNKNOWN = 32, "unknown";
}

flag_set! { Traits,
    /// Can be used to gain more permissions than one has.
    ESCALATES = 1, "escalates";
    /// Can make a resource reachable from outside the account.
    EXPOSES = 2, "exposes";
    /// Reads data, not only metadata.
    READS_DATA = 4, "reads-data";
    /// Hands out credentials.
    ISSUES_CREDENTIALS = 8, "issues-credentials";
    /// Works on `*` only.
    ANY_RESOURCE_ONLY = 16, "any-resource-only";
}

impl Levels {
    /// The level of a letter in the data file.
    pub(super) const fn from_letter(letter: char) -> Self {
        match letter {
            'L' => Self::LIST,
            'R' => Self::READ,
            'W' => Self::WRITE,
            'T' => Self::TAGGING,
            'P' => Self::PERMISSIONS_MANAGEMENT,
            _ => Self::UNKNOWN,
        }
    }
}

impl Traits {
    /// The trait of a letter in the data file.
    pub(super) const fn from_letter(letter: char) -> Self {
        match letter {
            'e' => Self::ESCALATES,
            'x' => Self::EXPOSES,
            'd' => Self::READS_DATA,
            'c' => Self::ISSUES_CREDENTIALS,
            'a' => Self::ANY_RESOURCE_ONLY,
            _ => Self::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_join_and_part() {
        let both = Levels::LIST.union(Levels::WRITE);
        assert!(both.contains(Levels::LIST) && both.intersects(Levels::WRITE));
        assert_eq!(both.without(Levels::LIST), Levels::WRITE);
        assert_eq!(both.names().collect::<Vec<_>>(), ["list", "write"]);
        assert_eq!(Traits::ALL.bits(), 0b1_1111);
        assert!(Traits::NONE.is_empty());
    }

    #[test]
    fn sets_are_lists_of_names_in_json() {
        let json = serde_json::to_string(&Levels::PERMISSIONS_MANAGEMENT).unwrap();
        assert_eq!(json, r#"["permissions-management"]"#);
    }
}
