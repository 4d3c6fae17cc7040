//! The rules of the comparison, without I/O. A user is an orphan only where it carries our tag, is older than
//! the settling time, and no row of its tag was unfinished before or after the list was read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::MOST_SUSPECTS;
use super::found::{AnothersUser, OverdueLease};
use super::report::AccountReport;
use super::scope::Scope;
use crate::aws::{ListedUser, Ownership};
use crate::model::{LeaseId, LeaseTag, Orphan, Timestamp, UserName, UserRow};

/// What the rows know of an account's users: of all that ended not long ago or not at all.
#[derive(Debug)]
pub(super) struct Held<'a> {
    listed: &'a HashSet<&'a UserName>,
    scope: &'a Scope,
    /// Tags that candidates carry; no others are kept.
    wanted: HashSet<LeaseTag>,
    /// Those of them that a row has.
    tags: HashSet<LeaseTag>,
    /// Users in the list that a row knows by name.
    with_lease: usize,
    /// Active leases of this account whose user is not in the list.
    pub(super) absent: BTreeMap<LeaseId, UserRow>,
    /// Active leases of this account whose user is in the list, by when they end.
    present: BTreeMap<LeaseId, Timestamp>,
}

impl<'a> Held<'a> {
    /// Before any row.
    pub(super) fn of(
        owned: &BTreeMap<String, Ownership>,
        listed: &'a HashSet<&'a UserName>,
        scope: &'a Scope,
    ) -> Self {
        let wanted = owned.values().filter_map(tag_of).collect();
        Self {
            listed,
            scope,
            wanted,
            tags: HashSet::new(),
            with_lease: 0,
            absent: BTreeMap::new(),
            present: BTreeMap::new(),
        }
    }

    /// Takes a row in.
    pub(super) fn take(&mut self, row: UserRow) {
        let tag = row.lease.tag();
        if self.wanted.contains(&tag) {
            self.tags.insert(tag);
        }
        let is_listed = self.listed.contains(&row.user);
        if is_listed {
            self.with_lease = self.with_lease.saturating_add(1);
        }
        match row.active_until {
            Some(end) if is_listed && self.scope.has(&row.mount) => {
                self.present.insert(row.lease, end);
            }
            Some(_) if self.scope.has(&row.mount) && self.absent.len() < MOST_SUSPECTS => {
                self.absent.insert(row.lease.clone(), row);
            }
            Some(_) | None => {}
        }
    }

    /// Active leases whose time is over: they would be torn down first of all.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<OverdueLease> {
        let over = self.present.iter().filter(|(_, end)| **end <= now);
        over.map(|(lease, end)| OverdueLease { lease: lease.to_string(), ended: end.rfc3339() })
            .collect()
    }
}

fn tag_of(owner: &Ownership) -> Option<LeaseTag> {
    owner.lease.as_ref()?.parse().ok()
}

/// All that was seen.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) listed: &'a [ListedUser],
    /// Tags by user id, of the candidates that no row knew by name.
    pub(super) owned: &'a BTreeMap<String, Ownership>,
    pub(super) held: &'a Held<'a>,
    pub(super) scope: &'a Scope,
}

/// Whose a candidate is.
enum Whose {
    Leased,
    Ours(Option<LeaseTag>),
    Anothers(String),
    Nobodys,
}

impl Seen<'_> {
    /// Everything but the missing ones.
    pub(super) fn compared(&self, now: Timestamp, settling: Duration) -> AccountReport {
        let mut account = AccountReport::of(self.scope.paths());
        account.users = self.listed.len();
        account.with_lease = self.held.with_lease;
        let by_id: HashMap<&str, &ListedUser> =
            self.listed.iter().map(|user| (user.id.as_str(), user)).collect();
        for (id, owner) in self.owned {
            let Some(user) = by_id.get(id.as_str()) else { continue };
            account.candidates = account.candidates.saturating_add(1);
            match self.whose(owner) {
                Whose::Leased => account.with_lease = account.with_lease.saturating_add(1),
                Whose::Nobodys => account.foreign = account.foreign.saturating_add(1),
                Whose::Anothers(broker) => account
                    .of_another_broker
                    .push(AnothersUser { user: user.name.to_string(), broker }),
                Whose::Ours(_) if user.created_at.after(settling) > now => {
                    account.too_young = account.too_young.saturating_add(1);
                }
                Whose::Ours(lease) => account.take_orphan(self.orphan(user, lease, now)),
            }
        }
        account.orphans.sort_by(|one, other| one.user.cmp(&other.user));
        account.of_another_broker.sort_by(|one, other| one.user.cmp(&other.user));
        account
    }

    fn whose(&self, owner: &Ownership) -> Whose {
        match &owner.broker {
            None => Whose::Nobodys,
            Some(broker) if *broker != self.scope.broker => Whose::Anothers(broker.clone()),
            Some(_ours) => match tag_of(owner) {
                Some(tag) if self.held.tags.contains(&tag) => Whose::Leased,
                tag => Whose::Ours(tag),
            },
        }
    }

    fn orphan(&self, user: &ListedUser, lease: Option<LeaseTag>, now: Timestamp) -> Orphan {
        let mount = self.scope.mounts.first().map(|(id, _)| id.clone());
        Orphan {
            user_id: user.id.clone(),
            user: user.name.clone(),
            path: user.path.clone(),
            mount: mount.unwrap_or_else(|| crate::model::MountId(String::new())),
            lease,
            created_at: user.created_at,
            found_at: now,
            seen_at: now,
            ignored_until: None,
        }
    }
}

/// What is wrong with the user of an active lease, asked for by its name; `None` where it is there.
pub(super) fn missing(
    row: &UserRow,
    owner: Option<&Ownership>,
    broker: &str,
) -> Option<&'static str> {
    let Some(owner) = owner else {
        return Some("there is no such user");
    };
    (!owner.is_of(broker, &row.lease.tag()))
        .then_some("the user of that name does not carry this lease's tags")
}
