//! That a database was restored from a backup: what was done since is not in it, so that the broker waits
//! for a word before it acts. Written by [`crate::store`], read by [`crate::engine::quarantine`].

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The mark of a restored database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// When it was restored.
    pub restored_at: Timestamp,
    /// When the backup was made, where the backup says.
    pub backup_made_at: Option<Timestamp>,
}

impl Quarantine {
    /// The name of the setting that holds it, as JSON.
    pub const SETTING: &'static str = "quarantine";
    /// The name of the setting in which a backup says when it was made, in milliseconds.
    pub const MADE_AT_SETTING: &'static str = "backup/made-at";

    /// Reads the mark; one that cannot be read is a mark all the same.
    pub fn read(value: &[u8]) -> Self {
        let unknown = Self { restored_at: Timestamp::from_millis(0), backup_made_at: None };
        serde_json::from_slice(value).unwrap_or(unknown)
    }
}
