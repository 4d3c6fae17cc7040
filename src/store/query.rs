//! Leases by what is known of them: who holds this key, what did that caller get, what came of this verdict. Looks at
//! ended leases too, as long as their rows are kept. Must never hold up a write, whatever is asked:
//! one page looks at a bounded number of rows. SQL: [`super::sqlite`].

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Lease, LeaseFilter, MountId};

/// A place in the order of issue, from which a query goes on. Stays good when rows are purged; opaque.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Some of what was asked for, in the order of issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as were wanted; fewer, or none at all, also where there is more to come.
    pub items: Vec<T>,
    /// Where to go on; `None` when everything was looked at.
    pub next: Option<Position>,
}

/// Leases by what is known of them.
#[async_trait]
pub trait QueryStore: Send + Sync {
    /// Leases that fit, after `after`, at most `limit`.
    async fn leases_matching(
        &self,
        filter: &LeaseFilter,
        after: Position,
        limit: u32,
    ) -> Result<Page<Lease>, StoreError>;

    /// How many leases of each mount are stuck; mounts without one are left out.
    async fn stuck_leases(&self) -> Result<Vec<(MountId, u64)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_as_it_is_written() {
        assert_eq!(Position(42).to_string().parse(), Ok(Position(42)));
        assert!("aws/creds".parse::<Position>().is_err());
    }
}
