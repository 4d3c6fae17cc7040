//! Wrapped answers: each under a token with one use, until it is unwrapped or that token ends. What was
//! handed out in one that nobody unwrapped ends with it, in the same transaction. The bytes are sealed by
//! whoever stores them ([`crate::auth::wrapping`]).

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Accessor, LeaseId, Timestamp, Token, TokenDigest};

/// A wrapped answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapping {
    /// The answer, sealed.
    pub body: Vec<u8>,
    /// The lease that was handed out in it.
    pub lease: Option<LeaseId>,
    /// The token that was handed out in it.
    pub accessor: Option<Accessor>,
}

/// Where wrapped answers wait.
#[async_trait]
pub trait WrappingStore {
    /// Keeps an answer under a new token, in one transaction.
    async fn put_wrapping(&self, token: &Token, wrapping: &Wrapping) -> Result<(), StoreError>;
    /// The answer under a token, which may have ended.
    async fn wrapping(&self, token: &TokenDigest) -> Result<Option<Wrapping>, StoreError>;
    /// Takes the answer away and ends its token, in one transaction: `None` where that was done before or the
    /// token's time was over at `now`.
    async fn take_wrapping(
        &self,
        token: &TokenDigest,
        now: Timestamp,
    ) -> Result<Option<Wrapping>, StoreError>;
}
