//! Response wrapping (contract 2.7): an answer is kept, sealed, under a token with one use, and whoever gets
//! that token first gets the answer. What nobody unwraps in time ends with the token. How answers look is
//! [`crate::http`]'s; that one is lost with its token, the store's.

use std::time::Duration;

use tracing::warn;
use zeroize::Zeroizing;

use super::{Auth, AuthError, acl};
use crate::model::{Accessor, ClientToken, LeaseId, Timestamp, Token, TokenDigest};
use crate::seal::SealError;
use crate::store::StoreError;
use crate::store::wrapping::Wrapping;

/// An answer to be wrapped.
#[derive(Debug)]
pub struct ToWrap {
    /// The whole body, as the caller would have got it.
    pub body: Zeroizing<Vec<u8>>,
    /// For how many seconds.
    pub ttl: u64,
    /// The path that was asked.
    pub path: String,
    /// The lease in it.
    pub lease: Option<LeaseId>,
    /// The token in it.
    pub accessor: Option<Accessor>,
}

/// What the caller gets in its place.
#[derive(Debug)]
pub struct Wrapped {
    /// The token that unwraps.
    pub token: ClientToken,
    /// Its public handle.
    pub accessor: Accessor,
    /// Seconds until it ends.
    pub ttl: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The path that was asked.
    pub path: String,
    /// Of the token inside.
    pub wrapped_accessor: Option<Accessor>,
}

/// What may be known of a wrapped answer without unwrapping it.
#[derive(Debug, PartialEq, Eq)]
pub struct WrappingInfo {
    /// Seconds that it was wrapped for.
    pub ttl: u64,
    /// When.
    pub created_at: Timestamp,
    /// The path that was asked.
    pub path: String,
}

/// Why nothing can be unwrapped.
#[derive(Debug, thiserror::Error)]
pub enum WrappingError {
    /// Unwrapped before, ended, or no wrapping token at all.
    #[error("wrapping token is not valid or does not exist")]
    NotValid,
    /// The key is not there, or does not open it.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The new token could not be made.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// A body, and the lease and the token in it.
pub type Taken = (Zeroizing<Vec<u8>>, Option<LeaseId>, Option<Accessor>);

impl Auth {
    /// Keeps an answer under a fresh token. Where that fails, nobody will ever hold what it hands out: it is
    /// revoked.
    pub async fn wrap(&self, answer: ToWrap) -> Result<Wrapped, AuthError> {
        let (lease, accessor) = (answer.lease.clone(), answer.accessor.clone());
        let kept = self.keep(answer).await;
        if kept.is_err() {
            self.lost(lease, accessor).await;
        }
        kept
    }

    async fn keep(&self, answer: ToWrap) -> Result<Wrapped, AuthError> {
        let now = self.parts.clock.now();
        let client_token = self.fresh_token();
        let digest = self.parts.barrier.token_digest(&client_token)?;
        let body = self.parts.barrier.seal(&answer.body, &context(&digest))?;
        let token = Token {
            policies: vec![acl::RESPONSE_WRAPPING.to_owned()],
            display_name: String::new(),
            path: answer.path,
            num_uses: 1,
            creation_ttl: answer.ttl,
            expires_at: Some(now.after(Duration::from_secs(answer.ttl))),
            explicit_max_ttl: answer.ttl,
            ..Token::new(digest, self.fresh_accessor(), now)
        };
        let ToWrap { lease, accessor, .. } = answer;
        let wrapping = Wrapping { body, lease, accessor };
        self.parts.store.put_wrapping(&token, &wrapping).await?;
        if let Some(end) = token.expires_at {
            self.parts.leases.due_by(end);
        }
        Ok(Wrapped {
            token: client_token,
            accessor: token.accessor,
            ttl: token.creation_ttl,
            created_at: now,
            path: token.path,
            wrapped_accessor: wrapping.accessor,
        })
    }

    /// Gives the answer out, for the first and only time, and what it hands out: who gets neither calls
    /// [`Auth::lost`].
    pub async fn unwrap(&self, token: &ClientToken) -> Result<Taken, WrappingError> {
        self.taken(token).await
    }

    /// The answer, what it hands out, and its token is dead.
    async fn taken(&self, token: &ClientToken) -> Result<Taken, WrappingError> {
        let digest = self.parts.barrier.token_digest(token)?;
        let now = self.parts.clock.now();
        let wrapping = self.parts.store.take_wrapping(&digest, now).await?;
        let Wrapping { body, lease, accessor } = wrapping.ok_or(WrappingError::NotValid)?;
        match self.parts.barrier.open(&body, &context(&digest)) {
            Ok(body) => Ok((body, lease, accessor)),
            Err(error) => {
                self.lost(lease, accessor).await;
                Err(error.into())
            }
        }
    }

    /// Ends what nobody was given.
    pub async fn lost(&self, lease: Option<LeaseId>, accessor: Option<Accessor>) {
        if let Some(lease) = lease
            && let Err(error) = self.parts.leases.revoke_later(&lease).await
        {
            warn!(lease.id = %lease, error = %error, "lease {lease}, which nobody was given, lives until its TTL");
        }
        if let Some(accessor) = accessor
            && let Err(error) = self.revoke_accessor(&accessor).await
        {
            warn!(error = %error, "the token {}, which nobody was given, lives until its TTL", accessor.0);
        }
    }

    /// What is known of a wrapped answer; does not use up its token.
    pub async fn wrapping_info(&self, token: &ClientToken) -> Result<WrappingInfo, WrappingError> {
        let digest = self.parts.barrier.token_digest(token)?;
        let live = self.live(&digest).await?.ok_or(WrappingError::NotValid)?;
        self.parts.store.wrapping(&digest).await?.ok_or(WrappingError::NotValid)?;
        Ok(WrappingInfo {
            ttl: live.creation_ttl,
            created_at: live.created_at,
            path: live.path.clone(),
        })
    }

    /// The same answer under another token, for as long again; the old token is dead.
    pub async fn rewrap(&self, token: &ClientToken) -> Result<Wrapped, WrappingError> {
        let info = self.wrapping_info(token).await?;
        let (body, lease, accessor) = self.taken(token).await?;
        let answer = ToWrap { body, ttl: info.ttl, path: info.path, lease, accessor };
        Ok(self.wrap(answer).await?)
    }
}

fn context(digest: &TokenDigest) -> String {
    format!("wrapping/{}", digest.0)
}
