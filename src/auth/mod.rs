//! Who calls, and what they may do. A [`Caller`] can only be made here, from a token that is stored,
//! alive and has a use left. Nothing is allowed by omission: the rules stand in [`acl`], what tokens
//! are and how they live in [`token`] and [`create`].

use std::net::IpAddr;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::clock::Clock;
use crate::leases::Leases;
use crate::model::{Accessor, ClientToken, Network, Timestamp, Token, TokenDigest, TokenKind};
use crate::random::Random;
use crate::seal::{Barrier, SealError};
use crate::store::{Store, StoreError};

use identity::Identity;
use known::{Generation, Known};

pub mod acl;
mod batch;
mod canonical;
pub mod create;
pub mod identity;
pub mod jose;
mod known;
pub mod methods;
mod plan;
pub mod policies;
pub mod quotas;
pub mod token;
pub mod token_roles;
pub mod wrapping;

pub use acl::{Operation, Question};
pub use create::{CreateRefused, NewToken, Parentage};
pub use policies::{PolicyRefused, Rights};
pub use token::{Granted, ROOT_TOKEN_LENGTH, TokenLookup};

/// Why a caller or a token use case was turned away.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// No such token, or it has ended, expired, or is used up.
    #[error("the token is not valid")]
    InvalidToken,
    /// The token may not do this.
    #[error("permission denied")]
    Denied,
    /// A token that was named, not the caller's own, is not there.
    #[error("the named token is not there")]
    NoSuchToken,
    /// No token has the accessor that was named.
    #[error("no token has that accessor")]
    NoSuchAccessor,
    /// A token that cannot be renewed.
    #[error("the token is not renewable")]
    NotRenewable,
    /// Batch tokens live as long as they were made for; holds what they cannot be.
    #[error("batch tokens cannot be {0}")]
    Batch(&'static str),
    /// The token role that it was made by is gone; holds its name.
    #[error("original token role {} could not be found, not renewing", crate::model::go_text::quote(.0))]
    TokenRoleGone(String),
    /// The role or user that it was made for is gone; holds its name.
    #[error("role {} does not exist during renewal", crate::model::go_text::quote(.0))]
    LoginGone(String),
    /// A root token that never ends has no lease to renew.
    #[error("the token has no lease")]
    NoLease,
    /// The end of the token's life cannot be moved any further.
    #[error("the token is past its maximum life")]
    PastMaximum,
    /// The request for a new token is not acceptable.
    #[error(transparent)]
    Create(#[from] CreateRefused),
    /// The key that digests are made with is not there, or does not work.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who proved who they are.
// INVARIANT: made by [`Auth::authenticate`] only, from a live token.
#[derive(Debug, Clone)]
pub struct Caller {
    token: Arc<Token>,
    remote: Option<IpAddr>,
    last_use: bool,
    /// Of a batch token's parent.
    holder: Option<Accessor>,
    identity: Option<Arc<Identity>>,
    /// With those of its identity, where that adds any.
    policies: Option<Vec<String>>,
    generation: Generation,
}

impl Caller {
    /// The name for user names and logs, e.g. `token-ci`.
    pub fn display_name(&self) -> &str {
        &self.token.display_name
    }

    /// The public handle of the token.
    pub fn accessor(&self) -> &Accessor {
        &self.token.accessor
    }

    /// The stored token that leases hang on: a batch token's parent, since it is not stored itself. One
    /// without a parent holds them by a name that no stored token has.
    pub fn holder(&self) -> &Accessor {
        self.holder.as_ref().unwrap_or(&self.token.accessor)
    }

    /// When leases must have ended by themselves, since no stored token ends then; `None` where one does.
    pub fn lease_end(&self) -> Option<Timestamp> {
        self.token.expires_at.filter(|_| self.is_batch())
    }

    /// Whether it is a batch token.
    pub fn is_batch(&self) -> bool {
        self.token.kind == TokenKind::Batch
    }

    /// Who stands behind the token.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// All policies that count, by name, sorted: the token's and its identity's.
    pub fn policies(&self) -> &[String] {
        self.policies.as_deref().unwrap_or(&self.token.policies)
    }

    /// Whether the token carries the root policy.
    pub fn is_root(&self) -> bool {
        self.token.policies.iter().any(|policy| policy == acl::ROOT)
    }

    /// The token itself, with the uses that are left after this one.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// When the token ends; `None` = never.
    pub fn token_expires_at(&self) -> Option<Timestamp> {
        self.token.expires_at
    }

    /// Where the request came from.
    pub fn remote(&self) -> Option<IpAddr> {
        self.remote
    }

    /// Whether this request was the token's last: it ends with the answer, so nothing leased can be
    /// given to it.
    pub fn is_last_use(&self) -> bool {
        self.last_use
    }
}

/// What [`Auth`] needs.
#[derive(Debug, Clone)]
pub struct AuthParts {
    /// Where tokens are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes digests.
    pub barrier: Arc<Barrier>,
    /// Makes tokens and accessors.
    pub random: Random,
    /// Is told when leases lose their holder.
    pub leases: Arc<Leases>,
}

/// Tokens and what they may do.
#[derive(Debug)]
pub struct Auth {
    parts: AuthParts,
    known: Known,
    methods: methods::Methods,
    quotas: quotas::Quotas,
}

impl Auth {
    /// Puts it together; touches nothing.
    pub fn new(parts: AuthParts) -> Self {
        let (known, methods) = (Known::default(), methods::Methods::default());
        Self { parts, known, methods, quotas: quotas::Quotas::default() }
    }

    /// Who `token` is. A token with a limited number of uses loses one, whatever follows.
    pub async fn authenticate(
        &self,
        token: &ClientToken,
        remote: Option<IpAddr>,
    ) -> Result<Caller, AuthError> {
        // Before anything that may be kept is read.
        let generation = self.known.generation();
        if let Some((token, holder)) = self.opened(token).await? {
            return self.caller(Arc::new(token), remote, holder, generation).await;
        }
        let digest = self.parts.barrier.token_digest(token)?;
        let stored = self.live(&digest).await?.ok_or(AuthError::InvalidToken)?;
        let mut caller = self.caller(stored, remote, None, generation).await?;
        if caller.token.num_uses == 0 {
            return Ok(caller);
        }
        let left = self.parts.store.use_token(&digest).await?;
        let left = left.ok_or(AuthError::InvalidToken)?.max(0);
        Arc::make_mut(&mut caller.token).num_uses = left;
        caller.last_use = left == 0;
        Ok(caller)
    }

    /// Somebody with a live token, from a place that it may be used from.
    async fn caller(
        &self,
        token: Arc<Token>,
        remote: Option<IpAddr>,
        holder: Option<Accessor>,
        generation: Generation,
    ) -> Result<Caller, AuthError> {
        if !Network::admit(&token.bound_cidrs, remote) {
            return Err(AuthError::Denied);
        }
        let identity = self.behind(&token).await?;
        let policies = policies::joined(&token.policies, identity.as_deref());
        Ok(Caller { token, remote, last_use: false, holder, identity, policies, generation })
    }

    /// Ends the token of a request that was its last.
    pub async fn finish(&self, caller: &Caller) -> Result<(), AuthError> {
        if caller.last_use {
            self.end(&caller.token.digest).await?;
        }
        Ok(())
    }

    /// A stored token that still opens something.
    async fn live(&self, digest: &TokenDigest) -> Result<Option<Arc<Token>>, StoreError> {
        let now = self.parts.clock.now();
        let stored = self.parts.store.token(digest).await?;
        Ok(stored.filter(|token| same_digest(&token.digest, digest) && is_live(token, now)))
    }

    /// Ends a token and its descendants; their leases end with them.
    async fn end(&self, digest: &TokenDigest) -> Result<u64, AuthError> {
        let now = self.parts.clock.now();
        let ended = self.parts.store.end_token_tree(digest, now).await?;
        self.parts.leases.token_ended();
        Ok(ended)
    }
}

fn same_digest(one: &TokenDigest, two: &TokenDigest) -> bool {
    bool::from(one.0.as_bytes().ct_eq(two.0.as_bytes()))
}

fn is_live(token: &Token, now: Timestamp) -> bool {
    let in_time = token.expires_at.is_none_or(|end| now < end);
    token.ended_at.is_none() && in_time && token.num_uses >= 0
}
