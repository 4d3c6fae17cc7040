//! The mounts in memory: which path belongs to which mount, and who is working under it right now.
//! Disabling waits for those who are, and nobody starts once a mount is tainted. It never writes to
//! the store: [`super::mounts`] does, before it changes anything here.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock as AsyncRwLock};

use crate::model::{Mount, MountId, MountPath, MountState};

/// The mount does not serve requests: it was disabled, or disabling it failed half way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mount at `{0}` is being disabled or gone")]
pub struct NotServing(pub MountPath);

/// The listed mounts.
#[derive(Debug, Default)]
pub(super) struct MountTable {
    entries: RwLock<BTreeMap<String, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    mount: Arc<Mount>,
    in_use: Arc<AsyncRwLock<()>>,
}

/// Someone works under a mount; it is not disabled before this is dropped.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) mount: Arc<Mount>,
    _in_use: OwnedRwLockReadGuard<()>,
}

/// Nobody works under a tainted mount, and nobody will.
#[derive(Debug)]
pub(super) struct Quiet {
    _alone: OwnedRwLockWriteGuard<()>,
}

impl MountTable {
    /// All of them, sorted by path.
    pub(super) fn list(&self) -> Vec<Arc<Mount>> {
        self.with(|entries| entries.values().map(|entry| Arc::clone(&entry.mount)).collect())
    }

    /// The mount at exactly this path.
    pub(super) fn get(&self, path: &str) -> Option<Arc<Mount>> {
        self.with(|entries| entries.get(path).map(|entry| Arc::clone(&entry.mount)))
    }

    /// The mount with this identity.
    pub(super) fn by_id(&self, id: &MountId) -> Option<Arc<Mount>> {
        self.with(|entries| {
            let found = entries.values().find(|entry| entry.mount.id == *id)?;
            Some(Arc::clone(&found.mount))
        })
    }

    /// The mount that `path` lies under, and the rest of the path. Mounts never nest, so there is at
    /// most one.
    pub(super) fn route(&self, path: &str) -> Option<(Arc<Mount>, String)> {
        self.with(|entries| {
            let under = path.match_indices('/').find_map(|(at, _)| {
                let (front, rest) = path.split_at_checked(at.saturating_add(1))?;
                let entry = entries.get(front)?;
                Some((Arc::clone(&entry.mount), rest.to_owned()))
            });
            under.or_else(|| {
                let entry = entries.get(&format!("{path}/"))?;
                Some((Arc::clone(&entry.mount), String::new()))
            })
        })
    }

    /// The listed mount that `path` would hide, or be hidden by.
    pub(super) fn conflict(&self, path: &MountPath) -> Option<MountPath> {
        let path = path.as_str();
        self.with(|entries| {
            let clashes = |there: &&String| there.starts_with(path) || path.starts_with(*there);
            let there = entries.keys().find(clashes)?;
            entries.get(there).map(|entry| entry.mount.path.clone())
        })
    }

    /// Puts a mount in, or changes it.
    pub(super) fn put(&self, mount: Mount) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let path = mount.path.as_str().to_owned();
        let in_use = match entries.get(&path) {
            Some(there) if there.mount.id == mount.id => Arc::clone(&there.in_use),
            Some(_) | None => Arc::default(),
        };
        entries.insert(path, Entry { mount: Arc::new(mount), in_use });
    }

    /// Puts a mount at its new path; whoever works under it goes on.
    pub(super) fn move_to(&self, from: &Mount, mount: Mount) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let in_use = entries.remove(from.path.as_str()).map(|there| there.in_use);
        let path = mount.path.as_str().to_owned();
        entries.insert(path, Entry { mount: Arc::new(mount), in_use: in_use.unwrap_or_default() });
    }

    /// Takes a mount out.
    pub(super) fn remove(&self, mount: &Mount) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.get(mount.path.as_str()).is_some_and(|there| there.mount.id == mount.id) {
            entries.remove(mount.path.as_str());
        }
    }

    /// Lets someone work under a mount, if it serves.
    pub(super) async fn serve(&self, mount: &Mount) -> Result<Serving, NotServing> {
        let gone = || NotServing(mount.path.clone());
        // Asked first: behind a disabling that has begun nobody has to queue up.
        self.active(mount).ok_or_else(gone)?;
        let in_use = self.in_use(mount).ok_or_else(gone)?.read_owned().await;
        // Asked again: it may have been tainted while this waited.
        let mount = self.active(mount).ok_or_else(gone)?;
        Ok(Serving { mount, _in_use: in_use })
    }

    fn active(&self, mount: &Mount) -> Option<Arc<Mount>> {
        self.get(mount.path.as_str())
            .filter(|there| there.id == mount.id && there.state == MountState::Active)
    }

    /// Waits until nobody works under a mount; `None` when it is not listed any more.
    pub(super) async fn quiet(&self, mount: &Mount) -> Option<Quiet> {
        let alone = self.in_use(mount)?.write_owned().await;
        self.in_use(mount)?;
        Some(Quiet { _alone: alone })
    }

    fn in_use(&self, mount: &Mount) -> Option<Arc<AsyncRwLock<()>>> {
        self.with(|entries| {
            let entry = entries.get(mount.path.as_str())?;
            (entry.mount.id == mount.id).then(|| Arc::clone(&entry.in_use))
        })
    }

    fn with<T>(&self, look: impl FnOnce(&BTreeMap<String, Entry>) -> T) -> T {
        look(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MountTuning;

    fn mount(path: &str, id: &str) -> Mount {
        Mount {
            id: MountId(id.into()),
            path: path.parse().unwrap(),
            accessor: "aws_00000000".into(),
            description: String::new(),
            options: serde_json::Value::Null,
            local: false,
            seal_wrap: false,
            external_entropy_access: false,
            tuning: MountTuning::default(),
            state: MountState::Active,
        }
    }

    fn table(paths: &[&str]) -> MountTable {
        let table = MountTable::default();
        for path in paths {
            table.put(mount(path, path));
        }
        table
    }

    #[test]
    fn a_path_finds_its_mount() {
        let table = table(&["aws/", "team/aws/"]);
        let route = |path: &str| {
            let (mount, rest) = table.route(path)?;
            Some((mount.path.to_string(), rest))
        };
        assert_eq!(route("aws/roles/x"), Some(("aws/".into(), "roles/x".into())));
        assert_eq!(route("team/aws/roles/"), Some(("team/aws/".into(), "roles/".into())));
        assert_eq!(route("aws"), Some(("aws/".into(), String::new())));
        assert_eq!(route("awsome/x"), None);
        assert_eq!(route("team/x"), None);
    }

    #[test]
    fn mounts_conflict_both_ways() {
        let table = table(&["aws/", "team/aws/"]);
        let conflict = |path: &str| table.conflict(&path.parse().unwrap()).map(|p| p.to_string());
        assert_eq!(conflict("aws/"), Some("aws/".into()));
        assert_eq!(conflict("aws/prod/"), Some("aws/".into()));
        assert_eq!(conflict("team/"), Some("team/aws/".into()));
        assert_eq!(conflict("aws2/"), None);
    }

    #[tokio::test]
    async fn a_tainted_mount_lets_nobody_in_and_waits_for_those_inside() {
        let table = Arc::new(table(&["aws/"]));
        let mount = table.get("aws/").unwrap();
        let inside = table.serve(&mount).await.unwrap();
        table.put(Mount { state: MountState::Tainted, ..(*mount).clone() });
        let waiting = tokio::spawn({
            let (table, mount) = (Arc::clone(&table), Arc::clone(&mount));
            async move { table.quiet(&mount).await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(inside);
        assert!(waiting.await.unwrap());
        assert_eq!(table.serve(&mount).await.unwrap_err(), NotServing(mount.path.clone()));
    }

    #[tokio::test]
    async fn a_new_mount_at_an_old_path_is_not_the_old_one() {
        let table = table(&["aws/"]);
        let old = table.get("aws/").unwrap();
        table.put(mount("aws/", "new"));
        assert!(table.serve(&old).await.is_err());
        assert!(table.quiet(&old).await.is_none());
        table.remove(&old);
        assert_eq!(table.get("aws/").unwrap().id, MountId("new".into()));
    }
}
