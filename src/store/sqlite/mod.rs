//! [`Store`] on SQLite, and the only code that knows rusqlite: one [`writer`] thread with group
//! commit, [`readers`] beside it, copies in memory ([`cache`]) of what every request needs. No lock is
//! held across an await. The statements are in the files named by what they are about.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;

use super::{DueLease, LeaseQuery, Store, StoreError, Written};
use crate::model::{
    Accessor, AccountBinding, Lease, LeaseConfig, LeaseId, Mount, MountId, Role, RoleName,
    Timestamp, Token, TokenDigest,
};
use cache::Caches;
use open::{Durability, Held, TemporaryFolder};
use readers::Readers;
use writer::{Writer, Writing};

mod account_limits;
mod audit;
mod auth_methods;
pub mod backup;
mod cache;
mod failure;
mod guardrails;
mod identity;
mod jobs;
mod lease_row;
mod leases;
mod limits;
mod migrations;
mod mounts;
mod open;
mod plugins;
mod policies;
mod purge;
mod query;
mod quotas;
mod readers;
mod reconcile;
mod requests;
mod roles;
mod rotation;
mod schedule;
mod seal;
mod signed_logins;
mod tally;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod wrapping;
mod writer;

pub use open::OpenError;

type Result<T> = std::result::Result<T, StoreError>;

/// What the store is told about the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After how long a pending lease is due; must be what the leases are run with.
    pub settling: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        // 5 min: IAM is eventually consistent, a fresh user may look absent (design, section 5).
        Self { settling: Duration::from_mins(5) }
    }
}

/// A store in one file, `leasehold.db`, that this process alone uses.
// INVARIANT: fields are dropped in this order: the last connection to go is the writer's, which then
// tidies up the log; the folder of a temporary store goes after all of them.
#[derive(Debug)]
pub struct Sqlite {
    readers: Readers,
    writer: Writer,
    caches: Arc<Caches>,
    settling: Duration,
    /// Where it is.
    folder: PathBuf,
    _temporary: Option<TemporaryFolder>,
}

impl Sqlite {
    /// Opens the database in `data_dir`, which is made (mode 0700) if it is missing, and locks it.
    pub fn open(data_dir: &Path, settings: Settings) -> std::result::Result<Arc<Self>, OpenError> {
        Self::build(data_dir, settings, Durability::Disk, None)
    }

    /// A private database that is gone when this is dropped, for `--dev` without a data directory and
    /// for tests. Its writes do not wait for the disk.
    pub fn temporary() -> std::result::Result<Arc<Self>, OpenError> {
        Self::temporary_with(Settings::default())
    }

    /// The same with other settings.
    pub fn temporary_with(settings: Settings) -> std::result::Result<Arc<Self>, OpenError> {
        let folder = TemporaryFolder::create()?;
        let path = folder.path().to_owned();
        Self::build(&path, settings, Durability::Memory, Some(folder))
    }

    fn build(
        data_dir: &Path,
        settings: Settings,
        durability: Durability,
        temporary: Option<TemporaryFolder>,
    ) -> std::result::Result<Arc<Self>, OpenError> {
        let Held { file, lock } = open::hold(data_dir)?;
        let mut db = open::open_writer(&file, durability)?;
        migrations::migrate(&mut db, &file)?;
        let readers = Readers::open(&file)?;
        let caches = Arc::new(Caches::new());
        let writer = start_writer(db, &caches, lock, data_dir)?;
        Ok(Arc::new(Self {
            readers,
            writer,
            caches,
            settling: settings.settling,
            folder: data_dir.to_owned(),
            _temporary: temporary,
        }))
    }

    /// How much was written, and in how many transactions.
    pub fn written(&self) -> Written {
        let counts = self.writer.counts();
        Written {
            writes: counts.writes.load(Ordering::Relaxed),
            commits: counts.commits.load(Ordering::Relaxed),
        }
    }

    /// Commits what waits, folds the log into the database, takes no more writes. Twice is once.
    pub async fn close(self: &Arc<Self>) {
        let this = Arc::clone(self);
        if let Err(error) = tokio::task::spawn_blocking(move || this.writer.close()).await {
            tracing::error!(%error, "the store could not be closed");
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(work).await
    }

    /// Repeats a bounded step until one of them has less to do than it could.
    async fn purge_all(
        &self,
        step: impl Fn(&mut Writing<'_>) -> Result<u64> + Copy + Send + 'static,
    ) -> Result<u64> {
        let mut total: u64 = 0;
        loop {
            let deleted = self.write(step).await?;
            total = total.saturating_add(deleted);
            if deleted < purge::STEP {
                return Ok(total);
            }
        }
    }
}

fn start_writer(
    db: rusqlite::Connection,
    caches: &Arc<Caches>,
    lock: File,
    data_dir: &Path,
) -> std::result::Result<Writer, OpenError> {
    Writer::start(db, Arc::clone(caches), lock).map_err(|source| OpenError::File {
        action: "start the writer of",
        path: data_dir.to_owned(),
        source,
    })
}

#[async_trait]
impl Store for Sqlite {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.readers.point(|db| mounts::setting(db, name))
    }

    async fn put_setting(&self, name: &str, value: &[u8]) -> Result<()> {
        let (name, value) = (name.to_owned(), value.to_vec());
        self.write(move |w| mounts::put_setting(w.db, &name, &value)).await
    }

    async fn init_settings(&self, values: &[(&str, Vec<u8>)]) -> Result<bool> {
        let values: Vec<(String, Vec<u8>)> =
            values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.write(move |w| mounts::init_settings(w.db, &values)).await
    }

    async fn mounts(&self) -> Result<Vec<Mount>> {
        let read = || self.readers.point(mounts::mounts).map(|mounts| Some(mounts.into()));
        let mounts = self.caches.mounts.get_or_read(&(), read)?;
        Ok(mounts.map(|mounts| mounts.to_vec()).unwrap_or_default())
    }

    async fn put_mount(&self, mount: &Mount) -> Result<()> {
        let mount = mount.clone();
        self.write(move |w| mounts::put_mount(w, &mount)).await
    }

    async fn remove_mount(&self, mount: &MountId) -> Result<()> {
        let mount = mount.clone();
        self.write(move |w| mounts::remove_mount(w, &mount)).await
    }

    async fn account_binding(&self, mount: &MountId) -> Result<Option<AccountBinding>> {
        let read = || {
            let binding = self.readers.point(|db| mounts::account_binding(db, mount))?;
            Ok(Some(binding.map(Arc::new)))
        };
        let binding = self.caches.bindings.get_or_read(mount, read)?.flatten();
        Ok(binding.map(|binding| (*binding).clone()))
    }

    async fn put_account_binding(&self, mount: &MountId, binding: &AccountBinding) -> Result<()> {
        let (mount, binding) = (mount.clone(), binding.clone());
        self.write(move |w| mounts::put_account_binding(w, &mount, binding)).await
    }

    async fn lease_config(&self, mount: &MountId) -> Result<Option<LeaseConfig>> {
        let read = || self.readers.point(|db| mounts::lease_config(db, mount)).map(Some);
        Ok(self.caches.lease_configs.get_or_read(mount, read)?.flatten())
    }

    async fn put_lease_config(&self, mount: &MountId, config: LeaseConfig) -> Result<()> {
        let mount = mount.clone();
        self.write(move |w| mounts::put_lease_config(w, &mount, config)).await
    }

    async fn role(&self, mount: &MountId, name: &RoleName) -> Result<Option<Arc<Role>>> {
        let key = (mount.clone(), name.clone());
        let read = || {
            let role = self.readers.point(|db| roles::role(db, mount, name))?;
            Ok(role.map(Arc::new))
        };
        self.caches.roles.get_or_read(&key, read)
    }

    async fn role_names(&self, mount: &MountId) -> Result<Vec<RoleName>> {
        let mount = mount.clone();
        self.readers.long(move |db| roles::role_names(db, &mount)).await
    }

    async fn put_role(&self, role: &Role) -> Result<()> {
        let role = role.clone();
        self.write(move |w| roles::put_role(w, &role)).await
    }

    async fn remove_role(&self, mount: &MountId, name: &RoleName) -> Result<()> {
        let (mount, name) = (mount.clone(), name.clone());
        self.write(move |w| roles::remove_role(w, &mount, &name)).await
    }

    async fn create_token(&self, token: &Token) -> Result<()> {
        let token = token.clone();
        self.write(move |w| tokens::create_token(w, &token)).await
    }

    async fn update_token(&self, token: &Token) -> Result<()> {
        let token = token.clone();
        self.write(move |w| tokens::update_token(w, &token)).await
    }

    async fn token(&self, digest: &TokenDigest) -> Result<Option<Arc<Token>>> {
        let read = || {
            let token = self.readers.point(|db| tokens::token(db, digest))?;
            Ok(token.map(Arc::new))
        };
        self.caches.tokens.get_or_read(digest, read)
    }

    async fn token_by_accessor(&self, accessor: &Accessor) -> Result<Option<Arc<Token>>> {
        let token = self.readers.point(|db| tokens::token_by_accessor(db, accessor))?;
        Ok(token.map(Arc::new))
    }

    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<i64>> {
        let digest = digest.clone();
        self.write(move |w| tokens::use_token(w, &digest)).await
    }

    async fn end_token_tree(&self, digest: &TokenDigest, now: Timestamp) -> Result<u64> {
        let digest = digest.clone();
        self.write(move |w| tokens::end_token_tree(w, &digest, now)).await
    }

    async fn end_token_alone(&self, digest: &TokenDigest, now: Timestamp) -> Result<bool> {
        let digest = digest.clone();
        self.write(move |w| tokens::end_token_alone(w, &digest, now)).await
    }

    async fn accessors(&self) -> Result<Vec<Accessor>> {
        self.readers.long(tokens::accessors).await
    }

    async fn expired_tokens(&self, now: Timestamp, limit: u32) -> Result<Vec<TokenDigest>> {
        self.readers.long(move |db| tokens::expired_tokens(db, now, limit)).await
    }

    async fn begin_lease(&self, lease: &Lease) -> Result<()> {
        let (lease, settling) = (lease.clone(), self.settling);
        self.write(move |w| leases::begin_lease(w.db, &lease, settling)).await
    }

    async fn save_lease(&self, lease: &Lease) -> Result<()> {
        let (lease, settling) = (lease.clone(), self.settling);
        self.write(move |w| leases::save_lease(w.db, &lease, settling)).await
    }

    async fn lease(&self, id: &LeaseId) -> Result<Option<Lease>> {
        self.readers.point(|db| leases::lease(db, id))
    }

    async fn lease_ids(&self, query: LeaseQuery<'_>) -> Result<Vec<LeaseId>> {
        let query = leases::OwnedQuery {
            prefix: query.prefix.to_owned(),
            after: query.after.cloned(),
            limit: query.limit,
            show: query.show,
        };
        self.readers.long(move |db| leases::lease_ids(db, &query)).await
    }

    async fn due_leases(&self, now: Timestamp, limit: u32) -> Result<Vec<DueLease>> {
        self.readers.long(move |db| leases::due_leases(db, now, limit)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.readers.point(leases::next_due)
    }

    async fn abandon_pending(&self, now: Timestamp) -> Result<u64> {
        self.write(move |w| leases::abandon_pending(w.db, now)).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        let leases = self.purge_all(move |w| purge::leases(w.db, before)).await?;
        let tokens = self.purge_all(move |w| purge::tokens(w, before)).await?;
        let tombstones = self.readers.long(purge::tombstones).await?;
        let mounts = self.write(move |w| purge::mounts(w, tombstones)).await?;
        Ok(leases.saturating_add(tokens).saturating_add(mounts))
    }
}
