//! From somebody who proved who they are to a token: the one place where a login becomes one. It has no
//! parent, keeps where it may be used from, and ends with its auth mount.

use std::collections::BTreeMap;

use tracing::{debug, info};

use super::{EffectiveTtls, MethodError};
use crate::auth::create::NewToken;
use crate::auth::plan::plan_login;
use crate::auth::token::Granted;
use crate::auth::{Auth, AuthError};
use crate::model::{
    AuthMethod, AuthMount, Login, Network, RoleKind, Token, TokenDigest, TokenKind, TokenParams,
};
use crate::store::StoreError;

/// Who is let in, and as what.
#[derive(Debug)]
pub(super) struct LetIn<'a> {
    pub(super) mount: &'a AuthMount,
    /// The role or user.
    pub(super) name: &'a str,
    /// What follows the mount's path in the token's display name.
    pub(super) shown: &'a str,
    /// Whoever it is, by the name that the method knows them by; with the mount's accessor it is one person or machine.
    pub(super) alias: &'a str,
    /// Groups that whoever signed for them says they are in.
    pub(super) groups: &'a [String],
    /// What follows it in the token's path.
    pub(super) path: String,
    pub(super) params: &'a TokenParams,
    /// Where the token may be used from.
    pub(super) bound_cidrs: &'a [Network],
    pub(super) meta: BTreeMap<String, String>,
}

impl Auth {
    /// Makes the token.
    pub(super) async fn let_in(&self, who: LetIn<'_>) -> Result<Granted, MethodError> {
        let now = self.parts.clock.now();
        let ttls = EffectiveTtls::of(who.mount);
        let kind = made_at(who.mount, who.params);
        let planned = plan_login(who.params, who.bound_cidrs, ttls, kind, now);
        let (mut planned, max_ttl) = planned.map_err(AuthError::from)?;
        let warnings = std::mem::take(&mut planned.warnings);
        planned.path = format!("auth/{}{}", who.mount.path, who.path);
        let said = lasting(&who);
        planned.entity = Some(self.person(&who.mount.accessor, who.alias, &said).await?);
        let new = NewToken { meta: Some(who.meta), ..NewToken::default() };
        let unsealed = TokenDigest(String::new());
        let mut token = planned.token(unsealed, self.fresh_accessor(), new, now);
        token.display_name = display_name(who.mount, who.shown);
        token.login =
            Some(Login { mount: who.mount.id.clone(), name: who.name.to_owned(), max_ttl });
        let granted = match kind {
            TokenKind::Batch => self.sealed_batch(token, warnings)?,
            TokenKind::Service => self.stored_login(token, warnings).await?,
        };
        // AppRole's alias is the role id, which is half of a secret.
        let shown = if who.shown.is_empty() { who.name } else { who.shown };
        if !who.shown.is_empty() {
            debug!(
                mount.path = %who.mount.path,
                "`{}` is in the groups {:?}", who.alias.escape_debug(), who.groups
            );
        }
        info!(
            mount.path = %who.mount.path, caller = %granted.token.accessor.0,
            "`{}` logged in at auth/{}", shown.escape_debug(), who.mount.path
        );
        Ok(self.with_identity(granted).await?)
    }

    /// A login's service token, written.
    async fn stored_login(
        &self,
        mut token: Token,
        warnings: Vec<String>,
    ) -> Result<Granted, MethodError> {
        let client_token = self.fresh_token();
        token.digest = self.parts.barrier.token_digest(&client_token)?;
        match self.parts.store.create_token(&token).await {
            // The mount was disabled meanwhile.
            Err(StoreError::Conflict) => return Err(AuthError::Denied.into()),
            written => written?,
        }
        if let Some(end) = token.expires_at {
            self.parts.leases.due_by(end);
        }
        let identity_policies = Vec::new();
        Ok(Granted { client_token: Some(client_token), token, warnings, identity_policies })
    }

    /// Refuses an alias that has guessed too often.
    pub(super) fn must_not_be_locked(
        &self,
        mount: &AuthMount,
        alias: &str,
    ) -> Result<(), MethodError> {
        let locked = self.methods.lockout.is_locked(&mount.id, alias, self.parts.clock.now());
        if locked { Err(MethodError::Locked) } else { Ok(()) }
    }

    /// Counts a wrong guess.
    pub(super) fn guessed_wrong(&self, mount: &AuthMount, alias: &str) {
        if self.methods.lockout.failed(&mount.id, alias, self.parts.clock.now()) {
            tracing::warn!(
                mount.path = %mount.path,
                "too many failed logins at auth/{}: one alias is locked for 15 minutes", mount.path
            );
        }
    }

    /// Forgets the wrong guesses.
    pub(super) fn guessed_right(&self, mount: &AuthMount, alias: &str) {
        self.methods.lockout.succeeded(&mount.id, alias);
    }
}

/// What a login says of whoever it is that holds for their next one too. What a secret id says does not: a role id is
/// shared by all that have one.
fn lasting(who: &LetIn<'_>) -> BTreeMap<String, String> {
    match who.mount.method {
        AuthMethod::AppRole => BTreeMap::from([("role_name".to_owned(), who.name.to_owned())]),
        AuthMethod::Userpass | AuthMethod::Jwt | AuthMethod::Oidc | AuthMethod::Kubernetes => {
            who.meta.clone()
        }
    }
}

/// The kind of token that a role or user gets at a mount: the mount's where that is no default, else the role's,
/// else the mount's default (contract 2.5).
fn made_at(mount: &AuthMount, params: &TokenParams) -> TokenKind {
    let of_mount = RoleKind::from_word(&mount.token_type).unwrap_or_default();
    match (of_mount, RoleKind::from_word(&params.token_type)) {
        (RoleKind::Service | RoleKind::Batch, _) | (_, None) => of_mount.of(None),
        (RoleKind::DefaultService | RoleKind::DefaultBatch, Some(own)) => own.of(None),
    }
}

/// `<mount>-<name>`, slashes made `-`; the mount alone where nothing follows, as Vault shows AppRole's.
fn display_name(mount: &AuthMount, shown: &str) -> String {
    let full = format!("{}{shown}", mount.path.as_str().replace('/', "-"));
    full.strip_suffix('-').map(str::to_owned).unwrap_or(full)
}
