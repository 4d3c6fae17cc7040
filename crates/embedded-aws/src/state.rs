//! Everything the account holds, as plain data, and which of it changed since the last answer.
//! Must never change without marking the change: mutable access goes through `*_mut` and `remove_*`.
//! What the things are is in [`crate::entities`], rules are in `iam/*` and `sts`; the file is written by [`crate::journal`].

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use crate::entities::*;

/// The account. Users, groups and roles are keyed by lower-case name: IAM's names are unique
/// without regard to case.
// INVARIANT: `owners` names exactly the keys of `users`; every change is in `dirty` until taken.
#[derive(Debug, Default)]
pub(crate) struct State {
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
    roles: BTreeMap<String, Role>,
    policies: BTreeMap<String, Policy>,
    sessions: BTreeMap<String, Session>,
    dead_keys: BTreeSet<String>,
    admin_keys: BTreeSet<String>,
    virtual_mfa: BTreeSet<String>,
    owners: BTreeMap<String, String>,
    sessions_swept_at: usize,
    dirty: BTreeSet<EntityRef>,
}

/// A name as its key.
pub(crate) fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

impl State {
    pub(crate) fn users(&self) -> &BTreeMap<String, User> {
        &self.users
    }

    pub(crate) fn groups(&self) -> &BTreeMap<String, Group> {
        &self.groups
    }

    pub(crate) fn roles(&self) -> &BTreeMap<String, Role> {
        &self.roles
    }

    pub(crate) fn policies(&self) -> &BTreeMap<String, Policy> {
        &self.policies
    }

    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(&fold(name))
    }

    pub(crate) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        let key = fold(name);
        let user = self.users.get_mut(&key)?;
        self.dirty.insert(EntityRef::User(key));
        Some(user)
    }

    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(&fold(name))
    }

    pub(crate) fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        let key = fold(name);
        let group = self.groups.get_mut(&key)?;
        self.dirty.insert(EntityRef::Group(key));
        Some(group)
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(&fold(name))
    }

    pub(crate) fn role_mut(&mut self, name: &str) -> Option<&mut Role> {
        let key = fold(name);
        let role = self.roles.get_mut(&key)?;
        self.dirty.insert(EntityRef::Role(key));
        Some(role)
    }

    pub(crate) fn policy(&self, arn: &str) -> Option<&Policy> {
        self.policies.get(arn)
    }

    pub(crate) fn policy_mut(&mut self, arn: &str) -> Option<&mut Policy> {
        let policy = self.policies.get_mut(arn)?;
        self.dirty.insert(EntityRef::Policy(arn.to_owned()));
        Some(policy)
    }

    pub(crate) fn session(&self, access_key_id: &str) -> Option<&Session> {
        self.sessions.get(access_key_id)
    }

    /// The user that a live access key belongs to.
    pub(crate) fn owner(&self, access_key_id: &str) -> Option<&User> {
        self.owners.get(access_key_id).and_then(|name| self.users.get(name))
    }

    pub(crate) fn is_dead_key(&self, access_key_id: &str) -> bool {
        self.dead_keys.contains(access_key_id)
    }

    pub(crate) fn is_admin_key(&self, access_key_id: &str) -> bool {
        self.admin_keys.contains(access_key_id)
    }

    /// Serial numbers of the virtual MFA devices, whoever has them.
    pub(crate) fn virtual_mfa(&self) -> &BTreeSet<String> {
        &self.virtual_mfa
    }

    /// Adds or replaces an entity, and notes that it changed.
    pub(crate) fn put(&mut self, entity: Entity) {
        self.dirty.insert(entity.reference());
        self.apply(Change::Put(entity));
    }

    /// Removes an entity, and notes that it is gone.
    pub(crate) fn remove(&mut self, reference: EntityRef) {
        self.dirty.insert(reference.clone());
        self.apply(Change::Gone(reference));
    }

    /// Gives a user another access key.
    pub(crate) fn add_key(&mut self, user: &str, key: AccessKey) {
        self.owners.insert(key.id.clone(), fold(user));
        if let Some(user) = self.user_mut(user) {
            user.keys.push(key);
        }
    }

    /// Takes an access key from its user; it stays refused for ever.
    pub(crate) fn kill_key(&mut self, user: &str, access_key_id: &str) {
        if let Some(user) = self.user_mut(user) {
            user.keys.retain(|key| key.id != access_key_id);
        }
        self.owners.remove(access_key_id);
        self.put(Entity::DeadKey(access_key_id.to_owned()));
        if self.admin_keys.contains(access_key_id) {
            self.remove(EntityRef::AdminKey(access_key_id.to_owned()));
        }
    }

    /// Replays one line of the journal, noting nothing.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Put(Entity::User(user)) => {
                let key = fold(&user.name);
                let owned: Vec<_> = user.keys.iter().map(|k| (k.id.clone(), key.clone())).collect();
                for old in self.users.insert(key, *user).into_iter().flat_map(|old| old.keys) {
                    self.owners.remove(&old.id);
                }
                self.owners.extend(owned);
            }
            Change::Put(Entity::Group(group)) => {
                self.groups.insert(fold(&group.name), group);
            }
            Change::Put(Entity::Role(role)) => {
                self.roles.insert(fold(&role.name), role);
            }
            Change::Put(Entity::Policy(policy)) => {
                self.policies.insert(policy.arn.clone(), policy);
            }
            Change::Put(Entity::Session(session)) => {
                self.sessions.insert(session.access_key_id.clone(), session);
            }
            Change::Put(Entity::DeadKey(key)) => {
                self.dead_keys.insert(key);
            }
            Change::Put(Entity::AdminKey(key)) => {
                self.admin_keys.insert(key);
            }
            Change::Put(Entity::VirtualMfa(serial)) => {
                self.virtual_mfa.insert(serial);
            }
            Change::Gone(reference) => self.forget(&reference),
        }
    }

    /// Keeps temporary credentials. Those that ended more than a day before `now` are forgotten from time
    /// to time: to their holders, expired and unknown are much the same by then.
    pub(crate) fn add_session(&mut self, session: Session, now: i64) {
        if self.sessions.len() >= self.sessions_swept_at {
            self.drop_sessions_before(now.saturating_sub(86_400));
            self.sessions_swept_at = self.sessions.len().saturating_mul(2).max(1_024);
        }
        self.put(Entity::Session(session));
    }

    /// Forgets sessions that ended before `now`; a journal forgets them when it is next opened.
    pub(crate) fn drop_sessions_before(&mut self, now: i64) {
        self.sessions.retain(|_, session| session.expires >= now);
    }

    /// Everything that changed since the last call of this, in a fixed order.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.dirty.iter().map(|reference| self.change_of(reference)).collect()
    }

    /// Forgets what changed: it is written.
    pub(crate) fn settled(&mut self) {
        self.dirty.clear();
    }

    /// All that is the account's own, as lines that rebuild it.
    pub(crate) fn snapshot(&self) -> Vec<Change> {
        let references = self
            .policies
            .keys()
            .filter(|arn| !crate::managed::is_aws_managed(arn))
            .cloned()
            .map(EntityRef::Policy)
            .chain(self.groups.keys().cloned().map(EntityRef::Group))
            .chain(self.roles.keys().cloned().map(EntityRef::Role))
            .chain(self.users.keys().cloned().map(EntityRef::User))
            .chain(self.sessions.keys().cloned().map(EntityRef::Session))
            .chain(self.dead_keys.iter().cloned().map(EntityRef::DeadKey))
            .chain(self.admin_keys.iter().cloned().map(EntityRef::AdminKey))
            .chain(self.virtual_mfa.iter().cloned().map(EntityRef::VirtualMfa));
        references.map(|reference| self.change_of(&reference)).collect()
    }

    fn change_of(&self, reference: &EntityRef) -> Change {
        let entity = match reference {
            EntityRef::User(key) => self.users.get(key).cloned().map(Box::new).map(Entity::User),
            EntityRef::Group(key) => self.groups.get(key).cloned().map(Entity::Group),
            EntityRef::Role(key) => self.roles.get(key).cloned().map(Entity::Role),
            EntityRef::Policy(arn) => self.policies.get(arn).cloned().map(Entity::Policy),
            EntityRef::Session(key) => self.sessions.get(key).cloned().map(Entity::Session),
            EntityRef::DeadKey(key) => self.dead_keys.get(key).cloned().map(Entity::DeadKey),
            EntityRef::AdminKey(key) => self.admin_keys.get(key).cloned().map(Entity::AdminKey),
            EntityRef::VirtualMfa(serial) => {
                self.virtual_mfa.get(serial).cloned().map(Entity::VirtualMfa)
            }
        };
        entity.map_or_else(|| Change::Gone(reference.clone()), Change::Put)
    }

    fn forget(&mut self, reference: &EntityRef) {
        match reference {
            EntityRef::User(key) => {
                if let Some(user) = self.users.remove(key) {
                    for key in user.keys {
                        self.owners.remove(&key.id);
                    }
                }
            }
            EntityRef::Group(key) => drop(self.groups.remove(key)),
            EntityRef::Role(key) => drop(self.roles.remove(key)),
            EntityRef::Policy(arn) => drop(self.policies.remove(arn)),
            EntityRef::Session(key) => drop(self.sessions.remove(key)),
            EntityRef::DeadKey(key) => drop(self.dead_keys.take(key)),
            EntityRef::AdminKey(key) => drop(self.admin_keys.take(key)),
            EntityRef::VirtualMfa(serial) => drop(self.virtual_mfa.take(serial)),
        }
    }
}
