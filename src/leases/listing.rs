//! Reading leases by prefix: the next path level for LIST. Must never load more rows than it shows: a
//! folder with a million leases is stepped over.

use super::{LeaseError, Leases};
use crate::model::LeaseId;
use crate::store::{LeaseQuery, Show};

/// Ids asked for at once.
const PAGE: u32 = 1_000;

impl Leases {
    /// The next path level under `prefix`: folders end in `/`, the last level is the random parts
    /// (contract 2.2). In byte order.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, LeaseError> {
        let prefix = folder(prefix);
        let mut entries = Vec::new();
        let mut after: Option<LeaseId> = None;
        loop {
            let page = self.page(&prefix, after.as_ref()).await?;
            let Some(last) = page.last() else {
                return Ok(entries);
            };
            let mut next = last.clone();
            let mut skipped = false;
            for id in &page {
                let entry = entry_of(id, &prefix);
                if entries.last() != Some(&entry) {
                    entries.push(entry);
                }
            }
            if let Some(past) = entries.last().and_then(|entry| past_folder(&prefix, entry)) {
                next = past;
                skipped = true;
            }
            if !skipped && is_last(&page) {
                return Ok(entries);
            }
            after = Some(next);
        }
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&LeaseId>,
    ) -> Result<Vec<LeaseId>, LeaseError> {
        let query = LeaseQuery { prefix, after, limit: PAGE, show: Show::Visible };
        Ok(self.store.lease_ids(query).await?)
    }
}

fn is_last(page: &[LeaseId]) -> bool {
    u32::try_from(page.len()).unwrap_or(u32::MAX) < PAGE
}

/// A prefix means whole path parts: `aws/creds/r` does not mean `aws/creds/r2/…`.
pub(super) fn folder(prefix: &str) -> String {
    if prefix.is_empty() || prefix.ends_with('/') {
        prefix.to_owned()
    } else {
        format!("{prefix}/")
    }
}

fn entry_of(id: &LeaseId, prefix: &str) -> String {
    let rest = id.as_str().strip_prefix(prefix).unwrap_or_default();
    rest.split_once('/').map_or_else(|| rest.to_owned(), |(folder, _)| format!("{folder}/"))
}

/// An id that is greater than all in a folder.
fn past_folder(prefix: &str, entry: &str) -> Option<LeaseId> {
    let folder = entry.ends_with('/').then_some(entry)?;
    format!("{prefix}{folder}{}/{}", char::MAX, "z".repeat(24)).parse().ok()
}
