//! A token role: what tokens that are made by `auth/token/create/:role` may be (contract 3.2). Plain data;
//! the rules are in [`crate::auth`].

use serde::{Deserialize, Serialize};

use super::{Network, TokenKind};

/// A role. Seconds; 0 = not set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRole {
    /// Its name.
    pub name: String,
    /// Policies that its tokens may have, sorted; with any of the four lists the parent's do not count.
    pub allowed_policies: Vec<String>,
    /// The same, with `*`.
    pub allowed_policies_glob: Vec<String>,
    /// Policies that its tokens may not have.
    pub disallowed_policies: Vec<String>,
    /// The same, with `*`.
    pub disallowed_policies_glob: Vec<String>,
    /// Whether its tokens have no parent.
    pub orphan: bool,
    /// Whether its tokens may be renewed.
    pub renewable: bool,
    /// Ends the path of its tokens.
    pub path_suffix: String,
    /// Whom its tokens may stand for, in lower case, with `*`.
    pub allowed_entity_aliases: Option<Vec<String>>,
    /// What its tokens are.
    pub kind: RoleKind,
    /// Renewable for ever, for so long each time.
    pub period: u64,
    /// Their end, whatever is renewed.
    pub explicit_max_ttl: u64,
    /// Where they may be used from.
    pub bound_cidrs: Vec<Network>,
    /// Uses; 0 = without limit.
    pub num_uses: i64,
    /// Whether `default` is left out.
    pub no_default_policy: bool,
    /// Which fields were written by their old names, and so are read back by them too.
    pub old_names: OldNames,
}

impl TokenRole {
    /// A role that nothing was said of.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            allowed_policies: Vec::new(),
            allowed_policies_glob: Vec::new(),
            disallowed_policies: Vec::new(),
            disallowed_policies_glob: Vec::new(),
            orphan: false,
            renewable: true,
            path_suffix: String::new(),
            allowed_entity_aliases: None,
            kind: RoleKind::DefaultService,
            period: 0,
            explicit_max_ttl: 0,
            bound_cidrs: Vec::new(),
            num_uses: 0,
            no_default_policy: false,
            old_names: OldNames::default(),
        }
    }
}

/// Fields of a role that were written by their old names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldNames {
    /// `period`.
    pub period: bool,
    /// `explicit_max_ttl`.
    pub explicit_max_ttl: bool,
    /// `bound_cidrs`.
    pub bound_cidrs: bool,
}

/// Which kind of token a role or an auth mount makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleKind {
    /// Service tokens, unless a batch token is asked for.
    #[default]
    DefaultService,
    /// Batch tokens, unless a service token is asked for.
    DefaultBatch,
    /// Service tokens, whatever is asked for.
    Service,
    /// Batch tokens, whatever is asked for.
    Batch,
}

impl RoleKind {
    /// As `token_type` names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DefaultService => "default-service",
            Self::DefaultBatch => "default-batch",
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }

    /// By its name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::DefaultService, Self::DefaultBatch, Self::Service, Self::Batch]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }

    /// What is made where `asked` is asked for.
    pub fn of(self, asked: Option<TokenKind>) -> TokenKind {
        match self {
            Self::DefaultService => asked.unwrap_or(TokenKind::Service),
            Self::DefaultBatch => asked.unwrap_or(TokenKind::Batch),
            Self::Service => TokenKind::Service,
            Self::Batch => TokenKind::Batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_gives_way_to_what_is_asked_and_the_others_do_not() {
        use TokenKind::{Batch, Service};
        for (role, unasked, batch, service) in [
            (RoleKind::DefaultService, Service, Batch, Service),
            (RoleKind::DefaultBatch, Batch, Batch, Service),
            (RoleKind::Service, Service, Service, Service),
            (RoleKind::Batch, Batch, Batch, Batch),
        ] {
            assert_eq!(RoleKind::from_word(role.as_str()), Some(role));
            let made = (role.of(None), role.of(Some(Batch)), role.of(Some(Service)));
            assert_eq!(made, (unasked, batch, service));
        }
        assert_eq!(RoleKind::from_word("default"), None);
    }
}
