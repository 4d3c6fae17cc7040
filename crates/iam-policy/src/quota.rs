//! AWS's size limits for policies, counted as AWS counts.
//! The count is of characters, not bytes, and must never come out lower than AWS's own: it reads the open question
//! (do spaces inside strings count?) the strict way, as counted. Whoever attaches the policy picks the [`Target`].

use serde::Serialize;

/// Managed policies attached to one user, by default (IAM quotas: adjustable to 20).
pub const MANAGED_POLICIES_PER_USER: usize = 10;

/// Groups that one user may be in (IAM quotas: not adjustable).
pub const GROUPS_PER_USER: usize = 10;

/// What a policy is for, as far as its size goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// All inline policies of one user together.
    InlineUser,
    /// All inline policies of one group together.
    InlineGroup,
    /// All inline policies of one role together.
    InlineRole,
    /// One version of a managed policy.
    Managed,
    /// The plain text of a session policy.
    Session,
}

impl Target {
    /// The most characters that AWS takes.
    pub const fn limit(self) -> usize {
        match self {
            // IAM quotas, "IAM and STS character limits"; for sessions the STS API's parameter `Policy`.
            Self::InlineUser | Self::Session => 2_048,
            Self::InlineGroup => 5_120,
            Self::InlineRole => 10_240,
            Self::Managed => 6_144,
        }
    }

    /// The target in words, for messages.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::InlineUser => "the inline policies of a user",
            Self::InlineGroup => "the inline policies of a group",
            Self::InlineRole => "the inline policies of a role",
            Self::Managed => "a managed policy",
            Self::Session => "a session policy",
        }
    }

    /// Judges canonical documents that count together for this target.
    pub fn check<'a>(
        self,
        canonical: impl IntoIterator<Item = &'a str>,
    ) -> Result<usize, TooLarge> {
        let characters = canonical.into_iter().map(characters).fold(0, usize::saturating_add);
        if characters <= self.limit() {
            Ok(characters)
        } else {
            Err(TooLarge { target: self, characters })
        }
    }
}

/// Size of a canonical document as AWS counts it: characters, without the white space between tokens.
/// A space inside a string is counted: whether AWS counts it is not documented, so the strict reading holds.
pub fn characters(canonical: &str) -> usize {
    canonical.chars().count()
}

/// The documents are over the quota of their target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{} may have {} characters without white space, this has {characters}", target.in_words(), target.limit())]
pub struct TooLarge {
    /// What they were for.
    pub target: Target,
    /// What they come to.
    pub characters: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_fits_and_one_more_does_not() {
        let text = "a".repeat(2_048);
        assert_eq!(Target::InlineUser.check([text.as_str()]), Ok(2_048));
        let excess = Target::InlineUser.check([text.as_str(), "b"]).unwrap_err();
        assert_eq!(excess, TooLarge { target: Target::InlineUser, characters: 2_049 });
        assert_eq!(
            excess.to_string(),
            "the inline policies of a user may have 2048 characters without white space, this has 2049"
        );
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(characters("é é"), 3);
    }
}
