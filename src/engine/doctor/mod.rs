//! Looks at whether the broker could do its work: who it is in each account, what it may do there, whose clock
//! is wrong, what was left behind. It only asks, never changes anything, and says what it could not find out.
//! The checks of one account are in [`account`] and [`endpoints`], the policy that they ask for in [`policy`].

mod account;
mod endpoints;
pub mod needs;
pub mod policy;

use std::time::Duration;

use serde::Serialize;

use super::Engine;
use crate::aws::Identity;
use crate::model::{MountId, MountState, Timestamp};
use crate::store::StoreError;
use account::Examined;
use needs::Needs;
use policy::Whose;

/// A teardown that is at it for so long will not end by itself: an hour is four tries at the longest
/// back-off ([`crate::leases::LeaseTiming::backoff_cap`]).
const STUCK_AFTER: Duration = Duration::from_hours(1);
/// A comparison older than two of the usual intervals is missing one.
const OLD_COMPARISON: Duration = Duration::from_hours(48);

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All is well.
    Ok,
    /// It could not be found out.
    Unknown,
    /// It works, and something is to be looked at.
    Warn,
    /// It does not work.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, e.g. `clock aws/`.
    pub name: String,
    /// How it came out.
    pub status: Health,
    /// What was seen.
    pub detail: String,
    /// What to do; empty where there is nothing.
    pub help: String,
}

impl Check {
    fn new(name: &str, status: Health, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status, detail: detail.into(), help: String::new() }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }
}

/// What the doctor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The worst of all.
    pub status: Health,
    /// Every check.
    pub checks: Vec<Check>,
    /// The IAM policy that the broker needs for the roles there are, with what is known filled in; one after the
    /// other where there are several accounts.
    pub policy: String,
}

impl Engine {
    /// Looks at everything.
    pub async fn diagnose(&self) -> Result<Diagnosis, StoreError> {
        let now = self.parts.clock.now();
        let mut checks = vec![self.check_quarantine(), self.check_mounts()];
        let mut policies = Vec::new();
        for scope in self.scopes().await? {
            let Examined { checks: found, identity, needs } =
                self.check_account(&scope, now).await?;
            checks.extend(found);
            policies.push(policy_for(&needs, identity.as_ref()));
        }
        if policies.is_empty() {
            // No account is configured yet; the roles may be there.
            let mounts: Vec<MountId> = self.mounts().iter().map(|mount| mount.id.clone()).collect();
            policies.push(policy_for(&self.needs(&mounts).await?, None));
        }
        checks.push(self.check_comparison(now).await?);
        checks.push(self.check_teardowns(now).await?);
        Ok(Diagnosis {
            status: checks.iter().map(|check| check.status).max().unwrap_or(Health::Ok),
            policy: policies.concat(),
            checks,
        })
    }

    fn check_quarantine(&self) -> Check {
        match self.quarantine() {
            None => Check::new("quarantine", Health::Ok, "none"),
            Some(mark) => Check::new(
                "quarantine",
                Health::Warn,
                format!("a backup was restored {}: nothing is issued", mark.restored_at.rfc3339()),
            )
            .help("look at the difference with `leasehold quarantine`, then `leasehold quarantine lift`"),
        }
    }

    fn check_mounts(&self) -> Check {
        let mounts = self.mounts();
        let tainted: Vec<&str> = mounts
            .iter()
            .filter(|mount| mount.state == MountState::Tainted)
            .map(|mount| mount.path.as_str())
            .collect();
        if tainted.is_empty() {
            return Check::new("mounts", Health::Ok, format!("{} serve", mounts.len()));
        }
        let detail = format!("tainted: {}", tainted.join(" "));
        Check::new("mounts", Health::Warn, detail).help(
            "disable them again; what is in the way stands in sys/leases/lookup of their leases",
        )
    }

    async fn check_comparison(&self, now: Timestamp) -> Result<Check, StoreError> {
        let compare = "`leasehold reconcile` compares AWS with the leases";
        let Some(last) = self.last_reconcile().await? else {
            let never =
                Check::new("orphans", Health::Unknown, "AWS was never compared with the leases");
            return Ok(never.help(compare));
        };
        let totals = last.totals;
        let orphans = totals.orphans.saturating_add(totals.orphan_policies);
        let detail = format!(
            "{orphans} orphans, {} of them policies, {} leases without their user, {} not looked for, {} accounts not \
             read whole; as of {}",
            totals.orphan_policies, totals.missing, totals.not_looked, totals.failed, last.finished
        );
        let is_old = now.since(Timestamp::from_millis(last.finished_millis)) > OLD_COMPARISON;
        let found = orphans > 0 || totals.missing > 0;
        let is_unseen = totals.not_looked > 0;
        Ok(match (found, totals.failed > 0 || is_old) {
            (true, _) => Check::new("orphans", Health::Warn, detail)
                .help("read sys/leases/orphans, and say of each: adopt, remove or ignore"),
            (false, _) if is_unseen => Check::new("orphans", Health::Warn, detail)
                .help("read sys/leases/reconcile for the leases whose account has no keys here"),
            (false, true) => Check::new("orphans", Health::Warn, detail).help(compare),
            (false, false) => Check::new("orphans", Health::Ok, detail),
        })
    }

    async fn check_teardowns(&self, now: Timestamp) -> Result<Check, StoreError> {
        let age = i64::try_from(STUCK_AFTER.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(now.as_millis().saturating_sub(age));
        let stuck = self.parts.store.stuck_since(before).await?;
        Ok(match stuck.oldest {
            None => Check::new("teardowns", Health::Ok, "none is stuck"),
            Some((lease, failure)) => Check::new(
                "teardowns",
                Health::Fail,
                format!("{} fail for more than an hour; `{lease}`: {failure}", stuck.count),
            )
            .help("remove what is in the way; they are tried again by themselves"),
        })
    }
}

/// The usual one where there is no role yet.
fn policy_for(needs: &Needs, identity: Option<&Identity>) -> String {
    if needs.is_empty() {
        return policy::text(&Needs::usual(), Whose(identity));
    }
    policy::text(needs, Whose(identity))
}

#[cfg(test)]
mod tests;
