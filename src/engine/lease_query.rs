//! Leases by what is known of them: who holds this key, what did that caller get, what is stuck (design, section 5). Finds
//! ended ones too, as long as their rows are kept. Changes nothing. Over how many rows one question
//! goes is bounded here and in [`crate::store::query`].

use super::Engine;
use crate::model::{Accessor, Lease, LeaseFilter, MountId, Stage, UnknownStage};
use crate::store::{Page, Position, StoreError};

/// Pages of the store that one question goes through: each is a read of its own, so that others get their turn.
const PAGES: usize = 10;

/// Why a question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A value that nothing can have.
    #[error("`{value}` is no {term}{}", help(term))]
    Invalid {
        /// What it was given for.
        term: &'static str,
        /// What was given.
        value: String,
    },
    /// Not a state.
    #[error(transparent)]
    State(#[from] UnknownStage),
    /// Nothing is or was mounted there.
    #[error(
        "there is no mount `{0}`\nhelp: one that was disabled is named by its id, see sys/leases/accounts"
    )]
    NoMount(String),
    /// How many are wanted.
    #[error("`limit` must be from 1 to {max}")]
    Limit {
        /// The most that one answer has.
        max: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn help(term: &str) -> &'static str {
    match term {
        "lease_id" => "\nhelp: a lease id is MOUNT/creds/ROLE/ and 24 characters",
        "source" => "\nhelp: an IP address, without a port",
        "after" => "\nhelp: leave it out, or send `next` of the answer before",
        _ => "",
    }
}

impl Engine {
    /// Reads what is asked: pairs of a name of [`LeaseFilter::TERMS`] and its value. Names that are none of them are not
    /// looked at.
    pub async fn lease_filter(
        &self,
        terms: Vec<(&'static str, String)>,
    ) -> Result<LeaseFilter, QueryError> {
        let mut filter = LeaseFilter::default();
        for (term, value) in terms {
            let invalid = |value: &str| QueryError::Invalid { term, value: value.to_owned() };
            match term {
                "lease_id" => filter.id = Some(value.parse().map_err(|_bad| invalid(&value))?),
                "access_key" => filter.access_key = Some(value),
                "user" => filter.user = Some(value),
                "user_id" => filter.user_id = Some(value),
                "caller" => filter.caller = Some(value),
                "accessor" => filter.accessor = Some(Accessor(value)),
                "role" => filter.role = Some(value.parse().map_err(|_bad| invalid(&value))?),
                "role_version" => {
                    filter.role_version = Some(value.parse().map_err(|_bad| invalid(&value))?);
                }
                "policy_digest" => filter.policy_digest = Some(value),
                "verdict" => filter.verdict = Some(value),
                "source" => filter.source = Some(value.parse().map_err(|_bad| invalid(&value))?),
                "account" => filter.account = Some(value),
                "mount" => filter.mount = Some(self.mount_named(value).await?),
                "state" => filter.stage = Some(value.parse()?),
                _ => {}
            }
        }
        Ok(filter)
    }

    /// The mount at this path, or with this id; those that are disabled have their id alone.
    async fn mount_named(&self, name: String) -> Result<MountId, QueryError> {
        if let Some(mount) = self.table.get(&format!("{}/", name.trim_end_matches('/'))) {
            return Ok(mount.id.clone());
        }
        let mounts = self.parts.store.mounts().await?;
        let found = mounts.into_iter().find(|mount| mount.id.0 == name);
        found.map(|mount| mount.id).ok_or(QueryError::NoMount(name))
    }

    /// Leases that fit, in the order of issue. An answer may have fewer than there are, or none, and say where
    /// to go on.
    pub async fn query_leases(
        &self,
        filter: &LeaseFilter,
        after: Position,
        limit: u32,
    ) -> Result<Page<Lease>, StoreError> {
        let (mut items, mut after, mut left) = (Vec::new(), after, limit);
        for _ in 0..PAGES {
            let page = self.parts.store.leases_matching(filter, after, left).await?;
            let found = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
            items.extend(page.items);
            let Some(next) = page.next else {
                return Ok(Page { items, next: None });
            };
            after = next;
            left = left.saturating_sub(found);
            if left == 0 {
                break;
            }
        }
        Ok(Page { items, next: Some(after) })
    }

    /// Leases whose teardown fails for long, the oldest first, and how many of each mount there are, by the
    /// mount's accessor.
    pub async fn stuck_leases(
        &self,
        limit: u32,
    ) -> Result<(Vec<Lease>, Vec<(String, u64)>), StoreError> {
        let filter = LeaseFilter { stage: Some(Stage::Stuck), ..LeaseFilter::default() };
        let page = self.parts.store.leases_matching(&filter, Position::default(), limit).await?;
        Ok((page.items, self.stuck_counts().await?))
    }

    /// How many leases of each mount are stuck, by the mount's accessor.
    pub async fn stuck_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mounts = self.parts.store.mounts().await?;
        let counts = self.parts.store.stuck_leases().await?;
        let accessor = |id: MountId| {
            let mount = mounts.iter().find(|mount| mount.id == id);
            mount.map_or(id.0, |mount| mount.accessor.clone())
        };
        Ok(counts.into_iter().map(|(mount, count)| (accessor(mount), count)).collect())
    }

    /// The accessors of all mounts by their ids, disabled ones included.
    pub async fn mount_accessors(&self) -> Result<Vec<(MountId, String)>, StoreError> {
        let mounts = self.parts.store.mounts().await?;
        Ok(mounts.into_iter().map(|mount| (mount.id, mount.accessor)).collect())
    }
}
