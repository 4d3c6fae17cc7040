//! ACL policies: kept by name, compiled per set of names, asked for every request (contract 2.4). A write
//! counts for the next request of every token. The language is [`super::acl`]'s; `root` is not a text and
//! may do everything, `default` is always there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use super::acl::{self, Access, Acl, Policy, PolicyError, Question};
use super::{Auth, AuthError, Caller};
use crate::store::StoreError;

/// Compiled sets that are kept. 1,024: sets of policies, not tokens; a set costs what its rules cost.
const KEPT: usize = 1024;

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

/// Compiled sets by the names of their policies.
// INVARIANT: what is kept was compiled from texts read after `generation` last changed.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    inner: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    sets: HashMap<Vec<String>, Arc<Acl>>,
}

impl Compiled {
    fn get(&self, names: &[String]) -> (u64, Option<Arc<Acl>>) {
        let kept = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        (kept.generation, kept.sets.get(names).cloned())
    }

    fn keep(&self, names: &[String], generation: u64, acl: &Arc<Acl>) {
        let mut kept = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if kept.generation != generation {
            return;
        }
        if kept.sets.len() >= KEPT {
            kept.sets.clear();
        }
        kept.sets.insert(names.to_vec(), Arc::clone(acl));
    }

    fn forget(&self) {
        let mut kept = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        kept.generation = kept.generation.wrapping_add(1);
        kept.sets.clear();
    }
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
        let acl = self.acl_of(&caller.token().policies).await?;
        match acl.decide(question) {
            Access::Granted => Ok(()),
            Access::Denied => Err(AuthError::Denied),
        }
    }

    /// The rules that a set of policies adds up to. A name without a policy adds nothing.
    pub async fn acl_of(&self, names: &[String]) -> Result<Arc<Acl>, AuthError> {
        let (generation, kept) = self.compiled.get(names);
        if let Some(acl) = kept {
            return Ok(acl);
        }
        let mut policies = Vec::new();
        for name in names {
            // A text that was taken once and is refused by a newer version grants nothing.
            let Some(text) = self.policy(name).await? else { continue };
            match Policy::read(&text) {
                Ok(policy) => policies.push(policy),
                Err(error) => {
                    tracing::error!(policy.name = %name, error = %error, "policy {name} cannot be read, so it denies everything");
                    return Ok(Arc::new(Acl::default()));
                }
            }
        }
        let acl = Arc::new(Acl::compile(policies));
        self.compiled.keep(names, generation, &acl);
        Ok(acl)
    }

    /// Whether `caller` may do with `path` what needs `sudo`.
    pub async fn has_sudo(&self, caller: &Caller, path: &str) -> Result<bool, AuthError> {
        Ok(caller.is_root() || self.acl_of(&caller.token().policies).await?.has_sudo(path))
    }

    /// Whether `caller` may do anything at all below a mount.
    pub async fn reaches(&self, caller: &Caller, mount: &str) -> Result<bool, AuthError> {
        Ok(caller.is_root() || self.acl_of(&caller.token().policies).await?.reaches(mount))
    }

    /// What a token with these policies may do with a path, by name.
    pub async fn capabilities(
        &self,
        policies: &[String],
        path: &str,
    ) -> Result<Vec<&'static str>, AuthError> {
        if policies.iter().any(|name| name == acl::ROOT) {
            return Ok(vec![acl::ROOT]);
        }
        let acl = self.acl_of(policies).await?;
        Ok(acl.capabilities(path.strip_prefix('/').unwrap_or(path)))
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
        self.compiled.forget();
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
        self.compiled.forget();
        tracing::info!(policy.name = %name, "policy {name} removed");
        Ok(())
    }
}
