//! Leases by the request that asked for them: a keyed digest of the caller's `Idempotency-Key`. A lease
//! that is not handed out gives its digest back by itself, so that the request can be made again.

use async_trait::async_trait;

use super::Result;
use crate::model::Lease;

/// Finds leases by their request.
#[async_trait]
pub trait RequestStore {
    /// The lease whose `request_key` is this, in whatever state it is.
    async fn lease_of_request(&self, request_key: &[u8]) -> Result<Option<Lease>>;
}
