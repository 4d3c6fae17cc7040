//! Leases by the request that asked for them. The unique index on `request_key` is what keeps one request
//! from two leases; a pending lease that ends gives its key back in [`super::leases`].

use async_trait::async_trait;
use rusqlite::Connection;

use super::lease_row::{COLUMNS, from_row};
use super::{Result, Sqlite};
use crate::model::Lease;
use crate::store::RequestStore;

fn lease_of_request(db: &Connection, request_key: &[u8]) -> Result<Option<Lease>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lease JOIN mount ON mount.key = lease.mount
         JOIN holder ON holder.key = lease.holder WHERE lease.request_key = ?1"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([request_key])?;
    rows.next()?.map(from_row).transpose()
}

#[async_trait]
impl RequestStore for Sqlite {
    async fn lease_of_request(&self, request_key: &[u8]) -> Result<Option<Lease>> {
        self.readers.point(|db| lease_of_request(db, request_key))
    }
}
