//! The life of a token after it was made (contract 3.2): looked up, renewed, revoked. Its end ends its
//! descendants and everybody's leases in one transaction. Making one: [`super::create`]; those whose
//! time is over are ended by the reaper, [`crate::leases`].

use std::sync::Arc;
use std::time::Duration;

use super::plan::remaining;
use super::{Auth, AuthError, Caller, is_live};
use crate::model::duration::ttl_capped;
use crate::model::{Accessor, ClientToken, Timestamp, Token, TokenKind, TokenRole};
use crate::store::StoreError;

/// What a token begins with, as Vault's service tokens do.
pub(super) const TOKEN_PREFIX: &str = "hvs.";
/// Random characters of a token. With the prefix 95, about as long as Vault's (contract 3.2).
pub(super) const TOKEN_RANDOM: usize = 91;
/// Characters of a token.
pub const ROOT_TOKEN_LENGTH: usize = TOKEN_PREFIX.len().saturating_add(TOKEN_RANDOM);
/// 768 h: the server's default and maximum TTL (contract 1.6).
pub const MAX_TTL_SECONDS: u64 = 2_764_800;

/// A token as it was given out or renewed.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The token itself, where the caller may see it.
    pub client_token: Option<ClientToken>,
    /// What is stored about it.
    pub token: Token,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// What whoever stands behind it adds, by name, sorted.
    pub identity_policies: Vec<String>,
}

impl Granted {
    /// Seconds until its end, 0 = never.
    pub fn lease_duration(&self, now: Timestamp) -> u64 {
        ttl(&self.token, now)
    }
}

/// A token that was looked up.
#[derive(Debug, Clone)]
pub struct TokenLookup {
    /// What is stored about it.
    pub token: Arc<Token>,
    /// Seconds until its end, 0 = never.
    pub ttl: u64,
    /// What whoever stands behind it adds, by name, sorted.
    pub identity_policies: Vec<String>,
}

impl Auth {
    /// The caller's own token.
    pub async fn lookup_self(&self, caller: &Caller) -> Result<TokenLookup, AuthError> {
        self.looked_up(Arc::clone(&caller.token)).await
    }

    /// A token by itself.
    pub async fn lookup(&self, token: &ClientToken) -> Result<TokenLookup, AuthError> {
        match self.opened(token).await {
            Ok(None) => {}
            Ok(Some((batch, _))) => return self.looked_up(Arc::new(batch)).await,
            Err(AuthError::InvalidToken) => return Err(AuthError::NoSuchToken),
            Err(error) => return Err(error),
        }
        let digest = self.parts.barrier.token_digest(token)?;
        self.looked_up(self.live(&digest).await?.ok_or(AuthError::NoSuchToken)?).await
    }

    /// A token by its public handle.
    pub async fn lookup_accessor(&self, accessor: &Accessor) -> Result<TokenLookup, AuthError> {
        self.looked_up(self.live_by_accessor(accessor).await?).await
    }

    async fn looked_up(&self, token: Arc<Token>) -> Result<TokenLookup, AuthError> {
        let ttl = ttl(&token, self.parts.clock.now());
        let identity_policies = self.identity_policies(&token).await?;
        Ok(TokenLookup { token, ttl, identity_policies })
    }

    /// With what whoever stands behind it adds.
    pub(super) async fn with_identity(&self, granted: Granted) -> Result<Granted, AuthError> {
        let identity_policies = self.identity_policies(&granted.token).await?;
        Ok(Granted { identity_policies, ..granted })
    }

    async fn live_by_accessor(&self, accessor: &Accessor) -> Result<Arc<Token>, AuthError> {
        let now = self.parts.clock.now();
        let stored = self.parts.store.token_by_accessor(accessor).await?;
        stored.filter(|token| is_live(token, now)).ok_or(AuthError::NoSuchAccessor)
    }

    /// Accessors of all tokens that are alive.
    pub async fn accessors(&self) -> Result<Vec<String>, AuthError> {
        let accessors = self.parts.store.accessors().await?;
        Ok(accessors.into_iter().map(|accessor| accessor.0).collect())
    }

    /// Moves the end of the caller's own token.
    pub async fn renew_self(&self, caller: &Caller, increment: u64) -> Result<Granted, AuthError> {
        self.renewed(caller.token(), increment).await
    }

    /// Moves the end of a token.
    pub async fn renew(&self, token: &ClientToken, increment: u64) -> Result<Granted, AuthError> {
        let digest = self.parts.barrier.token_digest(token)?;
        let stored = self.live(&digest).await?.ok_or(AuthError::NoSuchToken)?;
        self.renewed(&stored, increment).await
    }

    /// Moves the end of the token with this accessor.
    pub async fn renew_accessor(
        &self,
        accessor: &Accessor,
        increment: u64,
    ) -> Result<Granted, AuthError> {
        let stored = self.live_by_accessor(accessor).await?;
        self.renewed(&stored, increment).await
    }

    async fn renewed(&self, stored: &Token, increment: u64) -> Result<Granted, AuthError> {
        if stored.kind == TokenKind::Batch {
            return Err(AuthError::Batch("renewed"));
        }
        let now = self.parts.clock.now();
        self.login_stands(stored).await?;
        let (token, warnings) = match &stored.role {
            None => renewal(stored, increment, now)?,
            Some(role) => {
                let found = self.parts.store.token_role(role).await?;
                let role = found.ok_or_else(|| AuthError::TokenRoleGone(role.clone()))?;
                renewal(&as_role_says(stored, &role), increment, now)?
            }
        };
        match self.parts.store.update_token(&token).await {
            // It ended meanwhile.
            Err(StoreError::Conflict) => return Err(AuthError::NoSuchToken),
            written => written?,
        }
        let identity_policies = Vec::new();
        let granted = Granted { client_token: None, token, warnings, identity_policies };
        self.with_identity(granted).await
    }

    /// Ends the caller's own token.
    pub async fn revoke_self(&self, caller: &Caller) -> Result<(), AuthError> {
        if caller.is_batch() {
            return Err(AuthError::Batch("revoked"));
        }
        self.end(&caller.token().digest).await.map(drop)
    }

    /// Ends the token with this accessor; `false` where there is none.
    pub async fn revoke_accessor(&self, accessor: &Accessor) -> Result<bool, AuthError> {
        match self.live_by_accessor(accessor).await {
            Ok(token) => self.end(&token.digest).await.map(|_ended| true),
            Err(AuthError::NoSuchAccessor) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends a token alone: its children live on without a parent. `false` where there is none.
    pub async fn revoke_orphan(&self, token: &ClientToken) -> Result<bool, AuthError> {
        let digest = self.parts.barrier.token_digest(token)?;
        let now = self.parts.clock.now();
        let ended = self.parts.store.end_token_alone(&digest, now).await?;
        self.parts.leases.token_ended();
        Ok(ended)
    }

    /// Ends a token; one that is not there has ended already.
    pub async fn revoke(&self, token: &ClientToken) -> Result<(), AuthError> {
        let digest = self.parts.barrier.token_digest(token)?;
        if self.parts.store.token(&digest).await?.is_some() {
            self.end(&digest).await?;
        }
        Ok(())
    }
}

/// Seconds until the end, 0 = never.
fn ttl(token: &Token, now: Timestamp) -> u64 {
    let seconds = token.expires_at.map_or(0, |end| end.seconds_from(now));
    u64::try_from(seconds).unwrap_or(0)
}

/// What a role says now of a token that it made: its period counts from the next renewal on, also where it has
/// none any more, and its maximum where that is less.
fn as_role_says(token: &Token, role: &TokenRole) -> Token {
    let set = |seconds: u64| (seconds > 0).then_some(seconds);
    let (own, of_role) = (set(token.explicit_max_ttl), set(role.explicit_max_ttl));
    Token {
        period: role.period,
        explicit_max_ttl: own.into_iter().chain(of_role).min().unwrap_or(0),
        ..token.clone()
    }
}

/// What a renewal makes of a token (contract 1.6 and 3.2): the period, else the increment, else what it
/// was made for; the maximum counts from when it was made.
fn renewal(
    token: &Token,
    increment: u64,
    now: Timestamp,
) -> Result<(Token, Vec<String>), AuthError> {
    if token.expires_at.is_none() {
        return Err(AuthError::NoLease);
    }
    if !token.renewable {
        return Err(AuthError::NotRenewable);
    }
    let wanted = match (token.period, increment, token.creation_ttl) {
        (0, 0, 0) => MAX_TTL_SECONDS,
        (0, 0, creation) => creation,
        (0, increment, _) => increment,
        (period, _, _) => period,
    };
    let explicit = remaining(token.explicit_max_ttl, token.created_at, now);
    let max_ttl = token.login.as_ref().map_or(MAX_TTL_SECONDS, |login| login.max_ttl);
    let most = if token.period > 0 {
        explicit
    } else {
        explicit.min(remaining(max_ttl, token.created_at, now))
    };
    if most == 0 {
        return Err(AuthError::PastMaximum);
    }
    let (wanted, most) = (Duration::from_secs(wanted), Duration::from_secs(most));
    let warnings = if wanted > most { vec![ttl_capped(wanted, most)] } else { Vec::new() };
    let mut renewed = token.clone();
    renewed.expires_at = Some(now.after(wanted.min(most)));
    renewed.last_renewal = Some(now);
    Ok((renewed, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TokenDigest;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn token(ttl: u64) -> Token {
        Token {
            policies: vec!["default".to_owned()],
            creation_ttl: ttl,
            expires_at: Some(NOW.after(Duration::from_secs(ttl))),
            renewable: true,
            ..Token::new(TokenDigest("d".to_owned()), Accessor("a".to_owned()), NOW)
        }
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn renewed_to(token: &Token, increment: u64, at: u64) -> u64 {
        let (renewed, _) = renewal(token, increment, later(at)).unwrap();
        assert_eq!(renewed.last_renewal, Some(later(at)));
        ttl(&renewed, later(at))
    }

    #[test]
    fn a_renewal_is_a_wish_and_not_an_addition() {
        assert_eq!(renewed_to(&token(600), 0, 100), 600);
        assert_eq!(renewed_to(&token(600), 60, 100), 60);
        assert_eq!(renewed_to(&token(600), 3600, 100), 3600);
    }

    #[test]
    fn the_maximum_counts_from_the_making() {
        let limited = Token { explicit_max_ttl: 1000, ..token(600) };
        let (renewed, warnings) = renewal(&limited, 600, later(500)).unwrap();
        assert_eq!(ttl(&renewed, later(500)), 500);
        assert_eq!(
            warnings,
            [
                r#"TTL of "10m" exceeded the effective max_ttl of "8m20s"; TTL value is capped accordingly"#
            ]
        );
        assert!(matches!(renewal(&limited, 1, later(1000)), Err(AuthError::PastMaximum)));
    }

    #[test]
    fn a_periodic_token_gets_its_period_and_has_no_end() {
        let periodic = Token { period: 3, ..token(3) };
        assert_eq!(renewed_to(&periodic, 999, 2), 3);
        assert_eq!(renewed_to(&periodic, 0, MAX_TTL_SECONDS.saturating_mul(2)), 3);
    }

    /// Found by a review: a role's period that was taken away went on for ever in the tokens that it had made.
    #[test]
    fn a_period_that_its_role_lost_is_no_period_any_more() {
        let periodic = Token { period: 3, ..token(3) };
        let role = TokenRole { period: 60, ..TokenRole::new("r") };
        assert_eq!(renewed_to(&as_role_says(&periodic, &role), 0, 2), 60);
        let lost = as_role_says(&periodic, &TokenRole::new("r"));
        assert!(matches!(renewal(&lost, 0, later(MAX_TTL_SECONDS)), Err(AuthError::PastMaximum)));
    }

    #[test]
    fn what_cannot_be_renewed_says_why() {
        let fixed = Token { renewable: false, ..token(60) };
        assert!(matches!(renewal(&fixed, 0, NOW), Err(AuthError::NotRenewable)));
        let root = Token { expires_at: None, ..token(0) };
        assert!(matches!(renewal(&root, 0, NOW), Err(AuthError::NoLease)));
    }
}
