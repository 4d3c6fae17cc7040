//! Every route on one page: pattern, fields, operation → handler. What no pattern takes is 404
//! `unsupported path`, what a pattern takes without the operation is 405 `unsupported operation`. Who
//! may call a route is not decided here but in [`crate::auth::acl`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::envelope::Place;
use super::fields::Field;
use super::found::Found;
pub(super) use super::open::{OPEN, open};
use super::pattern::{Pattern, between, exact, listed, maybe, named, under};
use super::pipeline::{Answered, Call};
use super::{
    Wire, approle, auth_token, auth_token_roles, aws_creds, aws_limits, aws_roles, aws_settings,
    aws_static, identity, identity_groups, jwt, kubernetes, mount_shape, openapi,
    sys_account_limits, sys_audit, sys_auth, sys_catalog, sys_doctor, sys_guardrails, sys_jobs,
    sys_lease_accounts, sys_lease_query, sys_leases, sys_metrics, sys_mounts, sys_plugins,
    sys_policies, sys_quotas, sys_reconcile, sys_remount, sys_rotate, sys_seal, sys_state, ui,
    userpass, wrapping,
};
use crate::auth::Operation::{self, Delete, List, Read, Update};
use crate::model::{AuthMethod, AuthMount, Mount, MountState};

pub(super) type Pending<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;
type Handler = fn(Call) -> Pending<'static>;

/// A path of the API and what can be done with it.
#[derive(Debug)]
pub struct Route {
    pub(super) pattern: Pattern,
    pub(super) help: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) on: &'static [(Operation, Handler)],
    /// Whether a write first looks if the object is there: field types then come before the ACL.
    pub(super) exists_check: bool,
    /// Who may call it.
    pub(super) callers: Callers,
    /// Whether a read changes something, so that it is finished even when its caller has gone.
    pub(super) effect: bool,
    /// Whether it takes whatever is sent, declared or not.
    pub(super) takes_any: bool,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callers {
    /// Whom the ACL lets.
    ByAcl,
    /// Reads: every valid token; the handler shows what its rules reach.
    AnyToken,
    /// Reads: the same, and somebody without a token.
    Anybody,
    /// Writes: whoever can log in, without a token.
    WhoLogsIn,
}

macro_rules! on {
    ($($operation:ident => $handler:path),+ $(,)?) => {
        &[$(($operation, |call| Box::pin($handler(call)))),+]
    };
}

/// Below `auth/token/`.
#[rustfmt::skip]
static TOKEN: &[Route] = &[
    route(exact("create"), "Makes a token, a child of the caller's.", auth_token::CREATE, on![Update => auth_token::create]),
    route(exact("create-orphan"), "Makes a token without a parent.", auth_token::CREATE, on![Update => auth_token::create_orphan]),
    route(named("create/"), "Makes a token by a token role.", auth_token::CREATE, on![Update => auth_token_roles::create]),
    route(listed("roles"), "Lists the token roles.", &[], on![List => auth_token_roles::list]),
    route(named("roles/"), "Reads, writes or deletes a token role.", auth_token_roles::ROLE, on![Read => auth_token_roles::read, Update => auth_token_roles::write, Delete => auth_token_roles::delete]).exists_first(),
    route(listed("accessors"), "Lists the accessors of all tokens.", &[], on![List => auth_token::accessors]),
    route(exact("lookup-accessor"), "Shows the token with an accessor.", auth_token::ACCESSOR, on![Update => auth_token::lookup_accessor]),
    route(exact("renew-accessor"), "Moves the end of the token with an accessor.", auth_token::ACCESSOR, on![Update => auth_token::renew_accessor]),
    route(exact("revoke-accessor"), "Ends the token with an accessor, its descendants and their leases.", auth_token::ACCESSOR, on![Update => auth_token::revoke_accessor]),
    route(exact("revoke-orphan"), "Ends a token and its leases, not its descendants.", auth_token::TOKEN, on![Update => auth_token::revoke_orphan]),
    route(exact("tidy"), "Nothing is left over here that would have to be tidied.", &[], on![Update => auth_token::tidy]),
    route(exact("lookup"), "Shows a token.", auth_token::TOKEN, on![Read => auth_token::lookup, Update => auth_token::lookup]),
    route(exact("lookup-self"), "Shows the caller's own token.", &[], on![Read => auth_token::lookup_self, Update => auth_token::lookup_self]),
    route(exact("renew"), "Moves the end of a token.", auth_token::RENEW, on![Update => auth_token::renew]),
    route(exact("renew-self"), "Moves the end of the caller's own token.", auth_token::RENEW, on![Update => auth_token::renew_self]),
    route(exact("revoke"), "Ends a token, its descendants and their leases.", auth_token::TOKEN, on![Update => auth_token::revoke]),
    route(exact("revoke-self"), "Ends the caller's own token, its descendants and their leases.", &[], on![Update => auth_token::revoke_self]),
];

/// Below the path of an AppRole method. The path of a list ends in a slash.
#[rustfmt::skip]
static APPROLE: &[Route] = &[
    route(exact("login"), "Logs a machine in.", approle::LOGIN, on![Update => approle::login]).open_to(Callers::WhoLogsIn),
    route(listed("role"), "Lists the roles.", &[], on![List => approle::list]),
    route(between("role/", "/role-id"), "Shows or sets what machines name the role by.", approle::ROLE_ID, on![Read => approle::read_role_id, Update => approle::write_role_id]),
    route(between("role/", "/secret-id/lookup"), "Shows a secret id.", approle::SECRET, on![Update => approle::look_up]),
    route(between("role/", "/secret-id/destroy"), "Ends a secret id.", approle::SECRET, on![Update => approle::destroy, Delete => approle::destroy]),
    route(between("role/", "/secret-id-accessor/lookup"), "Shows the secret id with an accessor.", approle::ACCESSOR, on![Update => approle::look_up_accessor]),
    route(between("role/", "/secret-id-accessor/destroy"), "Ends the secret id with an accessor.", approle::ACCESSOR, on![Update => approle::destroy_accessor, Delete => approle::destroy_accessor]),
    route(between("role/", "/custom-secret-id"), "Makes a secret id of what is sent.", approle::NEW, on![Update => approle::take_secret_id]),
    route(between("role/", "/secret-id"), "Makes a secret id.", approle::NEW, on![Update => approle::make_secret_id]),
    route(between("role/", "/secret-id/"), "Lists the accessors of the secret ids.", &[], on![List => approle::list_secret_ids]),
    route(named("role/"), "Reads, writes or deletes a role.", approle::ROLE, on![Read => approle::read, Update => approle::write, Delete => approle::delete]).exists_first(),
    route(exact("tidy/secret-id"), "Forgets the secret ids whose time is over.", &[], on![Update => approle::tidy]),
];

/// Below the path of a userpass method.
#[rustfmt::skip]
static USERPASS: &[Route] = &[
    route(named("login/"), "Logs a person in.", userpass::PASSWORD, on![Update => userpass::login]).open_to(Callers::WhoLogsIn),
    route(listed("users"), "Lists the users.", &[], on![List => approle::list]),
    route(between("users/", "/password"), "Sets a user's password.", userpass::PASSWORD, on![Update => userpass::set_password]),
    route(between("users/", "/policies"), "Sets a user's policies.", userpass::POLICIES, on![Update => userpass::set_policies]),
    route(named("users/"), "Reads, writes or deletes a user.", userpass::USER, on![Read => userpass::read, Update => userpass::write, Delete => userpass::delete]).exists_first(),
];

/// Below the path of a `jwt` method, and of an `oidc` one.
#[rustfmt::skip]
static JWT: &[Route] = &[
    route(exact("login"), "Logs a machine in by a signed token.", jwt::LOGIN, on![Update => jwt::login]).open_to(Callers::WhoLogsIn),
    route(exact("config"), "Whose tokens are believed.", jwt::CONFIG, on![Read => jwt::read_config, Update => jwt::write_config]),
    route(listed("role"), "Lists the roles.", &[], on![List => approle::list]),
    route(named("role/"), "Reads, writes or deletes a role.", jwt::ROLE, on![Read => jwt::read_role, Update => jwt::write_role, Delete => approle::delete]).exists_first(),
    route(exact("oidc/auth_url"), "The login of people by browser, which is not offered.", &[], on![Update => jwt::browser]).open_to(Callers::WhoLogsIn),
    route(exact("oidc/callback"), "The login of people by browser, which is not offered.", &[], on![Read => jwt::browser]).open_to(Callers::Anybody),
];

/// Below the path of a `kubernetes` method.
#[rustfmt::skip]
static KUBERNETES: &[Route] = &[
    route(exact("login"), "Logs a pod in by the token of its service account.", jwt::LOGIN, on![Update => kubernetes::login]).open_to(Callers::WhoLogsIn),
    route(exact("config"), "The cluster that is asked.", kubernetes::CONFIG, on![Read => kubernetes::read_config, Update => kubernetes::write_config]),
    route(listed("role"), "Lists the roles.", &[], on![List => approle::list]),
    route(named("role/"), "Reads, writes or deletes a role.", kubernetes::ROLE, on![Read => kubernetes::read_role, Update => kubernetes::write_role, Delete => approle::delete]).exists_first(),
];

/// Below `sys/`. What the HTTP layer answers itself is in [`open`].
#[rustfmt::skip]
static SYS: &[Route] = &[
    route(listed("mounts"), "Lists the engines.", &[], on![Read => sys_mounts::list]),
    route(between("mounts/auth/", "/tune"), "Another name of auth/:path/tune; the Vault CLI and Terraform tune by it.", mount_shape::TUNE, on![Read => sys_auth::read_tuning, Update => sys_auth::tune]),
    route(between("mounts/", "/tune"), "Shows or changes an engine's settings.", mount_shape::TUNE, on![Read => sys_mounts::read_tuning, Update => sys_mounts::tune]),
    route(under("mounts/"), "Shows, enables or disables an engine.", mount_shape::ENABLE, on![Read => sys_mounts::read, Update => sys_mounts::enable, Delete => sys_mounts::disable]),
    route(listed("audit"), "Lists the audit devices.", &[], on![Read => sys_audit::list]),
    route(under("audit/"), "Enables or disables an audit device.", sys_audit::ENABLE, on![Update => sys_audit::enable, Delete => sys_audit::disable]),
    route(under("audit-hash/"), "Shows a text as an audit device does.", sys_audit::HASH, on![Update => sys_audit::hash]),
    route(under("audit-chain/"), "Shows the last entry of an audit device.", &[], on![Read => sys_audit::chain]),
    route(listed("auth"), "Lists the auth methods.", &[], on![Read => sys_auth::list]),
    route(between("auth/", "/tune"), "Shows or changes an auth method's settings.", mount_shape::TUNE, on![Read => sys_auth::read_tuning, Update => sys_auth::tune]),
    route(under("auth/"), "Shows, enables or disables an auth method.", mount_shape::ENABLE, on![Read => sys_auth::read, Update => sys_auth::enable, Delete => sys_auth::disable]),
    route(exact("internal/specs/openapi"), "Shows what can be asked here, as an OpenAPI document.", openapi::FIELDS, on![Read => openapi::specification, Update => openapi::specification]).open_to(Callers::Anybody),
    route(listed("internal/ui/mounts"), "Lists the mounts that the caller may see.", &[], on![Read => ui::list_mounts]).open_to(Callers::Anybody),
    route(under("internal/ui/mounts/"), "Shows a mount that the caller may reach.", &[], on![Read => ui::read_mount]).open_to(Callers::AnyToken),
    route(exact("internal/ui/resultant-acl"), "Shows the caller's rules.", &[], on![Read => sys_policies::resultant]),
    route(exact("wrapping/wrap"), "Gives any data back, wrapped.", &[], on![Update => wrapping::echo]).taking_any(),
    route(exact("capabilities-self"), "Shows what the caller may do with paths.", sys_policies::CAPABILITIES, on![Update => sys_policies::capabilities_self]),
    route(exact("capabilities"), "Shows what a token may do with paths.", sys_policies::CAPABILITIES, on![Update => sys_policies::capabilities]),
    route(exact("capabilities-accessor"), "Shows what the token with an accessor may do with paths.", sys_policies::CAPABILITIES, on![Update => sys_policies::capabilities_accessor]),
    route(listed("policies/acl"), "Lists the ACL policies.", &[], on![List => sys_policies::list]),
    route(under("policies/acl/"), "Reads, writes or deletes an ACL policy.", sys_policies::WRITE, on![Read => sys_policies::read, Update => sys_policies::write, Delete => sys_policies::delete]),
    route(listed("policy"), "Old name of policies/acl.", &[], on![Read => sys_policies::list_old, List => sys_policies::list_old]),
    route(under("policy/"), "Old name of policies/acl/:name.", sys_policies::OLD_WRITE, on![Read => sys_policies::read_old, Update => sys_policies::write_old, Delete => sys_policies::delete]),
    route(exact("leases/lookup"), "Shows a lease.", sys_leases::LOOKUP, on![Update => sys_leases::lookup]),
    route(maybe("leases/lookup"), "Lists leases, one level of the path at a time.", &[], on![List => sys_leases::list]),
    route(maybe("leases/renew"), "Moves the end of a lease.", sys_leases::RENEW, on![Update => sys_leases::renew]),
    route(maybe("leases/revoke"), "Revokes a lease.", sys_leases::REVOKE, on![Update => sys_leases::revoke]),
    route(under("leases/revoke-prefix/"), "Revokes every lease under a prefix.", sys_leases::REVOKE_PREFIX, on![Update => sys_leases::revoke_prefix]),
    route(under("leases/revoke-force/"), "Takes every lease under a prefix out of sight; their users are still removed.", &[], on![Update => sys_leases::revoke_force]),
    route(exact("leases"), "Lists the leases that cannot be revoked.", sys_lease_query::IRREVOCABLE, on![Read => sys_lease_query::irrevocable]),
    route(exact("leases/count"), "Counts the leases that cannot be revoked.", sys_lease_query::COUNT, on![Read => sys_lease_query::count]),
    route(exact("leases/tidy"), "Deletes the rows of what is over for long.", &[], on![Update => sys_lease_query::tidy]),
    route(listed("leases/query"), "Finds leases, ended ones too, by what is known of them.", sys_lease_query::QUERY, on![Read => sys_lease_query::query, Update => sys_lease_query::query, List => sys_lease_query::query_ids]),
    route(listed("leases/accounts"), "Lists the disabled mounts whose leases are not gone.", &[], on![List => sys_lease_accounts::list]),
    route(under("leases/accounts/"), "Shows or changes the account of a disabled mount.", aws_settings::ROOT, on![Read => sys_lease_accounts::read, Update => sys_lease_accounts::write]),
    route(listed("leases/limits"), "Lists the AWS accounts whose live leases have a cap.", &[], on![List => sys_account_limits::list]),
    route(named("leases/limits/"), "How many leases of an AWS account may live at once, over all mounts.", sys_account_limits::FIELDS, on![Read => sys_account_limits::read, Update => sys_account_limits::write, Delete => sys_account_limits::delete]),
    route(listed("guardrails"), "Lists the guardrails, or shows them all.", &[], on![List => sys_guardrails::list, Read => sys_guardrails::read_all]),
    route(exact("guardrails/what-if"), "Shows what a new guardrail would change for the stored roles.", sys_guardrails::WRITE, on![Update => sys_guardrails::what_if_new]),
    route(between("guardrails/verdicts/", "/replay"), "Reaches a kept verdict again.", &[], on![Update => sys_guardrails::replay]),
    route(under("guardrails/verdicts/"), "Shows a kept verdict and what went in.", &[], on![Read => sys_guardrails::read_verdict]),
    route(between("guardrails/", "/suspend"), "Suspends a guardrail for a while, with a reason.", sys_guardrails::SUSPEND, on![Update => sys_guardrails::suspend]),
    route(between("guardrails/", "/resume"), "Ends the suspension of a guardrail.", &[], on![Update => sys_guardrails::resume]),
    route(between("guardrails/", "/what-if"), "Shows what a change of a guardrail would change for the stored roles.", sys_guardrails::WRITE, on![Update => sys_guardrails::what_if]),
    route(under("guardrails/"), "Reads, writes or deletes a guardrail.", sys_guardrails::WRITE, on![Read => sys_guardrails::read, Update => sys_guardrails::write, Delete => sys_guardrails::delete]),
    route(exact("metrics"), "Shows what is counted, as JSON or, with format=prometheus, as text.", sys_metrics::FIELDS, on![Read => sys_metrics::read]),
    route(exact("host-info"), "Shows the machine: processors, memory, disk.", &[], on![Read => sys_state::host_info]),
    route(exact("ha-status"), "Shows the nodes: there is one.", &[], on![Read => sys_state::ha_status]),
    route(listed("version-history"), "Lists the versions that ran on this database.", &[], on![List => sys_state::version_history]),
    route(exact("config/state/sanitized"), "Shows the configuration without anything secret.", &[], on![Read => sys_state::sanitized]),
    route(exact("doctor"), "Looks at whether the broker could do its work.", &[], on![Read => sys_doctor::read]),
    route(exact("leases/reconcile"), "Compares AWS with the leases.", sys_reconcile::RECONCILE, on![Read => sys_reconcile::last, Update => sys_reconcile::run]),
    route(listed("leases/orphans"), "Lists the users and policies that are ours and have no lease.", &[], on![List => sys_reconcile::list_orphans, Read => sys_reconcile::read_orphans]),
    route(under("leases/orphans/"), "Shows a user or a policy without a lease, or decides about it.", sys_reconcile::DECIDE, on![Read => sys_reconcile::read_orphan, Update => sys_reconcile::decide]),
    route(exact("leases/quarantine"), "Shows or ends the quarantine of a restored backup.", sys_reconcile::LIFT, on![Read => sys_reconcile::read_quarantine, Update => sys_reconcile::lift_quarantine]),
    route(exact("leases/revoke-query"), "Revokes every lease that fits all of a query.", sys_lease_query::TERMS_ALONE, on![Update => sys_jobs::revoke_query]),
    route(listed("leases/jobs"), "Lists the jobs that revoke many leases.", &[], on![Read => sys_jobs::read_all, List => sys_jobs::list]),
    route(between("leases/jobs/", "/pause"), "Pauses a job.", &[], on![Update => sys_jobs::pause]),
    route(between("leases/jobs/", "/resume"), "Goes on with a paused job.", &[], on![Update => sys_jobs::resume]),
    route(under("leases/jobs/"), "Shows a job, or forgets it.", &[], on![Read => sys_jobs::read, Delete => sys_jobs::forget]),
    route(listed("plugins/guardrails"), "Lists the plugins of guardrails, or uploads one.", sys_plugins::UPLOAD, on![Read => sys_plugins::read_all, List => sys_plugins::list, Update => sys_plugins::upload]),
    route(under("plugins/guardrails/"), "Lists a plugin's versions; reads, uploads or deletes one.", sys_plugins::UPLOAD, on![Read => sys_plugins::read, List => sys_plugins::versions, Update => sys_plugins::upload, Delete => sys_plugins::delete]),
    route(exact("plugins/guardrails-check"), "Examines a plugin without storing it.", sys_plugins::UPLOAD, on![Update => sys_plugins::check]),
    route(listed("plugins/catalog"), "Lists what can be mounted.", &[], on![Read => sys_catalog::all]),
    route(under("plugins/catalog/"), "Lists what of a kind can be mounted, or shows one of them.", &[], on![Read => sys_catalog::read, List => sys_catalog::list]),
    route(exact("seal"), "Seals the broker: nobody is served until it is unsealed.", &[], on![Update => sys_seal::seal]),
    route(exact("step-down"), "Nobody stands by who could take over: nothing changes.", &[], on![Update => sys_seal::step_down]),
    route(exact("rotate"), "Seals what is stored from now on with a new key.", &[], on![Update => sys_rotate::rotate]),
    route(exact("key-status"), "Shows the key that is in use.", &[], on![Read => sys_rotate::status]),
    route(listed("quotas/rate-limit"), "Lists the rate-limit quotas.", &[], on![List => sys_quotas::list]),
    route(named("quotas/rate-limit/"), "Reads, writes or deletes a rate-limit quota.", sys_quotas::QUOTA, on![Read => sys_quotas::read, Update => sys_quotas::write, Delete => sys_quotas::delete]),
    route(exact("quotas/config"), "Shows or changes what holds for all quotas.", sys_quotas::CONFIG, on![Read => sys_quotas::read_config, Update => sys_quotas::write_config]),
    route(exact("remount"), "Moves an engine to another path.", sys_remount::FIELDS, on![Update => sys_remount::begin]),
    route(under("remount/status/"), "Shows a move.", &[], on![Read => sys_remount::status]),
    route(maybe("renew"), "Old name of leases/renew.", sys_leases::RENEW, on![Update => sys_leases::renew]),
    route(maybe("revoke"), "Old name of leases/revoke.", sys_leases::REVOKE, on![Update => sys_leases::revoke]),
    route(under("revoke-prefix/"), "Old name of leases/revoke-prefix.", sys_leases::REVOKE_PREFIX, on![Update => sys_leases::revoke_prefix]),
    route(under("revoke-force/"), "Old name of leases/revoke-force.", &[], on![Update => sys_leases::revoke_force]),
];

/// Below `identity/`.
#[rustfmt::skip]
static IDENTITY: &[Route] = &[
    route(exact("entity"), "Makes or changes an entity.", identity::ENTITY, on![Update => identity::write]),
    route(listed("entity/id"), "Lists the entities by id.", &[], on![List => identity::list_ids]),
    route(under("entity/id/"), "Reads, changes or deletes an entity.", identity::ENTITY, on![Read => identity::read_by_id, Update => identity::write_by_id, Delete => identity::delete_by_id]),
    route(listed("entity/name"), "Lists the entities by name.", &[], on![List => identity::list_names]),
    route(under("entity/name/"), "Reads, writes or deletes an entity.", identity::ENTITY, on![Read => identity::read_by_name, Update => identity::write_by_name, Delete => identity::delete_by_name]),
    route(exact("entity-alias"), "Makes or changes what an auth mount knows an entity by.", identity::ALIAS, on![Update => identity::write_alias]),
    route(listed("entity-alias/id"), "Lists the aliases.", &[], on![List => identity::list_aliases]),
    route(under("entity-alias/id/"), "Reads, changes or deletes an alias.", identity::ALIAS, on![Read => identity::read_alias, Update => identity::write_alias_by_id, Delete => identity::delete_alias]),
    route(exact("group"), "Makes or changes a group.", identity_groups::GROUP, on![Update => identity_groups::write]),
    route(listed("group/id"), "Lists the groups by id.", &[], on![List => identity_groups::list_ids]),
    route(under("group/id/"), "Reads, changes or deletes a group.", identity_groups::GROUP, on![Read => identity_groups::read_by_id, Update => identity_groups::write_by_id, Delete => identity_groups::delete_by_id]),
    route(listed("group/name"), "Lists the groups by name.", &[], on![List => identity_groups::list_names]),
    route(under("group/name/"), "Reads, writes or deletes a group.", identity_groups::GROUP, on![Read => identity_groups::read_by_name, Update => identity_groups::write_by_name, Delete => identity_groups::delete_by_name]),
    route(exact("lookup/entity"), "Looks an entity up.", identity::LOOKUP, on![Update => identity::lookup]),
    route(exact("lookup/group"), "Looks a group up.", identity_groups::LOOKUP, on![Update => identity_groups::lookup]),
];

/// Below the path of an AWS engine.
#[rustfmt::skip]
static AWS: &[Route] = &[
    route(named("creds/"), "Issues credentials from a role.", aws_creds::FIELDS, on![Read => aws_creds::issue, Update => aws_creds::issue]).with_effect(),
    route(named("sts/"), "Issues credentials from a role.", aws_creds::FIELDS, on![Read => aws_creds::issue_sts, Update => aws_creds::issue_sts]).with_effect(),
    route(named("roles/"), "Reads, writes or deletes a role.", aws_roles::FIELDS, on![Read => aws_roles::read, Update => aws_roles::write, Delete => aws_roles::delete]),
    route(listed("roles"), "Lists the roles.", &[], on![List => aws_roles::list]),
    route(exact("config/root"), "The account that the engine works in.", aws_settings::ROOT, on![Read => aws_settings::read_root, Update => aws_settings::write_root]).exists_first(),
    route(exact("config/limits"), "How many leases may live at once.", aws_limits::FIELDS, on![Read => aws_limits::read, Update => aws_limits::write]),
    route(exact("config/rotate-root"), "Rotates the root key of the engine.", &[], on![Update => aws_static::rotate_root]),
    route(exact("config/rotation-status"), "How the rotation of the root key stands.", &[], on![Read => aws_static::rotation_status]),
    route(between("static-roles/", "/rotate"), "Rotates the key of a static role.", aws_static::NAME, on![Update => aws_static::rotate]),
    route(named("static-roles/"), "Reads, writes or deletes a static role.", aws_static::FIELDS, on![Read => aws_static::read, Update => aws_static::write, Delete => aws_static::delete]),
    route(listed("static-roles"), "Lists the static roles.", &[], on![List => aws_static::list]),
    route(named("static-creds/"), "Shows the key of a static role.", aws_static::NAME, on![Read => aws_static::credentials]),
    route(exact("config/lease"), "How long leases of IAM users last.", aws_settings::LEASE, on![Read => aws_settings::read_lease, Update => aws_settings::write_lease]),
];

/// All tables, and what the patterns in each stand below.
pub(super) fn tables() -> [(&'static str, &'static [Route]); 8] {
    [
        ("auth/token/", TOKEN),
        ("auth/:approle/", APPROLE),
        ("auth/:userpass/", USERPASS),
        ("auth/:jwt/", JWT),
        ("auth/:kubernetes/", KUBERNETES),
        ("identity/", IDENTITY),
        ("sys/", SYS),
        (":mount/", AWS),
    ]
}

const fn route(
    pattern: Pattern,
    help: &'static str,
    fields: &'static [Field],
    on: &'static [(Operation, Handler)],
) -> Route {
    Route {
        pattern,
        help,
        fields,
        on,
        exists_check: false,
        callers: Callers::ByAcl,
        effect: false,
        takes_any: false,
    }
}

impl Route {
    /// Its pattern, as it is shown to people.
    pub(super) fn shown_below(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.pattern.shown())
    }

    /// What can be done with it.
    pub(super) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.on.iter().map(|(operation, _)| *operation)
    }

    /// A write looks first if the object is there.
    const fn exists_first(mut self) -> Self {
        self.exists_check = true;
        self
    }

    /// The ACL is not asked.
    const fn open_to(mut self, callers: Callers) -> Self {
        self.callers = callers;
        self
    }

    /// A read changes something.
    const fn with_effect(mut self) -> Self {
        self.effect = true;
        self
    }

    /// Nothing that is sent is ignored.
    const fn taking_any(mut self) -> Self {
        self.takes_any = true;
        self
    }

    /// What serves `operation` here.
    pub(super) fn handler(&self, operation: Operation) -> Option<Handler> {
        let (_, handler) = self.on.iter().find(|(offered, _)| *offered == operation)?;
        Some(*handler)
    }
}

/// Where `path` leads.
pub(super) fn find(wire: &Wire, path: &str) -> Found {
    if let Some(rest) = path.strip_prefix("auth/token/") {
        return found(TOKEN, rest, None, Place { mount_type: "token", injects: false });
    }
    if let Some(rest) = path.strip_prefix("auth/") {
        return match wire.auth.auth_route(rest) {
            Some((method, rest)) => in_method(method, rest),
            None => Found::NoMount,
        };
    }
    if let Some(rest) = path.strip_prefix("identity/") {
        return found(IDENTITY, rest, None, Place { mount_type: "identity", injects: false });
    }
    if let Some(rest) = path.strip_prefix("sys/") {
        return found(SYS, rest, None, Place { mount_type: "system", injects: injects(rest) });
    }
    match wire.engine.route(path) {
        None => Found::NoMount,
        Some((mount, _)) if mount.state != MountState::Active => Found::Tainted,
        Some((mount, rest)) => {
            found(AWS, &rest, Some(mount), Place { mount_type: "aws", injects: false })
        }
    }
}

fn table_of(method: AuthMethod) -> &'static [Route] {
    match method {
        AuthMethod::AppRole => APPROLE,
        AuthMethod::Userpass => USERPASS,
        AuthMethod::Jwt | AuthMethod::Oidc => JWT,
        AuthMethod::Kubernetes => KUBERNETES,
    }
}

fn in_method(method: Arc<AuthMount>, path: &str) -> Found {
    let table = table_of(method.method);
    // What `mount_type` of a login is in Vault (contract 0.2).
    match found(table, path, None, Place { mount_type: "", injects: false }) {
        Found::Route { route, mount, captured, place, .. } => {
            Found::Route { route, mount, method: Some(method), captured, place }
        }
        nowhere @ (Found::NoPattern | Found::Tainted | Found::NoMount) => nowhere,
    }
}

fn found(table: &'static [Route], path: &str, mount: Option<Arc<Mount>>, place: Place) -> Found {
    // `leases/lookup` fits two patterns; the path of a list always ends in a slash, so the first is it.
    let hit = table.iter().find_map(|route| Some((route, route.pattern.captures(path)?)));
    match hit {
        Some((route, captured)) => {
            Found::Route { route, mount, method: None, captured: captured.to_owned(), place }
        }
        None => Found::NoPattern,
    }
}

/// Whether each key of `data` is copied to the top level (contract 0.2: old `sys` paths).
fn injects(path: &str) -> bool {
    let exact =
        ["audit", "auth", "ha-status", "key-status", "mounts", "policy", "remount", "rotate"]
            .contains(&path);
    exact
        || ["audit-hash/", "capabilities", "mounts/", "auth/", "policy/"]
            .iter()
            .any(|head| path.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(table: &'static [Route], path: &str) -> Option<(String, String)> {
        let place = Place { mount_type: "", injects: false };
        match found(table, path, None, place) {
            Found::Route { route, captured, .. } => Some((route.pattern.shown(), captured)),
            Found::NoPattern | Found::Tainted | Found::NoMount => None,
        }
    }

    fn leads(table: &'static [Route], path: &str, pattern: &str, captured: &str) {
        let wanted = Some((pattern.to_owned(), captured.to_owned()));
        assert_eq!(hit(table, path), wanted, "{path}");
    }

    #[test]
    fn an_engines_paths_go_to_their_routes() {
        leads(AWS, "roles/my-role", "roles/:name", "my-role");
        leads(AWS, "roles", "roles", "");
        leads(AWS, "roles/", "roles", "");
        leads(AWS, "creds/app.v1@prod", "creds/:name", "app.v1@prod");
        for nowhere in
            ["creds/-bad", "creds/a/b", "creds", "roles/x/", "config", "no/such/path", ""]
        {
            assert_eq!(hit(AWS, nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn lease_paths_carry_their_ids_and_prefixes() {
        let id = "aws/creds/u/abcdefghijklmnopqrstuvwx";
        leads(SYS, "leases/lookup", "leases/lookup", "");
        leads(SYS, "leases/lookup/", "leases/lookup[/:path]", "");
        leads(SYS, "leases/lookup/aws/creds/", "leases/lookup[/:path]", "aws/creds/");
        for own in ["leases/renew", "renew", "leases/revoke", "revoke"] {
            let shown = format!("{own}[/:path]");
            leads(SYS, own, &shown, "");
            leads(SYS, &format!("{own}/{id}"), &shown, id);
        }
        for own in
            ["leases/revoke-prefix/", "revoke-prefix/", "leases/revoke-force/", "revoke-force/"]
        {
            leads(SYS, &format!("{own}aws/creds"), &format!("{own}:path"), "aws/creds");
            assert_eq!(hit(SYS, own), None);
        }
    }

    #[test]
    fn mount_paths_may_have_slashes_in_them() {
        leads(SYS, "mounts", "mounts", "");
        leads(SYS, "mounts/team/aws", "mounts/:path", "team/aws");
        leads(SYS, "mounts/team/aws/tune", "mounts/:path/tune", "team/aws");
        leads(SYS, "internal/ui/mounts/aws", "internal/ui/mounts/:path", "aws");
    }

    #[test]
    fn no_route_offers_an_operation_twice() {
        for route in tables().into_iter().flat_map(|(_, table)| table) {
            for (at, (operation, _)) in route.on.iter().enumerate() {
                let again =
                    route.on.iter().skip(at.saturating_add(1)).any(|(other, _)| other == operation);
                assert!(!again, "{}", route.pattern.shown());
            }
        }
    }

    #[test]
    fn old_system_paths_copy_their_data_to_the_top() {
        for old in
            ["mounts", "mounts/aws", "mounts/aws/tune", "auth", "capabilities-self", "policy/x"]
        {
            assert!(injects(old), "{old}");
        }
        for new in ["leases/lookup", "internal/ui/mounts", "mounts-x", "policies/acl/x"] {
            assert!(!injects(new), "{new}");
        }
    }
}
