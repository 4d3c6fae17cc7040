//! Token roles, written and read (contract 3.2): `auth/token/roles/:name`. What a role makes of a request is
//! decided in [`super::plan`]; here only that it can be one.

use tracing::info;

use super::Auth;
use super::methods::{MethodError, networks, policy_names};
use super::token::MAX_TTL_SECONDS;
use crate::model::go_text::quote;
use crate::model::{RoleKind, TokenRole};
use crate::store::StoreError;

/// A change; `None` = not sent. Seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRoleChange {
    /// `allowed_policies`.
    pub allowed_policies: Option<Vec<String>>,
    /// `allowed_policies_glob`.
    pub allowed_policies_glob: Option<Vec<String>>,
    /// `disallowed_policies`.
    pub disallowed_policies: Option<Vec<String>>,
    /// `disallowed_policies_glob`.
    pub disallowed_policies_glob: Option<Vec<String>>,
    /// `orphan`.
    pub orphan: Option<bool>,
    /// `renewable`.
    pub renewable: Option<bool>,
    /// `path_suffix`.
    pub path_suffix: Option<String>,
    /// `allowed_entity_aliases`.
    pub allowed_entity_aliases: Option<Vec<String>>,
    /// `token_type`.
    pub token_type: Option<String>,
    /// `token_period`, and its old name.
    pub period: Named<u64>,
    /// `token_explicit_max_ttl`, and its old name.
    pub explicit_max_ttl: Named<u64>,
    /// `token_bound_cidrs`, and its old name.
    pub bound_cidrs: Named<Vec<String>>,
    /// `token_num_uses`.
    pub num_uses: Option<i64>,
    /// `token_no_default_policy`.
    pub no_default_policy: Option<bool>,
}

/// A field with an old name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named<T> {
    /// As it is sent now.
    pub new: Option<T>,
    /// By its old name.
    pub old: Option<T>,
}

/// Why a role was not written.
#[derive(Debug, thiserror::Error)]
pub enum TokenRoleRefused {
    /// Characters that no path may have.
    #[error("given role path suffix contains invalid characters; must match ^\\w[\\w-.]+\\w$")]
    PathSuffix,
    /// `..` in it.
    #[error("error registering path suffix: path cannot contain parent references")]
    ParentReference,
    /// No such type.
    #[error("invalid 'token_type' value {}", quote(.0))]
    TokenType(String),
    /// What a batch token cannot be; holds the words for it.
    #[error("'token_type' cannot be 'batch' when role is set to generate {0}")]
    Batch(&'static str),
    /// Below zero.
    #[error("'token_num_uses' cannot be negative")]
    NegativeUses,
    /// Not a network.
    #[error(transparent)]
    Network(#[from] MethodError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Auth {
    /// A token role.
    pub async fn token_role(&self, name: &str) -> Result<Option<TokenRole>, StoreError> {
        self.parts.store.token_role(name).await
    }

    /// Names of all token roles.
    pub async fn token_role_names(&self) -> Result<Vec<String>, StoreError> {
        self.parts.store.token_role_names().await
    }

    /// Writes a token role, new or there already; tells what its writer should know.
    pub async fn write_token_role(
        &self,
        name: &str,
        change: TokenRoleChange,
    ) -> Result<Vec<String>, TokenRoleRefused> {
        let stored = self.parts.store.token_role(name).await?;
        let (role, warnings) = changed(stored.unwrap_or_else(|| TokenRole::new(name)), change)?;
        self.parts.store.put_token_role(&role).await?;
        info!(role.name = %name, "token role {name} written");
        Ok(warnings)
    }

    /// Removes a token role: tokens that it made are not renewed any more. One that is not there is removed
    /// already.
    pub async fn remove_token_role(&self, name: &str) -> Result<(), StoreError> {
        self.parts.store.remove_token_role(name).await?;
        info!(role.name = %name, "token role {name} removed");
        Ok(())
    }
}

fn changed(
    stored: TokenRole,
    change: TokenRoleChange,
) -> Result<(TokenRole, Vec<String>), TokenRoleRefused> {
    let mut warnings = Vec::new();
    let mut old_names = stored.old_names;
    let names = |sent: Option<Vec<String>>, kept| sent.map_or(kept, |sent| policy_names(&sent));
    let network_field =
        if change.bound_cidrs.new.is_some() { "token_bound_cidrs" } else { "bound_cidrs" };
    let cidrs =
        picked(change.bound_cidrs, "bound_cidrs", &mut old_names.bound_cidrs, &mut warnings);
    let period = picked(change.period, "period", &mut old_names.period, &mut warnings);
    let old_explicit = &mut old_names.explicit_max_ttl;
    let explicit = picked(change.explicit_max_ttl, "explicit_max_ttl", old_explicit, &mut warnings);
    let role = TokenRole {
        allowed_policies: names(change.allowed_policies, stored.allowed_policies),
        allowed_policies_glob: names(change.allowed_policies_glob, stored.allowed_policies_glob),
        disallowed_policies: names(change.disallowed_policies, stored.disallowed_policies),
        disallowed_policies_glob: names(
            change.disallowed_policies_glob,
            stored.disallowed_policies_glob,
        ),
        orphan: change.orphan.unwrap_or(stored.orphan),
        renewable: change.renewable.unwrap_or(stored.renewable),
        path_suffix: change.path_suffix.unwrap_or(stored.path_suffix),
        allowed_entity_aliases: change
            .allowed_entity_aliases
            .map(|sent| policy_names(&sent))
            .or(stored.allowed_entity_aliases),
        kind: match change.token_type {
            None => stored.kind,
            Some(word) => RoleKind::from_word(&word).ok_or(TokenRoleRefused::TokenType(word))?,
        },
        period: period.unwrap_or(stored.period),
        explicit_max_ttl: explicit.unwrap_or(stored.explicit_max_ttl),
        bound_cidrs: networks(network_field, cidrs)?.unwrap_or(stored.bound_cidrs),
        num_uses: change.num_uses.unwrap_or(stored.num_uses),
        no_default_policy: change.no_default_policy.unwrap_or(stored.no_default_policy),
        name: stored.name,
        old_names,
    };
    check(&role)?;
    if role.explicit_max_ttl > MAX_TTL_SECONDS {
        warnings.push(format!(
            "Given explicit max TTL of {} is greater than system/mount allowed value of {MAX_TTL_SECONDS} seconds; tokens of this role are cut to that",
            role.explicit_max_ttl
        ));
    }
    Ok((role, warnings))
}

/// The new name's value, else the old one's; notes by which it was written.
fn picked<T>(
    sent: Named<T>,
    old_name: &str,
    by_old_name: &mut bool,
    warnings: &mut Vec<String>,
) -> Option<T> {
    match (sent.new, sent.old) {
        (Some(new), old) => {
            if old.is_some() {
                warnings.push(format!(
                    "Both 'token_{old_name}' and deprecated '{old_name}' value supplied, ignoring the deprecated value"
                ));
            }
            *by_old_name = false;
            Some(new)
        }
        (None, Some(old)) => {
            *by_old_name = true;
            Some(old)
        }
        (None, None) => None,
    }
}

fn check(role: &TokenRole) -> Result<(), TokenRoleRefused> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let suffix = &role.path_suffix;
    if suffix.contains("..") {
        return Err(TokenRoleRefused::ParentReference);
    }
    let fits = suffix.len() >= 3
        && suffix.starts_with(word)
        && suffix.ends_with(word)
        && suffix.chars().all(|c| word(c) || c == '-' || c == '.');
    if !suffix.is_empty() && !fits {
        return Err(TokenRoleRefused::PathSuffix);
    }
    if role.num_uses < 0 {
        return Err(TokenRoleRefused::NegativeUses);
    }
    if role.kind == RoleKind::Batch {
        for (words, set) in [
            ("non-orphan tokens", !role.orphan),
            ("periodic tokens", role.period > 0),
            ("renewable tokens", role.renewable),
            ("tokens with an explicit max TTL", role.explicit_max_ttl > 0),
        ] {
            if set {
                return Err(TokenRoleRefused::Batch(words));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(change: TokenRoleChange) -> Result<(TokenRole, Vec<String>), String> {
        changed(TokenRole::new("r"), change).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_sent_stays_and_names_are_lowered() {
        let first = TokenRoleChange {
            allowed_policies: Some(vec!["B".into(), "a".into(), "b".into()]),
            period: Named { new: Some(60), old: None },
            orphan: Some(true),
            ..TokenRoleChange::default()
        };
        let (role, warnings) = write(first).unwrap();
        assert_eq!(
            (role.allowed_policies.as_slice(), role.period),
            (["a", "b"].map(String::from).as_slice(), 60)
        );
        assert!(role.renewable && role.orphan && warnings.is_empty());
        let (same, _) = changed(role.clone(), TokenRoleChange::default()).unwrap();
        assert_eq!(same, role);
    }

    #[test]
    fn an_old_name_gives_way_to_the_new_one_with_a_warning() {
        let both = TokenRoleChange {
            period: Named { new: Some(60), old: Some(90) },
            explicit_max_ttl: Named { new: None, old: Some(600) },
            ..TokenRoleChange::default()
        };
        let (role, warnings) = write(both).unwrap();
        assert_eq!((role.period, role.explicit_max_ttl), (60, 600));
        assert_eq!(
            warnings,
            [
                "Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value"
            ]
        );
        assert!(role.old_names.explicit_max_ttl && !role.old_names.period);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let change = TokenRoleChange::default;
        let batch = || TokenRoleChange {
            token_type: Some("batch".into()),
            orphan: Some(true),
            renewable: Some(false),
            ..change()
        };
        assert_eq!(write(batch()).unwrap().0.kind, RoleKind::Batch);
        for (change, told) in [
            (
                TokenRoleChange { token_type: Some("x".into()), ..change() },
                "invalid 'token_type' value \"x\"",
            ),
            (
                TokenRoleChange { orphan: None, ..batch() },
                "'token_type' cannot be 'batch' when role is set to generate non-orphan tokens",
            ),
            (
                TokenRoleChange { renewable: None, ..batch() },
                "'token_type' cannot be 'batch' when role is set to generate renewable tokens",
            ),
            (
                TokenRoleChange { path_suffix: Some("a/b/c".into()), ..change() },
                "given role path suffix contains invalid characters; must match ^\\w[\\w-.]+\\w$",
            ),
            (
                TokenRoleChange { path_suffix: Some("a..b".into()), ..change() },
                "error registering path suffix: path cannot contain parent references",
            ),
            (
                TokenRoleChange {
                    bound_cidrs: Named { new: Some(vec!["here".into()]), old: None },
                    ..change()
                },
                "error parsing address \"here\" of `token_bound_cidrs`",
            ),
            (
                TokenRoleChange { num_uses: Some(-1), ..change() },
                "'token_num_uses' cannot be negative",
            ),
        ] {
            assert_eq!(write(change).unwrap_err(), told);
        }
    }
}
