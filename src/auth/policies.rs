//! ACL policies: kept by name, compiled per set of names, asked for every request (contract 2.4). A write
//! counts for the next request of every token. The language is [`super::acl`]'s; `root` is not a text and
//! may do everything, `default` is always there.

use std::collections::HashSet;
use std::sync::Arc;

use super::acl::template::Name;
use super::acl::{self, Access, Acl, Policy, PolicyError, Question};
use super::identity::Identity;
use super::known::Generation;
use super::{Auth, AuthError, Caller};
use crate::model::Token;
use crate::store::StoreError;

/// Why a policy was not written or removed. The texts are the contract's (2.4).
#[derive(Debug, thiserror::Error)]
pub enum PolicyRefused {
    /// No text.
    #[error("'policy' parameter not supplied or empty")]
    Empty,
    /// The text is no policy.
    #[error("failed to parse policy: {0}")]
    Unreadable(#[from] PolicyError),
    /// It cannot be written.
    #[error("cannot update {} policy", crate::model::go_text::quote(.0))]
    Fixed(String),
    /// It cannot be removed.
    #[error("cannot delete {} policy", crate::model::go_text::quote(.0))]
    Kept(String),
    /// `default` stays.
    #[error("cannot delete default policy")]
    DefaultKept,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody may do: everything, or what the rules say.
#[derive(Debug, Clone)]
pub enum Rights {
    /// Everything.
    Root,
    /// What these rules grant.
    Rules(Arc<Acl>),
}

impl Auth {
    /// Whether `caller` may do this. A path that is protected needs `sudo` beside the rest.
    pub async fn authorize(
        &self,
        caller: &Caller,
        question: &Question<'_>,
    ) -> Result<(), AuthError> {
        if caller.is_root() {
            return Ok(());
        }
        let acl = self.acl_of(caller).await?;
        // A rule about a name must not be got around by writing the name in other letters.
        let by_name = self.canonical(question.path).folds();
        let access = if by_name { acl.decide_in_any_case(question) } else { acl.decide(question) };
        match access {
            Access::Granted => Ok(()),
            Access::Denied => Err(AuthError::Denied),
        }
    }

    /// The rules that count for `caller`: those of its token, its entity and the groups of that.
    pub async fn acl_of(&self, caller: &Caller) -> Result<Arc<Acl>, AuthError> {
        self.rules(caller.policies(), caller.identity(), caller.generation).await
    }

    /// What a token may do; nothing where its entity is gone or disabled.
    pub async fn rights_of(&self, token: &Token) -> Result<Rights, AuthError> {
        if token.policies.iter().any(|name| name == acl::ROOT) {
            return Ok(Rights::Root);
        }
        let generation = self.known.generation();
        let identity = match self.behind(token).await {
            Err(AuthError::Denied) => return Ok(Rights::Rules(Arc::default())),
            found => found?,
        };
        let names = joined(&token.policies, identity.as_deref());
        let names = names.as_deref().unwrap_or(&token.policies);
        Ok(Rights::Rules(self.rules(names, identity.as_deref(), generation).await?))
    }

    /// What may be done with a path, by name.
    pub fn capabilities(&self, rights: &Rights, path: &str) -> Vec<&'static str> {
        let path = path.strip_prefix('/').unwrap_or(path);
        match rights {
            Rights::Root => vec![acl::ROOT],
            Rights::Rules(acl) if self.canonical(path).folds() => {
                acl.capabilities_in_any_case(path)
            }
            Rights::Rules(acl) => acl.capabilities(path),
        }
    }

    /// The rules that policies add up to for somebody. `generation` is older than what is known of both.
    async fn rules(
        &self,
        names: &[String],
        identity: Option<&Identity>,
        generation: Generation,
    ) -> Result<Arc<Acl>, AuthError> {
        let shared = if let Some(shared) = self.known.shared(names) {
            shared
        } else {
            let shared = Arc::new(self.compiled(names, &|_nobody| None).await?);
            self.known.keep_shared(names, generation, &shared);
            shared
        };
        let Some(identity) = identity.filter(|_| shared.is_templated()) else {
            return Ok(shared);
        };
        if let Some(own) = self.known.own(identity.id(), names) {
            return Ok(own);
        }
        let own = Arc::new(self.compiled(names, &|name| identity.tell(name)).await?);
        self.known.keep_own(identity.id(), names, generation, &own);
        Ok(own)
    }

    /// A name without a policy adds nothing.
    async fn compiled(
        &self,
        names: &[String],
        who: &(dyn Fn(&Name<'_>) -> Option<String> + Sync),
    ) -> Result<Acl, AuthError> {
        let mut policies = Vec::new();
        for name in names {
            // A text that was taken once and is refused by a newer version grants nothing.
            let Some(text) = self.policy(name).await? else { continue };
            match Policy::read(&text) {
                Ok(policy) => policies.push(policy),
                Err(error) => {
                    tracing::error!(policy.name = %name, error = %error, "policy {name} cannot be read, so it denies everything");
                    return Ok(Acl::default());
                }
            }
        }
        Ok(Acl::compile_for(policies, who))
    }

    /// Whether `caller` may do with `path` what needs `sudo`.
    pub async fn has_sudo(&self, caller: &Caller, path: &str) -> Result<bool, AuthError> {
        Ok(caller.is_root() || self.acl_of(caller).await?.has_sudo(path))
    }

    /// Whether `caller` may do anything at all below a mount.
    pub async fn reaches(&self, caller: &Caller, mount: &str) -> Result<bool, AuthError> {
        Ok(caller.is_root() || self.acl_of(caller).await?.reaches(mount))
    }

    /// The text of a policy; `default` has one even if nobody wrote it.
    pub async fn policy(&self, name: &str) -> Result<Option<String>, StoreError> {
        let stored = self.parts.store.acl_policy(name).await?;
        Ok(stored.or_else(|| (name == acl::DEFAULT).then(|| acl::DEFAULT_TEXT.to_owned())))
    }

    /// Names of all policies, sorted, with `root` behind them.
    pub async fn policy_names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.parts.store.acl_policy_names().await?;
        if !names.iter().any(|name| name == acl::DEFAULT) {
            names.push(acl::DEFAULT.to_owned());
            names.sort_unstable();
        }
        names.push(acl::ROOT.to_owned());
        Ok(names)
    }

    /// Which of `names` no policy has.
    pub(super) async fn unknown_policies(
        &self,
        names: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let known: HashSet<_> = self.policy_names().await?.into_iter().collect();
        Ok(names.iter().filter(|name| !known.contains(*name)).cloned().collect())
    }

    /// Writes a policy. `name` is in lower case already.
    pub async fn write_policy(&self, name: &str, text: &str) -> Result<(), PolicyRefused> {
        if name == acl::ROOT || name == acl::RESPONSE_WRAPPING {
            return Err(PolicyRefused::Fixed(name.to_owned()));
        }
        if text.is_empty() {
            return Err(PolicyRefused::Empty);
        }
        Policy::read(text)?;
        self.parts.store.put_acl_policy(name, text).await?;
        self.known.forget();
        tracing::info!(policy.name = %name, "policy {name} written");
        Ok(())
    }

    /// Removes a policy; one that is not there is removed already.
    pub async fn delete_policy(&self, name: &str) -> Result<(), PolicyRefused> {
        match name {
            acl::DEFAULT => return Err(PolicyRefused::DefaultKept),
            acl::ROOT | acl::RESPONSE_WRAPPING => return Err(PolicyRefused::Kept(name.to_owned())),
            _ => {}
        }
        self.parts.store.remove_acl_policy(name).await?;
        self.known.forget();
        tracing::info!(policy.name = %name, "policy {name} removed");
        Ok(())
    }
}

/// A token's own policies and those of whoever stands behind it, sorted; `None` where these add nothing.
pub(super) fn joined(own: &[String], identity: Option<&Identity>) -> Option<Vec<String>> {
    let more = identity.map(Identity::policies).filter(|more| !more.is_empty())?;
    let mut names: Vec<String> = own.iter().chain(more).cloned().collect();
    names.sort_unstable();
    names.dedup();
    Some(names)
}
