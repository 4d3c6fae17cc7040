//! What strangers are told of the errors of the modules below (contract 1.1 to 2.2 and 3.2). No `_` arm:
//! a new variant has to say here what becomes of it. The door's own errors: [`super`].

use serde_json::json;

use super::{Told, bare, internal, sealed, silent, wrapped};
use crate::audit::AuditError;
use crate::auth::wrapping::WrappingError;
use crate::auth::{AuthError, PolicyRefused};
use crate::engine::NotServing;
use crate::engine::config::ConfigError;
use crate::engine::issue::IssueError;
use crate::engine::lease_query::QueryError;
use crate::engine::leases::RenewError;
use crate::engine::legacy_role::LegacyError;
use crate::engine::limits::LimitsError;
use crate::engine::mounts::MountError;
use crate::engine::reconcile::ReconcileError;
use crate::engine::remount::RemountError;
use crate::engine::roles::RoleError;
use crate::leases::{JobError, LeaseError};
use crate::model::{CapReached, Decision, Finding, MostLeases, Verdict, go_text};

pub(super) fn tainted(path: &str) -> Told {
    bare(404, format!("no handler for route {}. route entry is tainted.", go_text::quote(path)))
}

pub(super) fn not_serving(error: &NotServing) -> Told {
    tainted(error.0.as_str())
}

/// A denial: one sentence per finding, and the verdict for programs.
fn denied(errors: &[String], verdict: &str, findings: &[Finding], digest: &str) -> Told {
    let mut data = json!({"verdict": verdict, "findings": findings});
    if let (false, Some(members)) = (digest.is_empty(), data.as_object_mut()) {
        members.insert("digest".to_owned(), digest.into());
    }
    Told { status: 400, errors: errors.to_vec(), data: Some(data) }
}

fn denied_by(errors: &[String], verdict: &Verdict) -> Told {
    let decision = match verdict.decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    denied(errors, decision, &verdict.findings, &verdict.digest)
}

/// A document that is refused in every mode.
fn refused_document(findings: &[Finding]) -> Told {
    let sentences: Vec<_> =
        findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
    denied(&sentences, "deny", findings, "")
}

/// The broker's own fault where leases are concerned: what state they are in, and what to do.
fn broken(state: &str) -> Told {
    wrapped(500, &format!("internal error\nhelp: {state}; the server's log has the cause"))
}

pub(super) fn auth(error: &AuthError) -> Told {
    match error {
        AuthError::InvalidToken => {
            let texts = ["permission denied".to_owned(), "invalid token".to_owned()];
            bare(403, go_text::error_list(&texts))
        }
        AuthError::Denied => wrapped(403, "permission denied"),
        AuthError::NoSuchToken => bare(403, "bad token"),
        AuthError::NoSuchAccessor => wrapped(400, "invalid accessor"),
        AuthError::NotRenewable => bare(400, "lease is not renewable"),
        AuthError::LoginGone(_) | AuthError::TokenRoleGone(_) | AuthError::Batch(_) => {
            bare(400, error.to_string())
        }
        AuthError::NoLease => bare(400, "invalid lease ID"),
        AuthError::PastMaximum => bare(400, "past the max TTL, cannot renew"),
        AuthError::Create(refused) => bare(400, refused.to_string()),
        AuthError::Seal(_) | AuthError::Store(_) => internal(),
    }
}

pub(super) fn audit(error: &AuditError) -> Told {
    match error {
        AuditError::PathInUse
        | AuditError::BadPath(_)
        | AuditError::UnknownKind(_)
        | AuditError::Options(_)
        | AuditError::Unusable { .. }
        | AuditError::Unknown(_)
        | AuditError::NoInput => bare(400, error.to_string()),
        AuditError::Thread(_) | AuditError::Seal(_) | AuditError::Store(_) => internal(),
    }
}

pub(super) fn policy(error: &PolicyRefused) -> Told {
    match error {
        PolicyRefused::Empty
        | PolicyRefused::Unreadable(_)
        | PolicyRefused::Fixed(_)
        | PolicyRefused::Kept(_)
        | PolicyRefused::DefaultKept => bare(400, error.to_string()),
        PolicyRefused::Store(_) => internal(),
    }
}

pub(super) fn wrapping(error: &WrappingError) -> Told {
    match error {
        WrappingError::NotValid => bare(400, error.to_string()),
        WrappingError::Auth(error) => auth(error),
        WrappingError::Seal(_) | WrappingError::Store(_) => internal(),
    }
}

/// The failures of the core are 400 throughout, whatever its source names (contract 0.3, item 5).
pub(super) fn mount(error: &MountError) -> Told {
    match error {
        MountError::PathInUse(_)
        | MountError::Protected(_)
        | MountError::CannotUnmount(_)
        | MountError::CannotTune(_)
        | MountError::BadPath(_)
        | MountError::TypeMissing
        | MountError::NotMountable(_)
        | MountError::UnknownType(_)
        | MountError::VersionNotAllowed
        | MountError::BadOptions
        | MountError::BadDefaultTtl { .. }
        | MountError::BadMaxTtl { .. }
        | MountError::DefaultAboveMax
        | MountError::DefaultAboveServerMax(_)
        | MountError::BadTtl(_)
        | MountError::MaxBelowDefault { .. }
        | MountError::BadVisibility(_)
        | MountError::NothingToTune(_) => bare(400, error.to_string()),
        MountError::NotRevoked(error) => bare(400, error.to_string()),
        MountError::Store(_) => internal(),
    }
}

pub(super) fn remount(error: &RemountError) -> Told {
    match error {
        RemountError::PathMissing
        | RemountError::NoMount(_)
        | RemountError::Tainted(_)
        | RemountError::PathInUse(_)
        | RemountError::Protected(_)
        | RemountError::BadPath(_) => bare(400, error.to_string()),
        RemountError::Store(_) => internal(),
    }
}

pub(super) fn job(error: &JobError) -> Told {
    match error {
        JobError::Unknown(_) => silent(404),
        JobError::Done(_) | JobError::EmptyQuery | JobError::UnknownTerm(_) => {
            bare(400, error.to_string())
        }
        JobError::Lease(error) => lease(error),
    }
}

pub(super) fn config(error: &ConfigError) -> Told {
    match error {
        ConfigError::FallbackLengths
        | ConfigError::AudienceAndKey
        | ConfigError::AudienceWithoutRole
        | ConfigError::FederationNotOffered
        | ConfigError::ScheduleAndPeriod
        | ConfigError::WindowWithPeriod
        | ConfigError::WindowWithoutSchedule
        | ConfigError::BadSchedule(_)
        | ConfigError::PeriodTooShort
        | ConfigError::NothingToRotate
        | ConfigError::Missing(_)
        | ConfigError::BadDuration { .. } => bare(400, error.to_string()),
        ConfigError::NotServing(error) => not_serving(error),
        ConfigError::Seal(_) | ConfigError::Store(_) => internal(),
    }
}

pub(super) fn role(error: &RoleError) -> Told {
    match error {
        RoleError::Invalid(_) | RoleError::BrokenDocument(_) | RoleError::Refused(_) => {
            bare(400, error.to_string())
        }
        // Vault's own handler fails there, and the wire says so (contract 1.4).
        RoleError::Legacy(error @ LegacyError::Both) => wrapped(500, &error.to_string()),
        RoleError::Legacy(error @ (LegacyError::Mixed(_) | LegacyError::Unusable(_))) => {
            bare(400, error.to_string())
        }
        RoleError::DocumentRefused(findings) => refused_document(findings),
        RoleError::Denied { errors, verdict } => denied_by(errors, verdict),
        RoleError::NotServing(error) => not_serving(error),
        RoleError::Store(_) => internal(),
    }
}

pub(super) fn limits(error: &LimitsError) -> Told {
    match error {
        LimitsError::Refused(error) => bare(400, error.to_string()),
        LimitsError::NotAnAccount(_) => bare(400, error.to_string()),
        LimitsError::NotServing(error) => not_serving(error),
        LimitsError::Store(_) => internal(),
    }
}

/// 400, not 429: a client that tries again at once finds the cap as it was.
fn cap_reached(reached: &CapReached) -> Told {
    let CapReached { cap, account, limit, live, most } = reached;
    let setting = cap.setting();
    let of = account.as_ref().map_or_else(String::new, |account| format!(" {account}"));
    let most = most.as_ref().map_or_else(String::new, |most| {
        let MostLeases { caller, accessor, live } = most;
        format!("; `{caller}` (accessor `{}`) holds the most, {live}", accessor.0)
    });
    let text = format!(
        "too many leases live: {setting}{of} is {limit}, live are {live}{most}\nhelp: revoke leases that nobody needs, or raise the cap"
    );
    Told { data: Some(json!({"cap_reached": reached})), ..bare(400, text) }
}

pub(super) fn issue(error: &IssueError) -> Told {
    match error {
        IssueError::RoleNotFound(_)
        | IssueError::NoRoleArn
        | IssueError::RoleArnNotAllowed { .. }
        | IssueError::FederationWithoutPolicy
        | IssueError::GroupUnread(_)
        | IssueError::NoSts(_)
        | IssueError::AccountUnknown(_)
        | IssueError::LegacyPath { .. }
        | IssueError::TtlCut { .. }
        | IssueError::BadKey(_)
        | IssueError::Aws { .. } => bare(400, error.to_string()),
        IssueError::DocumentRefused { findings, .. } => refused_document(findings),
        IssueError::Denied { errors, verdict, .. } => denied_by(errors, verdict),
        IssueError::Username(error) => wrapped(500, &error.to_string()),
        IssueError::Quarantined(error) => bare(503, error.to_string()),
        // Stock clients try again after a 502: that is what AWS asks for.
        IssueError::Throttled { .. } => bare(502, error.to_string()),
        IssueError::NotServing(error) => not_serving(error),
        IssueError::KeyOfAnotherRequest => bare(422, error.to_string()),
        IssueError::KeyUsed { lease } => {
            let data = Some(json!({"lease_id": lease.as_str()}));
            Told { data, ..bare(409, error.to_string()) }
        }
        IssueError::Lease(LeaseError::CapReached(reached)) => cap_reached(reached),
        IssueError::Lease(LeaseError::Illegal(_) | LeaseError::Unknown(_)) => {
            bare(400, "the lease was revoked while it was being issued")
        }
        IssueError::Seal(_) => internal(),
        IssueError::Lease(LeaseError::Sealed) => sealed(),
        IssueError::Lease(LeaseError::Store(_)) | IssueError::Store(_) => {
            broken("no credential was handed out, and what was made is removed; ask again")
        }
    }
}

pub(super) fn renew(error: &RenewError) -> Told {
    match error {
        RenewError::NotFound
        | RenewError::NotRenewable
        | RenewError::Expired
        | RenewError::FailedRevocation
        | RenewError::PastMax(_) => bare(400, error.to_string()),
        RenewError::Lease(LeaseError::Store(_)) | RenewError::Store(_) => {
            broken("the lease is kept; look it up to see when it ends")
        }
        RenewError::Lease(
            error @ (LeaseError::Illegal(_)
            | LeaseError::Unknown(_)
            | LeaseError::CapReached(_)
            | LeaseError::Sealed),
        ) => lease(error),
    }
}

pub(super) fn reconcile(error: &ReconcileError) -> Told {
    match error {
        ReconcileError::UnderWay => bare(409, error.to_string()),
        ReconcileError::NoOrphan(_) => bare(404, error.to_string()),
        ReconcileError::NoMount(_)
        | ReconcileError::Ambiguous(_)
        | ReconcileError::BadAction(_)
        | ReconcileError::BadTime { .. }
        | ReconcileError::NoTag(_)
        | ReconcileError::NotOurs(_)
        | ReconcileError::NoKey(_)
        | ReconcileError::PolicyAdopted(_)
        | ReconcileError::PolicyInUse { .. }
        | ReconcileError::PolicyElsewhere { .. }
        | ReconcileError::HasLease { .. }
        | ReconcileError::LeaseEnded { .. }
        | ReconcileError::Revoke(_)
        | ReconcileError::Aws(_) => bare(400, error.to_string()),
        ReconcileError::Lease(error) => lease(error),
        ReconcileError::Store(_) => internal(),
    }
}

/// A lease that went away between two looks is not there.
pub(super) fn lease(error: &LeaseError) -> Told {
    match error {
        LeaseError::Illegal(_) | LeaseError::Unknown(_) => bare(400, "lease not found"),
        LeaseError::CapReached(reached) => cap_reached(reached),
        LeaseError::Sealed => sealed(),
        LeaseError::Store(_) => internal(),
    }
}

pub(super) fn query(error: &QueryError) -> Told {
    match error {
        QueryError::Invalid { .. }
        | QueryError::State(_)
        | QueryError::NoMount(_)
        | QueryError::Limit { .. } => bare(400, error.to_string()),
        QueryError::Store(_) => internal(),
    }
}
