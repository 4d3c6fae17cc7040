//! The other way round: active leases whose user is not in the list. Each is asked about by name, since the list may be
//! older; and only in its own account, since keys of another one see nothing of it whether it lives or not.

use super::compare::{self, Held};
use super::found::UnseenUser;
use super::{AccountReport, ReconcileError};
use crate::aws::Access;
use crate::engine::Engine;
use crate::model::{Timestamp, UserRow};

impl Engine {
    /// Tells active leases without their user, and those that could not be looked for.
    pub(super) async fn look_for_missing(
        &self,
        access: &Access,
        held: &Held<'_>,
        started: Timestamp,
        account: &mut AccountReport,
    ) -> Result<(), ReconcileError> {
        let settling = self.parts.leases.settling();
        let old = held.absent.values().filter(|row| row.issued_at.after(settling) <= started);
        let old: Vec<&UserRow> = old.collect();
        let keys_are_of = self.account_where_needed(access, &old).await;
        let mut asked = Vec::new();
        for row in old {
            match why_not_here(row, keys_are_of.as_deref()) {
                Some(detail) => account.not_looked.push(UnseenUser::new(row, detail)),
                None => asked.push((row, row.user.clone())),
            }
        }
        for (row, owner) in self.user_owners(access, asked).await? {
            let broker = &self.parts.settings.broker;
            if let Some(detail) = compare::missing(row, owner.as_ref(), broker) {
                account.missing.push(UnseenUser::new(row, detail.to_owned()));
            }
        }
        Ok(())
    }

    /// Whose the keys are; nobody is asked where no row says whose they must be. Not knowing it is told row by row.
    async fn account_where_needed(&self, access: &Access, rows: &[&UserRow]) -> Option<String> {
        if rows.iter().all(|row| row.account.is_none()) {
            return None;
        }
        match self.parts.accounts.own_account(access).await {
            Ok(account) => account,
            Err(error) => {
                tracing::warn!(error = %error, "whose the keys of a mount are cannot be found out");
                None
            }
        }
    }
}

/// Why these keys say nothing about the row's user. Rows that do not say their account are believed: they are of
/// the first releases, or AWS never answered.
pub(super) fn why_not_here(row: &UserRow, keys_are_of: Option<&str>) -> Option<String> {
    let needed = row.account.as_deref()?;
    let has = match keys_are_of {
        Some(has) if has == needed => return None,
        Some(has) => format!("the keys of its mount are of account `{has}`"),
        None => "it cannot be found out which account the keys of its mount are of".to_owned(),
    };
    Some(format!("the user is in account `{needed}`, and {has}"))
}
