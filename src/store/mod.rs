//! What must survive: mounts, account bindings, roles, tokens, leases. [`Store`] speaks the words of
//! the domain; SQL lives in [`sqlite`] alone. A save is durable when its future is ready: the lease
//! row written here is the write-ahead entry of every AWS call.

use async_trait::async_trait;

use crate::model::{
    Accessor, AccountBinding, Lease, LeaseConfig, LeaseId, Mount, MountId, Role, RoleName,
    Timestamp, Token, TokenDigest,
};

mod audit;
pub mod auth_methods;
pub mod faulty;
pub mod guardrails;
pub mod identity;
mod jobs;
pub mod limits;
pub mod plugins;
pub mod policies;
pub mod query;
pub mod quotas;
mod reconcile;
pub mod requests;
pub mod schedule;
mod seal;
pub mod signed_logins;
pub mod sqlite;
pub mod static_roles;
pub mod tally;
pub mod wrapping;

pub use audit::AuditStore;
pub use auth_methods::AuthMethodStore;
pub use guardrails::{GuardrailStore, VerdictBounds};
pub use identity::IdentityStore;
pub use jobs::{DueAt, JobStore, Mark};
pub use limits::LimitStore;
pub use plugins::{PluginStore, PutPlugin};
pub use policies::PolicyStore;
pub use query::{Page, Position, QueryStore};
pub use quotas::QuotaStore;
pub use reconcile::{ReconcileStore, StuckLeases};
pub use requests::RequestStore;
pub use schedule::ScheduleStore;
pub use seal::SealStore;
pub use signed_logins::SignedLoginStore;
pub use static_roles::RotationStore;
pub use tally::{LeaseTally, TallyStore, WorkTally, Written};
pub use wrapping::WrappingStore;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row was changed by someone else since it was read: read it again.
    #[error("the row changed meanwhile")]
    Conflict,
    /// The database refused, is broken, or the disk is full.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

type Result<T> = std::result::Result<T, StoreError>;

/// Everything durable. Writes are durable when they return; reads see all earlier writes.
#[async_trait]
pub trait Store:
    JobStore
    + AuditStore
    + AuthMethodStore
    + RotationStore
    + ReconcileStore
    + ScheduleStore
    + SealStore
    + SignedLoginStore
    + TallyStore
    + LimitStore
    + GuardrailStore
    + PluginStore
    + PolicyStore
    + QueryStore
    + RequestStore
    + WrappingStore
    + IdentityStore
    + QuotaStore
    + std::fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// A value of the installation itself (its id, its sealed key check, …).
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// Writes such a value.
    async fn put_setting(&self, name: &str, value: &[u8]) -> Result<()>;
    /// Writes several such values in one transaction, only if none of them exists; tells whether it did.
    async fn init_settings(&self, values: &[(&str, Vec<u8>)]) -> Result<bool>;

    /// All mounts, tombstones included.
    async fn mounts(&self) -> Result<Vec<Mount>>;
    /// Writes a mount; [`StoreError::Conflict`] when another one that is not removed has its path.
    async fn put_mount(&self, mount: &Mount) -> Result<()>;
    /// Turns a mount into a tombstone and removes its roles and `config/lease`; its binding stays
    /// while leases need it.
    async fn remove_mount(&self, mount: &MountId) -> Result<()>;

    /// `config/root` of a mount.
    async fn account_binding(&self, mount: &MountId) -> Result<Option<AccountBinding>>;
    /// Writes `config/root`.
    async fn put_account_binding(&self, mount: &MountId, binding: &AccountBinding) -> Result<()>;
    /// `config/lease` of a mount.
    async fn lease_config(&self, mount: &MountId) -> Result<Option<LeaseConfig>>;
    /// Writes `config/lease`.
    async fn put_lease_config(&self, mount: &MountId, config: LeaseConfig) -> Result<()>;

    /// A role.
    async fn role(&self, mount: &MountId, name: &RoleName) -> Result<Option<std::sync::Arc<Role>>>;
    /// Names of the roles of a mount, sorted by byte value.
    async fn role_names(&self, mount: &MountId) -> Result<Vec<RoleName>>;
    /// Writes a role; `role.version` must be one more than the stored one (1 when new), else
    /// [`StoreError::Conflict`].
    async fn put_role(&self, role: &Role) -> Result<()>;
    /// Removes a role if it is there.
    async fn remove_role(&self, mount: &MountId, name: &RoleName) -> Result<()>;

    /// Writes a new token. [`StoreError::Conflict`] where there is one of this digest, ended or not, and where
    /// its parent or its auth mount is no more.
    async fn create_token(&self, token: &Token) -> Result<()>;
    /// Writes the changed end, policies and words of a token. Uses that were taken stay as they are stored,
    /// whatever an older copy says; [`StoreError::Conflict`] where it has ended or is not there.
    async fn update_token(&self, token: &Token) -> Result<()>;
    /// A token, ended ones included until they are purged.
    async fn token(&self, digest: &TokenDigest) -> Result<Option<std::sync::Arc<Token>>>;
    /// A token by its public handle.
    async fn token_by_accessor(&self, accessor: &Accessor)
    -> Result<Option<std::sync::Arc<Token>>>;
    /// Takes one use of a use-limited token, durably; what is left (0: this was the last, stored as -1),
    /// or `None` if it had none left or has ended. `i64::MAX` for a token without a limit.
    async fn use_token(&self, digest: &TokenDigest) -> Result<Option<i64>>;
    /// Ends a token and all its descendants in one transaction, and makes their leases due now.
    /// Returns how many ended.
    async fn end_token_tree(&self, digest: &TokenDigest, now: Timestamp) -> Result<u64>;
    /// Ends a token alone, in one transaction: its children become orphans, its leases are due now. Tells
    /// whether there was one to end.
    async fn end_token_alone(&self, digest: &TokenDigest, now: Timestamp) -> Result<bool>;
    /// Accessors of the tokens that have not ended.
    async fn accessors(&self) -> Result<Vec<Accessor>>;
    /// Tokens whose time is over and that have not ended, at most `limit`.
    async fn expired_tokens(&self, now: Timestamp, limit: u32) -> Result<Vec<TokenDigest>>;

    /// Writes the row of a new lease. This is the write-ahead entry: no AWS call before it returns.
    /// [`StoreError::Conflict`] when the id is taken or the mount was removed meanwhile.
    async fn begin_lease(&self, lease: &Lease) -> Result<()>;
    /// Saves a changed lease whose `revision` is the one that was read; the stored row gets
    /// `revision + 1`. [`StoreError::Conflict`] when someone was faster.
    async fn save_lease(&self, lease: &Lease) -> Result<()>;
    /// A lease by id, visible or not.
    async fn lease(&self, id: &LeaseId) -> Result<Option<Lease>>;
    /// Ids of the leases that begin with `prefix` and are not yet gone, in byte order, at most
    /// `limit`, after `after`. Visible ones only, unless `hidden_too` says otherwise.
    async fn lease_ids(&self, query: LeaseQuery<'_>) -> Result<Vec<LeaseId>>;
    /// Leases that are due, the longest due first, at most `limit`; an active one whose holder has
    /// ended counts as due.
    async fn due_leases(&self, now: Timestamp, limit: u32) -> Result<Vec<DueLease>>;
    /// When the next lease or token becomes due.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
    /// Makes every pending lease due now: at start they belong to a process that is gone.
    async fn abandon_pending(&self, now: Timestamp) -> Result<u64>;
    /// Deletes rows of leases gone before `before`, of tokens ended before it that hold no unfinished
    /// lease, and tombstones of mounts without an unfinished lease. Returns how many of all these.
    async fn purge(&self, before: Timestamp) -> Result<u64>;
}

/// Which leases to list.
#[derive(Debug, Clone, Copy)]
pub struct LeaseQuery<'a> {
    /// Ids begin with this.
    pub prefix: &'a str,
    /// Only ids greater than this.
    pub after: Option<&'a LeaseId>,
    /// At most so many.
    pub limit: u32,
    /// Which of them.
    pub show: Show,
}

/// Whether hidden leases are listed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Those that a caller may see.
    Visible,
    /// All that are not yet revoked: pending, forced and removed ones too.
    Unfinished,
}

/// A lease whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLease {
    /// Which one. The row is read by whoever works on it: one that cannot be read stops no other.
    pub id: LeaseId,
    /// Whether the token that holds it has ended.
    pub holder_ended: bool,
}
