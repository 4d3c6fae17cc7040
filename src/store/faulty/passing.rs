//! Every method of the store, passed on: reads fail while the power is off, writes take their turn. A new
//! method belongs into the list of its trait here, and nothing else has to be done for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::FaultyStore;
use crate::model::{
    Accessor, AccountBinding, AppRole, AuditDevice, AuthMount, AuthMountId, CapReached, ChainHead,
    Entity, EntityAlias, EntityId, Group, GroupId, Guardrail, GuardrailName, Job, JobFailure,
    JobId, JobProgress, JobScope, JobState, JwtConfig, JwtRole, KeptVerdict, KubernetesConfig,
    KubernetesRole, Lease, LeaseCaps, LeaseConfig, LeaseFilter, LeaseId, LeaseLimits, LeaseTag,
    LoginUser, Mount, MountId, MountMove, Orphan, OrphanPolicy, PluginDigest, PluginName,
    PluginRecord, PluginSignature, PluginVersion, RateQuota, Role, RoleName, RootRotation,
    SealRecord, SecretIdDigest, SemanticVersion, StaticRole, StoredSecretId, Suspension, Timestamp,
    Token, TokenDigest, TokenRole, Untried, UserRow,
};
use crate::store::wrapping::Wrapping;
use crate::store::{
    AuditStore, AuthMethodStore, DueAt, DueLease, GuardrailStore, IdentityStore, JobStore,
    LeaseQuery, LeaseTally, LimitStore, Mark, Page, PluginStore, PolicyStore, Position, PutPlugin,
    QueryStore, QuotaStore, ReconcileStore, RequestStore, RotationStore, ScheduleStore, SealStore,
    SignedLoginStore, Store, StoreError, StuckLeases, TallyStore, VerdictBounds, WorkTally,
    WrappingStore, Written,
};

type Result<T> = std::result::Result<T, StoreError>;

macro_rules! pass {
    (
        $trait:path:
        reads { $(fn $read:ident($($ra:ident: $rt:ty),*) -> $rr:ty;)* }
        writes { $(fn $write:ident($($wa:ident: $wt:ty),*) -> $wr:ty;)* }
    ) => {
        #[async_trait]
        impl<S: Store + ?Sized> $trait for FaultyStore<S> {
            $(async fn $read(&self, $($ra: $rt),*) -> Result<$rr> {
                self.read()?;
                self.inner.$read($($ra),*).await
            })*
            $(async fn $write(&self, $($wa: $wt),*) -> Result<$wr> {
                self.write(stringify!($write), self.inner.$write($($wa),*)).await
            })*
        }
    };
}

pass! {
    LimitStore:
    reads {
        fn lease_limits(mount: &MountId) -> Option<LeaseLimits>;
        fn account_limits() -> Arc<BTreeMap<String, LeaseLimits>>;
    }
    writes {
        fn put_account_limits(account: &str, limits: LeaseLimits) -> ();
        fn remove_account_limits(account: &str) -> ();
        fn put_lease_limits(mount: &MountId, limits: LeaseLimits) -> ();
        fn begin_lease_within(lease: &Lease, caps: LeaseCaps) -> Option<CapReached>;
    }
}

pass! {
    AuditStore:
    reads {
        fn audit_devices() -> Vec<(AuditDevice, Option<ChainHead>)>;
    }
    writes {
        fn put_audit_device(device: &AuditDevice) -> ();
        fn remove_audit_device(path: &str) -> ();
        fn put_chain_heads(heads: Vec<(String, ChainHead)>) -> ();
    }
}

pass! {
    PluginStore:
    reads {
        fn plugin(digest: &PluginDigest) -> Option<PluginRecord>;
        fn plugin_component(digest: &PluginDigest) -> Option<Vec<u8>>;
        fn plugin_version(name: &PluginName, version: &SemanticVersion) -> Option<PluginDigest>;
        fn plugins() -> Vec<PluginVersion>;
    }
    writes {
        fn put_plugin(plugin: PluginRecord, component: Vec<u8>) -> PutPlugin;
        fn sign_plugin(digest: &PluginDigest, signatures: &[PluginSignature]) -> bool;
        fn delete_plugin_version(name: &PluginName, version: &SemanticVersion) -> bool;
    }
}

pass! {
    GuardrailStore:
    reads {
        fn guardrails() -> Vec<Guardrail>;
        fn guardrail(name: &GuardrailName) -> Option<Guardrail>;
        fn guardrails_of(plugin: &PluginDigest) -> Vec<GuardrailName>;
        fn suspensions() -> Vec<Suspension>;
        fn kept_verdict(digest: &str) -> Option<(KeptVerdict, String)>;
    }
    writes {
        fn put_guardrail(guardrail: &Guardrail) -> ();
        fn remove_guardrail(name: &GuardrailName) -> bool;
        fn put_suspension(suspension: &Suspension) -> ();
        fn remove_suspension(name: &GuardrailName) -> bool;
        fn keep_verdict(verdict: &KeptVerdict, set: &str) -> ();
        fn prune_verdicts(bounds: VerdictBounds) -> u64;
    }
}

pass! {
    PolicyStore:
    reads {
        fn acl_policy(name: &str) -> Option<String>;
        fn acl_policy_names() -> Vec<String>;
    }
    writes {
        fn put_acl_policy(name: &str, text: &str) -> ();
        fn remove_acl_policy(name: &str) -> ();
    }
}

pass! {
    IdentityStore:
    reads {
        fn token_role(name: &str) -> Option<TokenRole>;
        fn token_role_names() -> Vec<String>;
        fn entity(id: &EntityId) -> Option<Entity>;
        fn entity_by_name(name: &str) -> Option<Entity>;
        fn entity_of_alias(mount_accessor: &str, name: &str) -> Option<Entity>;
        fn entity_of_alias_id(alias: &str) -> Option<Entity>;
        fn entity_names() -> Vec<(EntityId, String)>;
        fn alias_ids() -> Vec<String>;
        fn groups() -> Vec<Group>;
        fn group_by_name(name: &str) -> Option<Group>;
    }
    writes {
        fn put_token_role(role: &TokenRole) -> ();
        fn remove_token_role(name: &str) -> ();
        fn put_entity(entity: &Entity) -> ();
        fn put_alias(entity: &EntityId, alias: &EntityAlias) -> ();
        fn remove_entity(id: &EntityId) -> ();
        fn remove_mount_aliases(mount_accessor: &str) -> ();
        fn put_group(group: &Group) -> ();
        fn remove_group(id: &GroupId) -> ();
    }
}

pass! {
    QuotaStore:
    reads {
        fn rate_quotas() -> Vec<RateQuota>;
    }
    writes {
        fn put_rate_quota(quota: &RateQuota) -> ();
        fn remove_rate_quota(name: &str) -> ();
    }
}

pass! {
    AuthMethodStore:
    reads {
        fn auth_mounts() -> Vec<AuthMount>;
        fn login_names(mount: &AuthMountId) -> Vec<String>;
        fn app_role(mount: &AuthMountId, name: &str) -> Option<AppRole>;
        fn app_role_by_id(mount: &AuthMountId, role_id: &str) -> Option<AppRole>;
        fn secret_id(mount: &AuthMountId, role: &str, digest: &SecretIdDigest) -> Option<StoredSecretId>;
        fn secret_id_by_accessor(mount: &AuthMountId, role: &str, accessor: &Accessor) -> Option<StoredSecretId>;
        fn secret_id_accessors(mount: &AuthMountId, role: &str, now: Timestamp) -> Vec<Accessor>;
        fn login_user(mount: &AuthMountId, name: &str) -> Option<LoginUser>;
    }
    writes {
        fn put_auth_mount(mount: &AuthMount) -> ();
        fn remove_auth_mount(mount: &AuthMountId, now: Timestamp) -> u64;
        fn remove_login(mount: &AuthMountId, name: &str) -> ();
        fn put_app_role(mount: &AuthMountId, role: &AppRole) -> ();
        fn put_secret_id(mount: &AuthMountId, secret_id: &StoredSecretId, now: Timestamp) -> ();
        fn use_secret_id(mount: &AuthMountId, role: &str, digest: &SecretIdDigest, now: Timestamp) -> bool;
        fn remove_secret_id(mount: &AuthMountId, role: &str, digest: &SecretIdDigest) -> ();
        fn tidy_secret_ids(mount: &AuthMountId, now: Timestamp) -> u64;
        fn put_login_user(mount: &AuthMountId, user: &LoginUser) -> ();
    }
}

pass! {
    SignedLoginStore:
    reads {
        fn jwt_config(mount: &AuthMountId) -> Option<JwtConfig>;
        fn jwt_role(mount: &AuthMountId, name: &str) -> Option<JwtRole>;
        fn kubernetes_config(mount: &AuthMountId) -> Option<KubernetesConfig>;
        fn kubernetes_role(mount: &AuthMountId, name: &str) -> Option<KubernetesRole>;
    }
    writes {
        fn put_jwt_config(mount: &AuthMountId, config: &JwtConfig) -> ();
        fn put_jwt_role(mount: &AuthMountId, role: &JwtRole) -> ();
        fn put_kubernetes_config(mount: &AuthMountId, config: &KubernetesConfig) -> ();
        fn put_kubernetes_role(mount: &AuthMountId, role: &KubernetesRole) -> ();
    }
}

pass! {
    WrappingStore:
    reads {
        fn wrapping(token: &TokenDigest) -> Option<Wrapping>;
    }
    writes {
        fn put_wrapping(token: &Token, wrapping: &Wrapping) -> ();
        fn take_wrapping(token: &TokenDigest, now: Timestamp) -> Option<Wrapping>;
    }
}

pass! {
    RotationStore:
    reads {
        fn root_rotation(mount: &MountId) -> Option<RootRotation>;
        fn unfinished_root_rotations() -> Vec<MountId>;
        fn static_role(mount: &MountId, name: &RoleName) -> Option<StaticRole>;
        fn static_roles(mount: &MountId) -> Vec<StaticRole>;
        fn due_static_roles(now: Timestamp, limit: u32) -> Vec<(MountId, RoleName)>;
        fn next_static_role() -> Option<Timestamp>;
    }
    writes {
        fn save_root_rotation(rotation: &RootRotation) -> ();
        fn switch_root_key(binding: &AccountBinding, rotation: &RootRotation) -> ();
        fn save_static_role(role: &StaticRole) -> ();
        fn remove_static_role(mount: &MountId, name: &RoleName) -> ();
    }
}

pass! {
    SealStore:
    reads {
        fn seal() -> Option<SealRecord>;
    }
    writes {
        fn init_seal(seal: &SealRecord) -> bool;
        fn save_seal(seal: &SealRecord) -> ();
    }
}

pass! {
    RequestStore:
    reads {
        fn lease_of_request(request_key: &[u8]) -> Option<Lease>;
    }
    writes {}
}

pass! {
    Store:
    reads {
        fn setting(name: &str) -> Option<Vec<u8>>;
        fn mounts() -> Vec<Mount>;
        fn account_binding(mount: &MountId) -> Option<AccountBinding>;
        fn lease_config(mount: &MountId) -> Option<LeaseConfig>;
        fn role(mount: &MountId, name: &RoleName) -> Option<Arc<Role>>;
        fn role_names(mount: &MountId) -> Vec<RoleName>;
        fn token(digest: &TokenDigest) -> Option<Arc<Token>>;
        fn token_by_accessor(accessor: &Accessor) -> Option<Arc<Token>>;
        fn accessors() -> Vec<Accessor>;
        fn expired_tokens(now: Timestamp, limit: u32) -> Vec<TokenDigest>;
        fn lease(id: &LeaseId) -> Option<Lease>;
        fn lease_ids(query: LeaseQuery<'_>) -> Vec<LeaseId>;
        fn due_leases(now: Timestamp, limit: u32) -> Vec<DueLease>;
        fn next_due() -> Option<Timestamp>;
    }
    writes {
        fn put_setting(name: &str, value: &[u8]) -> ();
        fn init_settings(values: &[(&str, Vec<u8>)]) -> bool;
        fn put_mount(mount: &Mount) -> ();
        fn remove_mount(mount: &MountId) -> ();
        fn put_account_binding(mount: &MountId, binding: &AccountBinding) -> ();
        fn put_lease_config(mount: &MountId, config: LeaseConfig) -> ();
        fn put_role(role: &Role) -> ();
        fn remove_role(mount: &MountId, name: &RoleName) -> ();
        fn create_token(token: &Token) -> ();
        fn update_token(token: &Token) -> ();
        fn use_token(digest: &TokenDigest) -> Option<i64>;
        fn end_token_tree(digest: &TokenDigest, now: Timestamp) -> u64;
        fn end_token_alone(digest: &TokenDigest, now: Timestamp) -> bool;
        fn begin_lease(lease: &Lease) -> ();
        fn save_lease(lease: &Lease) -> ();
        fn abandon_pending(now: Timestamp) -> u64;
        fn purge(before: Timestamp) -> u64;
    }
}

#[async_trait]
impl<S: Store + ?Sized> QueryStore for FaultyStore<S> {
    async fn leases_matching(
        &self,
        filter: &LeaseFilter,
        after: Position,
        limit: u32,
    ) -> Result<Page<Lease>> {
        self.read()?;
        self.inner.leases_matching(filter, after, limit).await
    }

    async fn stuck_leases(&self) -> Result<Vec<(MountId, u64)>> {
        self.read()?;
        self.inner.stuck_leases().await
    }
}

#[async_trait]
impl<S: Store + ?Sized> TallyStore for FaultyStore<S> {
    async fn lease_tally(&self, stuck_after: u32) -> Result<LeaseTally> {
        self.read()?;
        self.inner.lease_tally(stuck_after).await
    }

    async fn work_tally(&self) -> Result<WorkTally> {
        self.read()?;
        self.inner.work_tally().await
    }

    fn written(&self) -> Written {
        self.inner.written()
    }
}

pass! {
    ScheduleStore:
    reads {}
    writes {
        fn bring_forward(latest: Timestamp) -> u64;
    }
}

pass! {
    ReconcileStore:
    reads {
        fn user_rows(since: Timestamp, after: i64, limit: u32) -> Option<(Vec<UserRow>, i64)>;
        fn lease_by_tag(tag: &LeaseTag) -> Option<Lease>;
        fn stuck_since(before: Timestamp) -> StuckLeases;
        fn orphans() -> Vec<Orphan>;
        fn orphan_policies() -> Vec<OrphanPolicy>;
    }
    writes {
        fn put_orphans(mounts: &[MountId], found: &[Orphan]) -> ();
        fn put_orphan_policies(mounts: &[MountId], found: &[OrphanPolicy]) -> ();
        fn ignore_orphan(id: &str, until: Option<Timestamp>) -> bool;
        fn forget_orphan(id: &str) -> ();
        fn remove_setting(name: &str) -> ();
    }
}

pass! {
    JobStore:
    reads {
        fn has_leases(scope: &JobScope) -> bool;
        fn job(id: &JobId) -> Option<Job>;
        fn jobs() -> Vec<Job>;
        fn open_jobs() -> Vec<Job>;
        fn untried(id: &JobId, place: i64, limit: u32) -> Vec<Untried>;
        fn job_failure(id: &JobId) -> Option<JobFailure>;
        fn job_progress(id: &JobId) -> JobProgress;
        fn job_rest(id: &JobId, from: i64) -> Option<i64>;
        fn of_job(id: &JobId, leases: &[LeaseId]) -> Vec<LeaseId>;
        fn mount_in_use(mount: &MountId) -> bool;
        fn due_beside(now: Timestamp, limit: u32, busy: &[MountId]) -> Vec<DueAt>;
        fn mount_move(id: &str) -> Option<MountMove>;
    }
    writes {
        fn begin_job(job: &Job) -> ();
        fn mark_job_page(id: &JobId, limit: u32, mark: Mark) -> bool;
        fn set_job_state(id: &JobId, state: JobState, now: Timestamp) -> bool;
        fn settle_job(id: &JobId, now: Timestamp) -> ();
        fn forget_job(id: &JobId, now: Timestamp) -> ();
        fn purge_jobs(before: Timestamp) -> u64;
        fn move_mount(mount: &Mount, made: &MountMove) -> ();
    }
}
