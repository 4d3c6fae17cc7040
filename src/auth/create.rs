//! Making tokens (contract 3.2). What may be asked for, and what becomes of it, is decided by the pure
//! rules of [`super::plan`]; here it is written. Looking up, renewing and revoking: [`super::token`].

use std::collections::BTreeMap;

use super::plan::{Planned, plan, plan_by_role};
use super::token::{Granted, TOKEN_PREFIX, TOKEN_RANDOM};
use super::{Auth, AuthError, Caller, acl, is_live};
use crate::model::go_text::quote;
use crate::model::{Accessor, ClientToken, Timestamp, Token, TokenDigest, TokenKind};
use crate::store::StoreError;

/// Whose child a new token is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Parentage {
    /// The caller's: it ends with the caller's token.
    #[default]
    Child,
    /// Nobody's, by the field `no_parent`, which needs `sudo`.
    OrphanByField,
    /// Nobody's, by the path for orphans, whose rules decide alone.
    OrphanByPath,
}

/// What a new token should be. Texts are read, numbers are not yet checked.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// The token itself, chosen by the caller.
    pub id: Option<ClientToken>,
    /// Policies as sent; empty = the parent's.
    pub policies: Vec<String>,
    /// Shown on lookup.
    pub meta: Option<BTreeMap<String, String>>,
    /// Whose child it is.
    pub parentage: Parentage,
    /// Whether `default` is left out.
    pub no_default_policy: bool,
    /// Whether it shall be renewable.
    pub renewable: bool,
    /// Seconds; `None` = not sent.
    pub ttl: Option<i64>,
    /// Seconds; `None` = not sent.
    pub explicit_max_ttl: Option<i64>,
    /// Seconds; `None` = not sent.
    pub period: Option<i64>,
    /// For logs and user names.
    pub display_name: Option<String>,
    /// 0 = without limit.
    pub num_uses: i64,
    /// What kind; `None` = not sent.
    pub kind: Option<TokenKind>,
    /// By what name the tokens' own mount knows whom it shall stand for.
    pub entity_alias: Option<String>,
}

/// Why a token is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefused {
    /// The caller's token has limited uses.
    #[error("restricted use token cannot generate child tokens")]
    RestrictedParent,
    /// More policies than the parent has.
    #[error("child policies must be subset of parent")]
    NotSubset,
    /// The policy of wrapping tokens.
    #[error("cannot assign policy \"response-wrapping\"")]
    ReservedPolicy,
    /// Only root makes root.
    #[error("root tokens may not be created without parent token being root")]
    RootWithoutRoot,
    /// A root token that ends made one that does not.
    #[error("expiring root tokens cannot create non-expiring root tokens")]
    ExpiringRoot,
    /// No login makes root. In Vault's words.
    #[error("auth methods cannot create root tokens")]
    RootByLogin,
    /// Only root makes orphans.
    #[error("root or sudo privileges required to create orphan token")]
    OrphanWithoutRoot,
    /// Only root chooses ids.
    #[error("root or sudo privileges required to specify token id")]
    IdWithoutRoot,
    /// Only root makes periodic tokens.
    #[error("root or sudo privileges required to create periodic token")]
    PeriodWithoutRoot,
    /// A batch token makes no others.
    #[error("batch tokens cannot create more tokens")]
    BatchParent,
    /// What a batch token cannot have; holds the field's name.
    #[error("batch tokens cannot have {} set", quote(.0))]
    BatchWith(&'static str),
    /// A batch token could never be taken from root.
    #[error("batch tokens cannot be root tokens")]
    BatchRoot,
    /// No such token role.
    #[error("unknown role {0}")]
    UnknownRole(String),
    /// `entity_alias` without a role.
    #[error("'entity_alias' is only allowed in combination with token role")]
    AliasWithoutRole,
    /// `entity_alias` that the role does not allow.
    #[error("invalid 'entity_alias' value")]
    AliasNotAllowed,
    /// Policies that the role does not allow; each list as Go prints it.
    #[error(
        "token policies ({asked}) must be subset of the role's allowed policies ({allowed}) or glob policies ({globs})"
    )]
    NotAllowedByRole {
        /// What was asked for.
        asked: String,
        /// What may be.
        allowed: String,
        /// What may be, with `*`.
        globs: String,
    },
    /// A policy that the role forbids.
    #[error("token policy {} is disallowed by this role", quote(.0))]
    DisallowedByRole(String),
    /// There is such a token.
    #[error("cannot create a token with a duplicate ID")]
    DuplicateId,
    /// Below zero.
    #[error("number of uses cannot be negative")]
    NegativeUses,
    /// Below zero; holds the field's name.
    #[error("{0} must be positive")]
    NotPositive(&'static str),
}

/// What Vault says about chosen ids; its digest there is weaker. Clients may look for the words.
const CUSTOM_ID: &str = "Supplying a custom ID for the token uses the weaker SHA1 hashing instead of \
    the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less \
    secure lookups.";

/// Where `sudo` lets a caller choose ids, periods and parents (contract 3.2).
const CREATE_PATH: &str = "auth/token/create";

impl Auth {
    /// Makes a token as a child of the caller's.
    pub async fn create(&self, caller: &Caller, new: NewToken) -> Result<Granted, AuthError> {
        may_create(caller)?;
        let now = self.parts.clock.now();
        let sudo = self.has_sudo(caller, CREATE_PATH).await?;
        let planned = plan(caller.token(), &new, sudo, now)?;
        self.made(planned, new, now).await
    }

    /// Makes a token by a token role.
    pub async fn create_by_role(
        &self,
        caller: &Caller,
        role: &str,
        new: NewToken,
    ) -> Result<Granted, AuthError> {
        may_create(caller)?;
        let found = self.parts.store.token_role(role).await?;
        let role = found.ok_or_else(|| CreateRefused::UnknownRole(role.to_owned()))?;
        let now = self.parts.clock.now();
        let sudo = self.has_sudo(caller, &format!("{CREATE_PATH}/{}", role.name)).await?;
        let mut planned = plan_by_role(caller.token(), &role, &new, sudo, now)?;
        if let Some(alias) = &new.entity_alias {
            let mount = self.own_mount_accessor().await?;
            planned.entity = Some(self.person(&mount, alias, &BTreeMap::new()).await?);
        }
        self.made(planned, new, now).await
    }

    async fn made(
        &self,
        mut planned: Planned,
        new: NewToken,
        now: Timestamp,
    ) -> Result<Granted, AuthError> {
        planned.warnings.extend(self.policy_warnings(planned.policies()).await?);
        let mut warnings = std::mem::take(&mut planned.warnings);
        let granted = if planned.kind == TokenKind::Batch {
            let unsealed = TokenDigest(String::new());
            let token = planned.token(unsealed, self.fresh_accessor(), new, now);
            self.sealed_batch(token, warnings)?
        } else {
            if new.id.is_some() {
                warnings.push(CUSTOM_ID.to_owned());
            }
            let (client_token, token) = self.stored(&planned, new, now).await?;
            let identity_policies = Vec::new();
            Granted { client_token: Some(client_token), token, warnings, identity_policies }
        };
        self.with_identity(granted).await
    }

    /// A service token, written.
    async fn stored(
        &self,
        planned: &Planned,
        new: NewToken,
        now: Timestamp,
    ) -> Result<(ClientToken, Token), AuthError> {
        let client_token = match &new.id {
            Some(id) => id.clone(),
            None => self.fresh_token(),
        };
        let digest = self.parts.barrier.token_digest(&client_token)?;
        let token = planned.token(digest, self.fresh_accessor(), new, now);
        match self.parts.store.create_token(&token).await {
            Err(StoreError::Conflict) => return Err(self.why_not_written(&token).await?),
            written => written?,
        }
        Ok((client_token, token))
    }

    /// Why the store did not take a new token: somebody else chose the same id, or the caller's token ended
    /// meanwhile, and its children with it.
    async fn why_not_written(&self, token: &Token) -> Result<AuthError, StoreError> {
        Ok(match self.parts.store.token(&token.digest).await? {
            Some(_theirs) => CreateRefused::DuplicateId.into(),
            None => AuthError::InvalidToken,
        })
    }

    /// Makes a root token that never ends, as at init; with an `id` that is a live root token already
    /// (dev mode after a restart) there is nothing to do.
    pub async fn create_root(&self, id: Option<ClientToken>) -> Result<ClientToken, AuthError> {
        let now = self.parts.clock.now();
        let client_token = id.unwrap_or_else(|| self.fresh_token());
        let digest = self.parts.barrier.token_digest(&client_token)?;
        if let Some(stored) = self.parts.store.token(&digest).await? {
            let is_root = stored.policies.iter().any(|policy| policy == acl::ROOT);
            if is_root && is_live(&stored, now) {
                return Ok(client_token);
            }
            return Err(CreateRefused::DuplicateId.into());
        }
        let token = Token {
            policies: vec![acl::ROOT.to_owned()],
            display_name: "root".to_owned(),
            path: "auth/token/root".to_owned(),
            ..Token::new(digest, self.fresh_accessor(), now)
        };
        match self.parts.store.create_token(&token).await {
            Err(StoreError::Conflict) => Err(CreateRefused::DuplicateId.into()),
            written => Ok(written.map(|()| client_token)?),
        }
    }

    async fn policy_warnings(&self, names: &[String]) -> Result<Vec<String>, StoreError> {
        let unknown = self.unknown_policies(names).await?;
        Ok(unknown.iter().map(|name| format!("Policy \"{name}\" does not exist")).collect())
    }

    pub(super) fn fresh_token(&self) -> ClientToken {
        let random = self.parts.random.base62(TOKEN_RANDOM);
        ClientToken::new(format!("{TOKEN_PREFIX}{random}"))
    }

    pub(super) fn fresh_accessor(&self) -> Accessor {
        // 24 characters: contract 3.2.
        Accessor(self.parts.random.base62(24))
    }
}

/// On its last use a token's number of uses is zero, which would mean without limit.
fn may_create(caller: &Caller) -> Result<(), CreateRefused> {
    if caller.is_last_use() { Err(CreateRefused::RestrictedParent) } else { Ok(()) }
}
