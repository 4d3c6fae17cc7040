//! The seal as it is stored: one row, so that no moment has half of a change. What is in it is
//! [`crate::custody`]'s; SQL is in `sqlite/seal.rs`.

use async_trait::async_trait;

use super::StoreError;
use crate::model::SealRecord;

type Result<T> = std::result::Result<T, StoreError>;

/// Where the seal is kept.
#[async_trait]
pub trait SealStore {
    /// The seal; `None` before there is an installation, or where it is from before there were keyrings.
    async fn seal(&self) -> Result<Option<SealRecord>>;
    /// Writes the seal of a new installation, if there is none; tells whether there was none.
    async fn init_seal(&self, seal: &SealRecord) -> Result<bool>;
    /// Writes it over the one that is there.
    async fn save_seal(&self, seal: &SealRecord) -> Result<()>;
}
